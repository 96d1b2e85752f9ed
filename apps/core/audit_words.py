"""How the audit reads: acts and what they changed, in the reader's language. What has no words is shown as it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.audit import CHANGED
from apps.core.registries import Registry

ACTS: dict[str, Promise | str] = {
    "component.register": gettext_lazy("Registered"),
    "component.change": gettext_lazy("Settings changed"),
    "component.join": gettext_lazy("Joined with another registration of the same machine"),
    "component.remove": gettext_lazy("Removed"),
    "sensor.limits": gettext_lazy("Limits of a sensor set"),
    "incident.acknowledge": gettext_lazy("Problem acknowledged"),
    "incident.close": gettext_lazy("Problem closed"),
}
FIELDS: dict[str, Promise | str] = {
    "name": gettext_lazy("Name"),
    "alias": gettext_lazy("Alias"),
    "category": gettext_lazy("Type"),
    "group": gettext_lazy("Group"),
    "parent": gettext_lazy("Stands in"),
    "slot": gettext_lazy("Slot"),
    "uuid": gettext_lazy("Hardware UUID"),
    "serial_number": gettext_lazy("Serial number"),
    "manufacturer": gettext_lazy("Manufacturer"),
    "model": gettext_lazy("Model"),
    "operating_system": gettext_lazy("Operating system"),
    "location": gettext_lazy("Location"),
    "alert_addresses": gettext_lazy("Further alert addresses"),
    "unmanaged": gettext_lazy("Not managed"),
    "interfaces": gettext_lazy("Ways of managing"),
    "joined": gettext_lazy("Joined with"),
    "lower_critical": gettext_lazy("Critical down from"),
    "lower_warning": gettext_lazy("Warning down from"),
    "upper_warning": gettext_lazy("Warning from"),
    "upper_critical": gettext_lazy("Critical from"),
    "state": gettext_lazy("State"),
    "note": gettext_lazy("Note"),
    "until": gettext_lazy("Until"),
}
# What upper apps add for acts and fields of their own, by the word that the audit has.
acts: Registry[Promise | str] = Registry("words of an act")
fields: Registry[Promise | str] = Registry("words of an audited field")


def act(word: str) -> str:
    """Name an act."""
    return str(acts.get(word) if word in acts else ACTS.get(word, word))


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Give what an act changed as label, value before and value after; what is long or nested is only named."""
    old, new = before or {}, after or {}
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if was == now or (was in EMPTY and now in EMPTY):
            continue
        label = str(fields.get(name) if name in fields else FIELDS.get(name, name))
        yield label, _value(was), _value(now)


EMPTY: tuple[Any, ...] = (None, "", [], {})


def _value(value: Any) -> str:
    if value in EMPTY:
        return "–"
    if value is True:
        return _("Yes")
    if value is False:
        return _("No")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, list | dict) or value == CHANGED:
        return _("changed")
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
