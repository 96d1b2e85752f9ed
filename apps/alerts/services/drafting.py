"""Drafts of definitions: one made from what is filled in but not saved, and one made from an unmatched alert."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.alerts.models import Alert, AlertDefinition, Severity
from apps.alerts.services import catalogue, products
from apps.alerts.services.checking import check, complete
from apps.alerts.services.oids import above, enterprise_of, number_of

DRAFT = "own.draft"
MOST = 20  # variables of an alert that get a name
_STANDARD = {
    "1.3.6.1.2.1.1.5": "system",
    "1.3.6.1.2.1.1.6": "location",
    "1.3.6.1.2.1.2.2.1.1": "index",
    "1.3.6.1.2.1.2.2.1.2": "description",
    "1.3.6.1.2.1.2.2.1.7": "admin",
    "1.3.6.1.2.1.2.2.1.8": "oper",
    "1.3.6.1.2.1.31.1.1.1.1": "name",
    "1.3.6.1.2.1.31.1.1.1.18": "alias",
    "1.3.6.1.2.1.47.1.1.1.1.2": "part",
    "1.3.6.1.2.1.47.1.1.1.1.7": "part_name",
}
"""Objects of MIB-2 that many traps carry."""


def draft_of(fields: Mapping[str, Any], definition: AlertDefinition | None = None) -> AlertDefinition:
    """Make a definition that is not stored, of fields in the place of those that are; raises ValidationError."""
    wanted = {**({} if definition is None else {name: getattr(definition, name) for name in complete({})}), **fields}
    wanted = complete(wanted)
    check(wanted)
    if definition is None:
        return AlertDefinition(key=DRAFT, pk=None, **wanted)
    return AlertDefinition(
        key=definition.key, pk=definition.pk, origin=definition.origin, made=definition.made, **wanted
    )


def from_alert(alert: Alert) -> dict[str, Any]:
    """Propose the fields of a definition that would recognise an alert, its variables named where they are known."""
    product = products.known().of_trap(alert.trap_oid, alert.enterprise)
    sender = product.name if product is not None else enterprise_of(alert.trap_oid) or alert.enterprise
    bindings = _named([str(binding["oid"]) for binding in alert.bindings[:MOST]])
    return complete(
        {
            "name": _("%(sender)s: trap %(number)s") % {"sender": sender, "number": number_of(alert.trap_oid)},
            "trap_oid": alert.trap_oid,
            "severity": Severity.WARNING.value,
            "title": _("%(sender)s: trap %(number)s") % {"sender": sender, "number": number_of(alert.trap_oid)},
            "detail": ", ".join(f"{name}: %({name})s" for name in bindings),
            "bindings": bindings,
        }
    )


def _named(oids: Iterable[str]) -> dict[str, str]:
    """Give each variable a name of its own: the known one of its object, else one by its place."""
    known = {**_of_definitions(), **_STANDARD}
    found: dict[str, str] = {}
    for place, oid in enumerate(oids, start=1):
        root = next((above_it for above_it in above(oid) if above_it in known), None)
        name = known[root] if root is not None else f"value{place}"
        if root is None or name in found:
            found[f"{name}{place}" if name in found else name] = f"#{place}"
        else:
            found[name] = root
    return found


def _of_definitions() -> dict[str, str]:
    """Give the objects that the shipped definitions have a name for."""
    usable = re.compile(r"[A-Za-z_]\w*")
    return {
        oid: name
        for definition in catalogue.current().definitions
        for name, oid in definition.bindings.items()
        if not oid.startswith("#") and usable.fullmatch(name) and name != "object"
    }
