"""The pages of monitoring."""

from django.urls import URLPattern, path

from apps.monitoring import port_views, views

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("components/<int:pk>/sensors/<int:sensor_pk>/chart.json", views.chart, name="chart"),
    path(
        "components/<int:pk>/ports/<int:interface>/<int:index>/excluded/", port_views.set_excluded, name="set-excluded"
    ),
    path("components/excluded-ports/", port_views.excluded_ports, name="excluded-ports"),
    path("components/excluded-ports/<int:pk>/remove/", port_views.include_again, name="include-again"),
    path("components/<int:pk>/sensors/<int:sensor_pk>/limits/", views.sensor_limits, name="limits"),
]
