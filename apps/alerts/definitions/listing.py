"""Which definitions a list shows, how often each was seen, and what was not recognised."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext

from apps.alerts.models import Alert, AlertDefinition
from apps.alerts.services import past
from apps.core import scoping

PER_PAGE = 25
UNKNOWN = 8  # kinds of unmatched traps that are shown
COUNTED_FOR = 60  # seconds that the figures of the week hold
WORDS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a definition and how many alerts of the last week it explained."""

    definition: AlertDefinition
    seen: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Traps of the last week that nothing explained, under one name."""

    trap_oid: str
    number: int
    latest: int  # the id of the newest


def rows_of(user: Any, wanted: dict[str, str]) -> list[Row]:
    """Give the definitions that match, in the order that is asked for."""
    seen = seen_by(user)
    found = [row for row in AlertDefinition.objects.order_by("key") if _matches(row, wanted)]
    rows = [Row(definition, seen.get(definition.pk, 0)) for definition in found]
    if wanted.get("order") == "name":
        return sorted(rows, key=lambda row: (str(row.definition).casefold(), row.definition.key))
    return sorted(rows, key=lambda row: (-row.seen, row.definition.is_own is False, row.definition.key))


def _matches(row: AlertDefinition, wanted: dict[str, str]) -> bool:
    if "severity" in wanted and wanted["severity"] not in row.severities:
        return False
    if "family" in wanted and row.family != wanted["family"]:
        return False
    match wanted.get("state"):
        case "own" if not row.is_own:
            return False
        case "changed" if not row.changes:
            return False
        case "off" if row.enabled:
            return False
    words = wanted.get("q", "").casefold().split()[:WORDS]
    return not words or all(word in _text(row) for word in words)


def _text(row: AlertDefinition) -> str:
    """Give what a search looks at: everything that a reader may know it by, in English and his language."""
    own = (row.key, row.family, row.alert_type, row.name, row.title, *row.oids)
    return " ".join((*own, gettext(row.name), gettext(row.title), gettext(row.family) if row.family else "")).casefold()


def seen_by(user: Any) -> dict[int | None, int]:
    """Give how many alerts of the last week a user sees of each definition; up to a minute old."""
    scope = scoping.scope_of(user)
    whole = scope is scoping.EVERYTHING
    key = f"definitions.seen.{'all' if whole else user.pk}"
    try:
        known = cache.get(key)
    except Exception:  # every cache backend has errors of its own; without it the database is asked
        known = None
    if known is None:
        known = past.counts(Alert.objects.visible_to(user))
        try:
            cache.set(key, known, COUNTED_FOR)
        except Exception:
            return known
    return dict(known)


def families() -> list[tuple[str, str]]:
    """Give the families that there are, with their names in the reader's language."""
    found = AlertDefinition.objects.exclude(family="").order_by("family").values_list("family", flat=True).distinct()
    return sorted(((name, gettext(name)) for name in found), key=lambda pair: pair[1].casefold())


def unknown_to(user: Any, since: datetime | None = None) -> list[Unknown]:
    """Give what nothing explained in the last week, the most frequent first."""
    alerts = Alert.objects.visible_to(user).unmatched().filter(definition=None).exclude(trap_oid="")
    found = alerts.filter(received_at__gte=since or timezone.now() - past.WEEK).order_by()
    counted = found.values("trap_oid").annotate(number=Count("pk"), latest=Max("pk")).order_by("-number", "trap_oid")
    return [Unknown(row["trap_oid"], row["number"], row["latest"]) for row in counted[:UNKNOWN]]
