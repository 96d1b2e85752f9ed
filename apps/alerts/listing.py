"""Which alerts a list shows, and how it is walked."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.alerts.models import Alert, Incident, IncidentState
from apps.core import scoping

PER_PAGE = 50
TABS: tuple[tuple[str, Promise | str], ...] = (
    ("open", _("Open")),
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


def page_of(user: Any, wanted: dict[str, Any], size: int = PER_PAGE) -> AlertPage:
    """Give the alerts that a list shows."""
    found = matching(user, wanted)
    before = wanted.get("before")
    if before is not None:
        found = found.filter(pk__lt=before)
    alerts = list(found.select_related("component", "incident").order_by("-pk")[: size + 1])
    scope = scoping.scope_of(user, "alerts")
    rows = [Row(alert, _may_act(alert, scope)) for alert in alerts[:size]]
    return AlertPage(rows, rows[-1].alert.pk if len(alerts) > size else None, before is None)


def matching(user: Any, wanted: dict[str, Any]) -> "QuerySet[Alert]":
    """Give the visible alerts of a tab that match the filters. Open problems show their latest alert alone."""
    found = Alert.objects.visible_to(user)
    match wanted.get("show", "open"):
        case "all":
            found = found.matched()
        case "unmatched":
            found = found.unmatched()
        case word:
            of_tab = Incident.objects.visible_to(user).filter(state=word)
            found = found.filter(pk__in=of_tab.order_by().annotate(latest=Max("alerts")).values("latest"))
    if "severity" in wanted:
        found = found.filter(severity__in=wanted["severity"])
    for name in ("alert_type", "component", "incident"):
        if name in wanted:
            found = found.filter(**{name: wanted[name]})
    for word in wanted.get("q", "").split()[:8]:
        anywhere = Q(title__icontains=word) | Q(component_name__icontains=word) | Q(address__icontains=word)
        anywhere |= Q(component__alias__icontains=word)
        found = found.filter(anywhere | Q(trap_oid__icontains=word) | Q(detail__icontains=word))
    return found


def tabs(user: Any, shown: str) -> list[Tab]:
    """Give the saved filters with how much waits in each."""
    states = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
    rows = Incident.objects.visible_to(user).filter(state__in=states).order_by()
    counts: dict[str, int | None] = {state.value: 0 for state in states}
    counts |= dict(rows.values_list("state").annotate(Count("pk")))
    counts["unmatched"] = Alert.objects.visible_to(user).unmatched().count()
    return [Tab(value, label, counts.get(value), value == shown) for value, label in TABS]


def alert_types(user: Any) -> list[str]:
    """Give the types that the visible alerts have."""
    rows = Alert.objects.visible_to(user).order_by("alert_type").values_list("alert_type", flat=True)
    return list(rows.distinct())


def _may_act(alert: Alert, scope: scoping.Scope) -> bool:
    if alert.incident is None or not alert.incident.is_open:
        return False
    if alert.component is None or alert.incident.component_id is None:
        return scope is scoping.EVERYTHING
    return alert.component.group_id in scope
