"""The pages of monitoring."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from apps.monitoring.pages import charts, event_log, inventory_changes, limits, ports, statistics


def _chart(place: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """Give a chart's data to the page and as a file."""
    return [
        path(f"{place}chart.json", view, {"form": "json"}, name=name),
        path(f"{place}chart.csv", view, {"form": "csv"}, name=f"{name}-file"),
    ]


app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    *_chart("components/<int:pk>/sensors/<int:sensor_pk>/", charts.sensor_chart, "chart"),
    *_chart("components/<int:pk>/", charts.component_chart, "component-chart"),
    *_chart("statistics/", charts.fleet_chart, "fleet-chart"),
    path("statistics/", statistics.statistics, name="statistics"),
    path("components/<int:pk>/ports/<int:interface>/<int:index>/excluded/", ports.set_excluded, name="set-excluded"),
    path("components/excluded-ports/", ports.excluded_ports, name="excluded-ports"),
    path("components/excluded-ports/<int:pk>/remove/", ports.include_again, name="include-again"),
    path("components/<int:pk>/sensors/<int:sensor_pk>/limits/", limits.sensor_limits, name="limits"),
    path("components/<int:pk>/event-log.csv", event_log.event_log_file, name="event-log-file"),
    path("components/<int:pk>/event-log/<int:entry_pk>/", event_log.logged_entry, name="logged-entry"),
    path("components/inventory-changes/", inventory_changes.fleet_changes, name="inventory-changes"),
    path("components/inventory-changes.csv", inventory_changes.fleet_changes_file, name="inventory-changes-file"),
    path(
        "components/<int:pk>/inventory-changes.csv",
        inventory_changes.component_changes_file,
        name="component-inventory-changes-file",
    ),
    path("components/<int:pk>/limits/<slug:quantity>/", limits.limits_of_many, name="limits-of-many"),
]
