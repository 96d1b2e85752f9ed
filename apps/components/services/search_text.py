"""Keeps the text that the search of components looks at."""

from apps.components.models import Component


def refresh_search_text(component: Component) -> None:
    """Bring what the search looks at to what the component says now."""
    found = list(component.interfaces.values_list("address", "identity"))
    words = [component.name, component.alias, component.serial_number, component.manufacturer, component.model]
    words += [component.operating_system, component.location, component.slot, str(component.uuid or "")]
    words += [*component.alert_addresses, *(address for address, _identity in found)]
    words += [str(identity.get("name", "")) for _address, identity in found]
    component.search_text = "\n".join(dict.fromkeys(word.casefold() for word in words if word))
    Component.objects.filter(pk=component.pk).update(search_text=component.search_text)
