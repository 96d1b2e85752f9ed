"""What a component's page shows of its alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.models import Alert, EventSubscription, Incident, SubscriptionState
from apps.alerts.subscriptions.keeping import MOST_MANAGERS
from apps.components import ownership
from apps.components.extensions import (
    OVERVIEW,
    Event,
    EventSource,
    InterfacePart,
    Panel,
    Tab,
    event_sources,
    interface_parts,
    panels,
    tabs,
)
from apps.components.pages.look import Look

ALERTS = "alerts"
LATEST = 50


@dataclass(frozen=True, slots=True)
class LatestAlerts:
    """The newest alerts of a component, and whether there are more."""

    rows: Sequence[Alert]
    more: bool


def open_incidents(look: Look) -> list[Incident] | None:
    """Give the open problems of the component, the worst first; None when there is none."""

    def read() -> list[Incident]:
        return list(
            Incident.objects.visible_to(look.request.user).open().filter(component=look.component).worst_first()
        )

    return look.once("open incidents", read) or None


def latest_alerts(look: Look) -> LatestAlerts:
    """Give the newest alerts of the component."""
    seen = Alert.objects.visible_to(look.request.user).filter(component=look.component)
    rows = list(seen.select_related("incident").newest_first()[: LATEST + 1])
    return LatestAlerts(rows[:LATEST], len(rows) > LATEST)


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """The subscription of one way of managing, and what the reader may do about it."""

    row: EventSubscription
    too_many: bool  # managers to which the device sends
    may_test: bool
    may_hand_over: bool  # the controller, to another manager that was seen

    @property
    def is_active(self) -> bool:
        """Say whether the device sends."""
        return self.row.state == SubscriptionState.ACTIVE


def subscriptions(look: Look) -> Mapping[int, SubscriptionView]:
    """Give the subscriptions of the component's interfaces, by interface."""
    rows = EventSubscription.objects.visible_to(look.request.user).filter(interface__component=look.component)
    may, ours = look.may("check"), ownership.CONTROLLER not in look.component.managed_elsewhere
    may_change = look.may("components")
    return {
        row.interface_id: SubscriptionView(
            row,
            row.managers > MOST_MANAGERS,
            may and ours and row.tests and row.state == SubscriptionState.ACTIVE,
            may_change and ours and bool(row.others),
        )
        for row in rows
    }


interface_parts.add("event-subscription", InterfacePart("alerts/_subscription.html", subscriptions))
tabs.add(
    ALERTS,
    Tab(
        ALERTS,
        gettext_lazy("Alerts"),
        50,
        count=lambda look: len(open_incidents(look) or ()) or None,
        topics=("alert",),
    ),
)
panels.add("incidents", Panel("incidents", OVERVIEW, "components/panels/incidents.html", open_incidents, 25))
panels.add("alerts", Panel("alerts", ALERTS, "components/panels/alerts.html", latest_alerts, 10))


def _alert_event(_look: Look, row: Alert) -> Event:
    return Event(row.received_at, str(row.title), row.severity, str(row.detail), row.get_absolute_url())


def _incidents(look: Look) -> "QuerySet[Incident]":
    return Incident.objects.visible_to(look.request.user).filter(component=look.component)


def _acknowledged_event(_look: Look, row: Incident) -> Event:
    title = _("Acknowledged: %(title)s") % {"title": row.title}
    return Event(
        row.acknowledged_at or row.first_at, title, "acknowledged", row.note, row.get_absolute_url(),
        row.acknowledged_by_name,
    )  # fmt: skip


def _closed_event(_look: Look, row: Incident) -> Event:
    title = _("Ended: %(title)s") % {"title": row.title}
    return Event(
        row.closed_at or row.last_at, title, "closed", str(row.closed_why), row.get_absolute_url(), row.closed_by_name
    )


event_sources.add(
    "alert",
    EventSource(
        ALERTS, gettext_lazy("Alerts"), "bell", "received_at",
        lambda look: Alert.objects.visible_to(look.request.user).filter(component=look.component), _alert_event,
    ),
)  # fmt: skip
event_sources.add(
    "incident-acknowledged",
    EventSource(
        ALERTS, gettext_lazy("Alerts"), "bell", "acknowledged_at",
        lambda look: _incidents(look).filter(acknowledged_at__isnull=False), _acknowledged_event,
    ),
)  # fmt: skip
event_sources.add(
    "incident-closed",
    EventSource(
        ALERTS, gettext_lazy("Alerts"), "bell", "closed_at",
        lambda look: _incidents(look).filter(closed_at__isnull=False), _closed_event,
    ),
)  # fmt: skip
