"""Keeps the text that the search of components looks at."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.components.models import Component


def search_text(component: Component, interfaces: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Give what the search looks at, by what a component and its interfaces say: their addresses and identities."""
    found = list(interfaces)
    words = [component.name, component.alias, component.serial_number, component.manufacturer, component.model]
    words += [component.operating_system, component.location, component.slot, str(component.uuid or "")]
    words += [*component.alert_addresses, *(address for address, _identity in found)]
    words += [str(identity.get("name", "")) for _address, identity in found]
    return "\n".join(dict.fromkeys(word.casefold() for word in words if word))


def refresh_search_text(component: Component) -> None:
    """Bring what the search looks at to what the component says now."""
    component.search_text = search_text(component, component.interfaces.values_list("address", "identity"))
    Component.objects.filter(pk=component.pk).update(search_text=component.search_text)
