"""The list of alerts: its tabs, its rows, and what came since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.alerts.listing import narrowing, walking
from apps.alerts.listing.narrowing import FOLDED, Wanted
from apps.alerts.models import DEFAULT_ALERT_TYPE, OPEN_INCIDENTS, Alert, Incident
from apps.alerts.services import catalogue, products
from apps.components.models import Component
from apps.core import scoping
from apps.groups.models import Tree

PER_PAGE = 50
CAP = 1000  # where the count of a tab stops
NEWS = 100  # and that of what is new
TABS: tuple[tuple[str, Promise | str], ...] = (
    ("open", pgettext_lazy("incident", "Open")),
    ("acknowledged", _("Acknowledged")),
    ("all", _("All")),
    ("unmatched", _("Unmatched")),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One saved filter; without a count where counting would cost more than it tells."""

    value: str
    label: Promise | str
    count: int | None
    current: bool
    more: bool = False  # the count stopped here


@dataclass(frozen=True, slots=True)
class Row:
    """One line: an alert, and whether the user may act on its problem."""

    alert: Alert
    may_act: bool


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some alerts, newest first, and where the older ones begin."""

    rows: list[Row]
    older: int | None
    newest: bool
    searched_to: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """Give the time after which an alert would stand above these; None where a page of older ones is shown."""
        return self.rows[0].alert.received_at if self.newest and self.rows else None


def page_of(user: Any, wanted: Wanted, tree: Tree, size: int = PER_PAGE) -> AlertPage:
    """Give the alerts that a page shows."""
    before = wanted.get("before")
    stretch = step(user, wanted, tree)(before, size)
    scope = scoping.scope_of(user, "alerts")
    rows = [Row(alert, may_act(alert.incident, alert.component, scope)) for alert in stretch.alerts]
    return AlertPage(rows, stretch.older, before is None, stretch.searched_to)


def step(user: Any, wanted: Wanted, tree: Tree, *, whole: bool = False) -> walking.Step:
    """Give how the list is walked. Open and acknowledged problems show their latest alert alone."""
    sought = wanted.get("q", "")
    if wanted.get("show", "open") in FOLDED:
        incidents = narrowing.incidents(user, wanted, tree)
        return lambda before, size: walking.latest_of(incidents, sought, before, size, whole=whole)
    alerts = narrowing.alerts(user, wanted, tree)
    return lambda before, size: walking.alerts_of(alerts, sought, before, size, whole=whole)


def news(user: Any, wanted: Wanted, tree: Tree, since: datetime) -> int:
    """Count what came after a moment, up to a hundred."""
    sought = wanted.get("q", "")
    if wanted.get("show", "open") in FOLDED:
        incidents = narrowing.incidents(user, wanted, tree).filter(last_at__gt=since)
        return len(walking.incidents_of(incidents, sought, None, NEWS).incidents)
    alerts = narrowing.alerts(user, wanted, tree).received_after(since)
    return len(walking.alerts_of(alerts, sought, None, NEWS).alerts) if sought else walking.count(alerts, NEWS)


def tabs(user: Any, shown: str) -> list[Tab]:
    """Give the saved filters with how much waits in each."""
    counts: dict[str, int] = incident_counts(user)
    counts["unmatched"] = walking.count(Alert.objects.visible_to(user).unmatched(), CAP + 1)
    return [
        Tab(value, label, None if number is None else min(number, CAP), value == shown, (number or 0) > CAP)
        for value, label in TABS
        for number in (counts.get(value),)
    ]


def incident_counts(user: Any) -> dict[str, int]:
    """Count the problems that have not ended, by state."""
    rows = Incident.objects.open().few_visible_to(user).order_by()
    return {**dict.fromkeys(OPEN_INCIDENTS, 0), **dict(rows.values_list("state").annotate(Count("pk")))}


def alert_types(chosen: list[str]) -> list[str]:
    """Give the types that alerts may have, by what they are called; reading them off the alerts takes too long."""
    defined = {entry.alert_type for entry in catalogue.current().definitions}
    filed = {product.alert_type for product in products.known().products if product.alert_type}
    return sorted({DEFAULT_ALERT_TYPE, *defined, *filed, *chosen}, key=lambda name: gettext(name).casefold())


def may_act(incident: Incident | None, component: Component | None, scope: scoping.Scope) -> bool:
    """Say whether an incident has not ended and its component is one of those that the user may act on."""
    if incident is None or not incident.is_open:
        return False
    if component is None or incident.component_id is None:
        return scope is scoping.EVERYTHING
    return component.group_id in scope
