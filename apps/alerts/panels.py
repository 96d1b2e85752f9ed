"""What a component's page shows of its alerts."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.alerts.models import Alert, Incident
from apps.components.extensions import OVERVIEW, Panel, Tab, panels, tabs
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


tabs.add(
    ALERTS,
    Tab(ALERTS, _("Alerts"), 50, count=lambda look: len(open_incidents(look) or ()) or None, topics=("alert",)),
)
panels.add("incidents", Panel("incidents", OVERVIEW, "components/panels/incidents.html", open_incidents, 25))
panels.add("alerts", Panel("alerts", ALERTS, "components/panels/alerts.html", latest_alerts, 10))
