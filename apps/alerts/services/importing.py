"""Takes a file of definitions that somebody sends: first what would come of it, then, when it is wanted, the taking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.alerts.models import AlertDefinition
from apps.alerts.services import catalogue
from apps.alerts.services.checking import KINDS, check
from apps.alerts.services.definitions import OWN, doubles
from apps.alerts.services.files import LARGEST, BadDefinition, parse
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn

MOST = 500  # definitions that a file makes or changes at once: it is one write turn
_AT_ONCE = 100


class Outcome(StrEnum):
    """What the taking of an entry would do."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of a file, against what is there."""

    key: str
    name: str
    trap_oid: str
    severity: str
    outcome: Outcome
    fields: tuple[str, ...]  # that would change
    doubles: tuple[str, ...]  # keys of others for the same trap

    @property
    def labels(self) -> list[str]:
        """Give the fields that would change, as pages call them."""
        return AlertDefinition.labels(self.fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would come of a file."""

    entries: tuple[Entry, ...]
    wanted: Mapping[str, Mapping[str, Any]]

    def count(self, outcome: Outcome) -> int:
        """Give how many entries would do this."""
        return sum(entry.outcome is outcome for entry in self.entries)

    @property
    def doubled(self) -> int:
        """Give how many meet another definition of the same trap."""
        return sum(bool(entry.doubles) for entry in self.entries)


def plan(text: str, name: str = "file") -> Plan:
    """Say what the taking of a file would do; changes nothing. Raises ValidationError with what is wrong in it."""
    if len(text.encode()) > LARGEST:
        raise ValidationError(_("The file is too large: at most %(number)s MB.") % {"number": LARGEST // 1_000_000})
    try:
        parsed = parse(text, name)
    except BadDefinition as error:
        raise ValidationError(str(error)) from error
    present = {row.key: row for row in AlertDefinition.objects.order_by("pk")}
    keys = {key: key if key in present or key.startswith(OWN) else f"{OWN}{key}"[:100] for key in parsed}
    wanted = {
        keys[key]: {**fields, "clears": [keys.get(one, one) for one in fields["clears"]]}
        for key, fields in parsed.items()
    }
    for key, fields in wanted.items():
        try:
            check(fields, frozenset({*present, *wanted}))
        except ValidationError as error:
            field, sentences = next(iter(error.message_dict.items()))
            raise ValidationError(f"{name}: {key}: {field}: {sentences[0]}") from error
    return Plan(tuple(_entries(wanted, present)), wanted)


def _entries(wanted: Mapping[str, Mapping[str, Any]], present: Mapping[str, AlertDefinition]) -> list[Entry]:
    after = {key: row for key, row in present.items() if key not in wanted}
    for place, (key, fields) in enumerate(wanted.items()):
        row = present.get(key)
        drafted = AlertDefinition(key=key, origin=row.origin if row is not None else "", **fields)
        drafted.pk = row.pk if row is not None else 2**40 + place  # newer than everything there is
        after[key] = drafted
    met: dict[str, list[str]] = {}
    for double in doubles(after.values()):
        claimants = [entry.key for entry in (double.decides, *double.others)]
        for key in claimants:
            met.setdefault(key, []).extend(other for other in claimants if other != key)
    found = []
    for key, fields in wanted.items():
        row = present.get(key)
        changed = tuple(name for name in KINDS if row is not None and getattr(row, name) != fields[name])
        outcome = Outcome.NEW if row is None else Outcome.CHANGED if changed else Outcome.SAME
        others = tuple(dict.fromkeys(met.get(key, ())))
        found.append(Entry(key, fields["name"], fields["trap_oid"], fields["severity"], outcome, changed, others))
    return found


def take(text: str, actor: Actor, name: str = "file") -> Plan:
    """Take a file: new entries become users' own definitions, others change what is there. All of it, or nothing."""
    with turn():
        _one_at_a_time()
        found = plan(text, name)
        new = [entry.key for entry in found.entries if entry.outcome is Outcome.NEW]
        changed = [entry.key for entry in found.entries if entry.outcome is Outcome.CHANGED]
        if len(new) + len(changed) > MOST:
            raise ValidationError(
                _("The file makes or changes too many definitions at once: at most %(number)s.") % {"number": MOST}
            )
        _store(found.wanted, new, changed)
        counts = {"new": len(new), "changed": len(changed), "file": name}
        audit.record(actor, "alert-definition.import", name=name, after={**counts, "keys": [*new, *changed][:200]})
    catalogue.forget()
    return found


def _one_at_a_time() -> None:
    """Keep two imports from making the same definition; on SQLite the turn does."""
    if connection.vendor == "postgresql":
        list(AlertDefinition.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def _store(wanted: Mapping[str, Mapping[str, Any]], new: Sequence[str], changed: Sequence[str]) -> None:
    now = timezone.now()
    made = [AlertDefinition(key=key, changed_at=now, **wanted[key]) for key in new]
    AlertDefinition.objects.bulk_create(made, batch_size=_AT_ONCE)
    rows = list(AlertDefinition.objects.filter(key__in=changed))
    for row in rows:
        for name, value in wanted[row.key].items():
            setattr(row, name, value)
        row.changed_at = now
    AlertDefinition.objects.bulk_update(rows, [*KINDS, "changed_at"], batch_size=50)
