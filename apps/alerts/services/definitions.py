"""What people do with definitions: make, change, switch, give back, remove, and settle two for the same trap.

Every change is audited, and followed by each process within five seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.alerts.models import AlertDefinition
from apps.alerts.services import catalogue
from apps.alerts.services.checking import KINDS, check, complete
from apps.alerts.services.oids import other_form
from apps.core import audit
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.writes import turn

OWN = "own."  # what the keys of users' definitions begin with
MEANING = tuple(name for name in KINDS if name not in {"trap_oid", "also", "prefix", "enterprise", "family", "enabled"})
"""The fields that say what a trap means, not which it is."""


@dataclass(frozen=True, slots=True)
class Double:
    """Several enabled definitions of one trap; the first decides, the others are never asked."""

    trap_oid: str
    prefix: bool
    enterprise: str
    decides: AlertDefinition
    others: tuple[AlertDefinition, ...]

    @property
    def is_mixed(self) -> bool:
        """Say whether a user's definition meets a shipped one, so that one can take over the other's meaning."""
        return len({definition.is_own for definition in (self.decides, *self.others)}) > 1


def create(fields: Mapping[str, Any], actor: Actor, key: str = "") -> AlertDefinition:
    """Make a definition of a user's own; raises ValidationError by field."""
    wanted = complete(fields)
    if not wanted["trap_oid"]:
        raise ValidationError({"trap_oid": [_("This is needed.")]})
    with turn():
        _check(wanted)
        made = AlertDefinition(key=key or _free_key(wanted["name"]), changed_at=timezone.now(), **wanted)
        made.save()
        audit.record(actor, "alert-definition.create", made, after={"key": made.key, **_said(wanted)})
    catalogue.forget()
    return made


def change(definition: AlertDefinition, fields: Mapping[str, Any], actor: Actor) -> AlertDefinition:
    """Change some fields; of a shipped definition the rest goes on following its file. Raises ValidationError."""
    with turn():
        definition = _held(definition)
        before = {name: getattr(definition, name) for name in KINDS}
        _check({**before, **fields})
        for name, value in fields.items():
            setattr(definition, name, value)
        _save(definition)
        audit.record(actor, "alert-definition.change", definition, before=before, after={**before, **fields})
    catalogue.forget()
    return definition


def set_enabled(definition: AlertDefinition, enabled: bool, actor: Actor) -> AlertDefinition:
    """Show or hide the alerts of a definition from now on; hidden ones are kept as unmatched."""
    return change(definition, {"enabled": enabled}, actor)


def restore(definition: AlertDefinition, actor: Actor) -> AlertDefinition:
    """Make a shipped definition as it came with the portal."""
    if definition.is_own:
        raise Conflict(_("This definition did not come with the portal."))
    return change(definition, definition.made, actor)


def remove(definition: AlertDefinition, actor: Actor) -> None:
    """Remove a definition of a user's own; its alerts stay. Raises Conflict where problems still speak of it."""
    if not definition.is_own:
        raise Conflict(_("This definition comes with the portal. Switch it off instead."))
    with turn():
        definition = _held(definition)
        number = definition.incidents.count()
        if number:
            raise Conflict(
                ngettext(
                    "%(number)s problem speaks of this definition. Switch it off instead.",
                    "%(number)s problems speak of this definition. Switch it off instead.",
                    number,
                )
                % {"number": number}
            )
        for partner in AlertDefinition.objects.exclude(pk=definition.pk):
            if definition.key in partner.clears:
                partner.clears = [key for key in partner.clears if key != definition.key]
                _save(partner)
        audit.record(actor, "alert-definition.remove", definition, before={"key": definition.key})
        definition.delete()
    catalogue.forget()


def doubles(definitions: Iterable[AlertDefinition] | None = None) -> list[Double]:
    """Give the traps that several enabled definitions claim, with the one that decides."""
    claims: dict[tuple[str, bool, str], list[AlertDefinition]] = defaultdict(list)
    for definition in catalogue.current().definitions if definitions is None else definitions:
        for oid in definition.oids if definition.enabled else ():
            claims[_one_form(oid), definition.prefix, definition.enterprise].append(definition)
    found: dict[tuple[int, ...], Double] = {}
    for (_oid, prefix, enterprise), claimants in claims.items():
        if len(claimants) < 2 or not any(entry.is_own for entry in claimants):
            continue
        oid = claimants[0].trap_oid
        first, *others = sorted(claimants, key=lambda entry: catalogue.precedence(entry, oid))
        found.setdefault(
            (first.pk, *(other.pk for other in others)), Double(oid, prefix, enterprise, first, (*others,))
        )
    return list(found.values())


def merge(kept: AlertDefinition, goes: AlertDefinition, actor: Actor) -> AlertDefinition:
    """Settle two definitions of a trap: the shipped one takes over what the user's says, which is switched off."""
    if kept.is_own or not goes.is_own or not _share_a_trap(kept, goes):
        raise Conflict(_("These two are not a shipped definition and a user's own one of the same trap."))
    with turn():
        taken = {name: getattr(goes, name) for name in MEANING}
        taken["clears"] = [key for key in dict.fromkeys([*kept.clears, *goes.clears]) if key != kept.key]
        kept = change(kept, taken, actor)
        set_enabled(goes, False, actor)
    return kept


def _share_a_trap(one: AlertDefinition, other: AlertDefinition) -> bool:
    return bool({_one_form(oid) for oid in one.oids} & {_one_form(oid) for oid in other.oids})


def _one_form(oid: str) -> str:
    """Give the form with the zero, in which both ways of writing a trap are the same."""
    return oid if oid.rpartition(".")[0].endswith(".0") else other_form(oid)


def _held(definition: AlertDefinition) -> AlertDefinition:
    return AlertDefinition.objects.select_for_update().get(pk=definition.pk)


def _save(definition: AlertDefinition) -> None:
    definition.changed_at = timezone.now()
    definition.save()


def _check(fields: Mapping[str, Any]) -> None:
    """Check a whole definition; one that never can be raised or received would be of no use."""
    check(fields, frozenset(AlertDefinition.objects.values_list("key", flat=True)))


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    empty = complete({})
    return {name: value for name, value in fields.items() if value != empty.get(name)}


def _free_key(name: str) -> str:
    """Give a key for a definition of this name that none has yet."""
    stem = f"{OWN}{slugify(name)[:60].strip('-') or 'definition'}"
    taken = set(AlertDefinition.objects.filter(key__startswith=stem).values_list("key", flat=True))
    return next(key for key in _candidates(stem) if key not in taken)


def _candidates(stem: str) -> Iterable[str]:
    yield stem
    for number in range(2, 1_000_000):
        yield f"{stem}-{number}"


def chosen(keys: Sequence[str]) -> list[AlertDefinition]:
    """Give the definitions of these keys, in the order of the keys."""
    found = {row.key: row for row in AlertDefinition.objects.filter(key__in=keys)}
    return [found[key] for key in keys if key in found]
