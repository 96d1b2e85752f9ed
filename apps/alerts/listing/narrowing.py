"""What the address of a list asks for, applied to alerts and incidents, and written as chips that take it away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateformat import format as dated
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.listing.walking import count, with_latest
from apps.alerts.models import Alert, AlertQuerySet, Incident, IncidentQuerySet, IncidentState, Severity
from apps.alerts.models.alert import FEW_ALERTS, Quiet
from apps.alerts.models.incident import OfComponents
from apps.alerts.sources import label_of
from apps.components.models import Component
from apps.groups.models import Tree

PERIODS: Mapping[str, tuple[Promise | str, timedelta]] = {
    "1h": (gettext_lazy("Last hour"), timedelta(hours=1)),
    "24h": (gettext_lazy("Last 24 hours"), timedelta(hours=24)),
    "7d": (gettext_lazy("Last 7 days"), timedelta(days=7)),
    "30d": (gettext_lazy("Last 30 days"), timedelta(days=30)),
}
NO_INCIDENT = "none"
STATES: Mapping[str, Promise | str] = {**dict(IncidentState.choices), NO_INCIDENT: gettext_lazy("No problem")}
PLACES = ("before", "at", "since")  # where one stands in a list, not what it shows
READ = ("q", "state")  # for these, rows are read that no index holds
FOLDED = ("open", "acknowledged")  # tabs that show each problem once

Rows = TypeVar("Rows", bound=OfComponents)
Wanted = Mapping[str, Any]
"""What ``ListForm`` found valid, by name."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, and the query that has all but it."""

    label: str
    query: str


def alerts(user: Any, wanted: Wanted, tree: Tree) -> AlertQuerySet:
    """Give the visible alerts that match, the words left aside."""
    found = _seen(Alert.objects.all(), user, wanted, tree)
    found = found.unmatched() if wanted.get("show") == "unmatched" else found.matched()
    for name in ("severity", "source", "alert_type"):
        if name in wanted:
            found = found.filter(**{f"{name}__in": wanted[name]})
    for name in ("component", "incident", "address"):
        if name in wanted:
            found = found.filter(**{name: wanted[name]})
    if "quiet" in wanted:
        found = found.silenced(wanted["quiet"])
    if "state" in wanted:
        found = _in_states(found, wanted["state"])
    start, end = span(wanted)
    return found.filter(**_between("received_at", start, end))


def incidents(user: Any, wanted: Wanted, tree: Tree) -> IncidentQuerySet:
    """Give the visible incidents of a tab that match, the words left aside."""
    found = _seen(Incident.objects.all(), user, wanted, tree).filter(state=wanted.get("show", IncidentState.OPEN))
    if "severity" in wanted:
        found = found.filter(severity__in=wanted["severity"])
    for name, field in (("component", "component"), ("incident", "pk"), ("address", "address")):
        if name in wanted:
            found = found.filter(**{field: wanted[name]})
    for name in ("alert_type", "source", "quiet"):
        if name in wanted:
            found = _whose_latest(found, name, wanted[name])
    start, end = span(wanted)
    return found.filter(**_between("last_at", start, end))


def span(wanted: Wanted) -> tuple[datetime | None, datetime | None]:
    """Give the first and the last moment that are asked for."""
    period = PERIODS.get(wanted.get("period", ""))
    if period is not None:
        return timezone.now() - period[1], None
    return wanted.get("from"), wanted.get("to")


def chips(query: QueryDict, wanted: Wanted, tree: Tree, user: Any) -> list[Chip]:
    """Give the filters in force; each can be taken away alone."""
    return [Chip(label, _without(query, *names)) for label, *names in _labels(wanted, tree, user)]


def _labels(wanted: Wanted, tree: Tree, user: Any) -> Iterator[tuple[str, str, str]]:
    """Give the label of each filter, its name, and its value where it may have several."""
    if "q" in wanted:
        yield _("Words: %(words)s") % {"words": wanted["q"]}, "q", ""
    for value in wanted.get("severity", ()):
        yield str(Severity(value).label), "severity", value
    for value in wanted.get("alert_type", ()):
        yield _("Type: %(type)s") % {"type": _(value)}, "alert_type", value
    if "component" in wanted:
        component = Component.objects.visible_to(user).filter(pk=wanted["component"]).first()
        shown = str(component) if component is not None else f"#{wanted['component']}"
        yield _("Component: %(component)s") % {"component": shown}, "component", ""
    if wanted.get("group") in tree.parents:
        yield _("Group: %(group)s") % {"group": tree.path_name(wanted["group"])}, "group", ""
    if "address" in wanted:
        yield _("Address: %(address)s") % {"address": wanted["address"]}, "address", ""
    for value in wanted.get("source", ()):
        yield _("Source: %(source)s") % {"source": label_of(value)}, "source", value
    for value in wanted.get("state", ()):
        yield str(STATES[value]), "state", value
    for value in wanted.get("quiet", ()):
        yield str(Quiet(value).label), "quiet", value
    if "incident" in wanted:
        yield _("Problem #%(number)s") % {"number": wanted["incident"]}, "incident", ""
    if "period" in wanted:
        yield str(PERIODS[wanted["period"]][0]), "period", ""
    else:
        if "from" in wanted:
            yield _("From %(time)s") % {"time": _written(wanted["from"])}, "from", ""
        if "to" in wanted:
            yield _("Until %(time)s") % {"time": _written(wanted["to"])}, "to", ""


def _without(query: QueryDict, name: str, value: str) -> str:
    rest = query.copy()
    kept = [one for one in rest.getlist(name) if value and one != value]
    for place in (name, *PLACES):
        rest.pop(place, None)
    if kept:
        rest.setlist(name, kept)
    return rest.urlencode()


def _seen(found: Rows, user: Any, wanted: Wanted, tree: Tree) -> Rows:
    """Keep what is visible; of a group what stands in it or below, which the visible tree knows, too."""
    group = wanted.get("group")
    on_the_way = not wanted.keys().isdisjoint(READ)
    if group in tree.parents:
        return found.of_groups(tree.subtree(group), on_the_way=on_the_way)
    return found.visible_to(user, on_the_way=on_the_way)


def _in_states(found: AlertQuerySet, states: list[str]) -> AlertQuerySet:
    named = [state for state in states if state != NO_INCIDENT]
    if NO_INCIDENT not in states:
        return found.in_states(named)
    if not named:
        return found.filter(incident=None)
    return found.filter(Q(incident=None) | Q(incident__state__in=named))


def _whose_latest(found: IncidentQuerySet, name: str, values: list[str]) -> IncidentQuerySet:
    """Keep the incidents whose latest alert has one of some values; what is rare is looked up the other way round."""
    alerts = Alert.objects.filter(**{f"{name}__in": values})
    if name == "quiet":
        alerts = Alert.objects.silenced(values)
    if count(alerts, FEW_ALERTS + 1) <= FEW_ALERTS:
        found = found.filter(pk__in=alerts.filter(incident__isnull=False).order_by().values("incident"))
    return with_latest(found, **{f"{name}__in": values})


def _between(field: str, start: datetime | None, end: datetime | None) -> dict[str, datetime]:
    limits = {f"{field}__gte": start, f"{field}__lt": end}
    return {name: moment for name, moment in limits.items() if moment is not None}


def _written(moment: datetime) -> str:
    return dated(timezone.localtime(moment), "Y-m-d H:i")
