"""The list of incidents: its tabs and rows, and the history of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.alerts.listing import narrowing, walking
from apps.alerts.listing.alerts import NEWS, PER_PAGE, Tab, incident_counts, may_act
from apps.alerts.listing.narrowing import Wanted
from apps.alerts.models import Alert, Incident
from apps.core import scoping
from apps.core.models import AuditEntry
from apps.groups.models import Tree

AT_ONCE = 500  # incidents that one request of a page acts on
HISTORY = 20  # alerts of an incident that are shown with it
ACTS = 50
TABS: tuple[tuple[str, Promise | str], ...] = (
    ("open", pgettext_lazy("incident", "Open")),
    ("acknowledged", _("Acknowledged")),
    ("closed", _("Closed")),
)
VERBS: Mapping[str, tuple[str, Promise | str]] = {  # of the audit: the state that followed, and how it reads
    "incident.acknowledge": ("acknowledged", _("Acknowledged")),
    "incident.close": ("closed", _("Closed")),
    "incident.reopen": ("open", _("Open again: the time of the acknowledgement is over")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: an incident, and whether the user may act on it."""

    incident: Incident
    may_act: bool


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Some incidents, the last heard of first, and where the older ones begin."""

    rows: list[Row]
    older: walking.Place | None
    newest: bool
    searched_to: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """Give the time after which an incident would stand above these; None where a page of older ones is shown."""
        return self.rows[0].incident.last_at if self.newest and self.rows else None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's history: an alert, or what somebody did."""

    at: datetime
    text: str
    state: str
    alert: Alert | None = None
    who: str = ""
    note: str = ""
    until: datetime | None = None


def page_of(user: Any, wanted: Wanted, tree: Tree, size: int = PER_PAGE) -> IncidentPage:
    """Give the incidents that a page shows."""
    before = walking.Place(wanted["at"], wanted["before"]) if {"at", "before"} <= wanted.keys() else None
    found = narrowing.incidents(user, wanted, tree)
    stretch = walking.incidents_of(found, wanted.get("q", ""), before, size)
    scope = scoping.scope_of(user, "alerts")
    rows = [Row(one, may_act(one, one.component, scope)) for one in stretch.incidents]
    return IncidentPage(rows, stretch.older, before is None, stretch.searched_to)


def news(user: Any, wanted: Wanted, tree: Tree, since: datetime) -> int:
    """Count what was heard of after a moment, up to a hundred."""
    found = narrowing.incidents(user, wanted, tree).filter(last_at__gt=since)
    return len(walking.incidents_of(found, wanted.get("q", ""), None, NEWS).incidents)


def tabs(user: Any, shown: str) -> list[Tab]:
    """Give the states with how many are in each; those that ended are too many to count."""
    counts = incident_counts(user)
    return [Tab(value, label, counts.get(value), value == shown) for value, label in TABS]


def history(user: Any, incident: Incident) -> list[Event]:
    """Give what happened, the newest first: the last alerts, and who did what."""
    alerts = Alert.objects.visible_to(user).filter(incident=incident).newest_first()[:HISTORY]
    events = [Event(alert.received_at, str(alert.title), alert.severity, alert) for alert in alerts]
    acts = AuditEntry.objects.filter(object_type=Incident._meta.label_lower, object_id=str(incident.pk))
    for entry in acts.filter(action__in=VERBS).order_by("-pk")[:ACTS]:
        state, text = VERBS[entry.action]
        after: dict[str, Any] = entry.after or {}  # what stayed as it was is not in it
        until = parse_datetime(after.get("until") or "")
        events.append(Event(entry.at, str(text), state, None, entry.actor_name, after.get("note", ""), until))
    if incident.closed_at is not None and not incident.closed_by_name:
        events.append(Event(incident.closed_at, str(_("Closed")), "closed", note=str(incident.closed_why)))
    return sorted(events, key=lambda event: event.at, reverse=True)


def actionable(user: Any, wanted: Wanted, tree: Tree, most: int) -> list[Incident]:
    """Give the incidents of a list that the user may act on, the last heard of first, up to a number."""
    found = narrowing.incidents(user, wanted, tree).open().visible_to(user, "alerts")
    return walking.incidents_of(found, wanted.get("q", ""), None, most).incidents


def count_actionable(user: Any, wanted: Wanted, tree: Tree, most: int) -> int:
    """Count them, up to a number; where words are sought, nothing is counted."""
    if "q" in wanted:
        return 0
    return walking.count(narrowing.incidents(user, wanted, tree).open().visible_to(user, "alerts"), most)
