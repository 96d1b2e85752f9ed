"""The pages of monitoring."""

from django.urls import URLPattern, path

from apps.monitoring import views

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("components/<int:pk>/sensors/<int:sensor_pk>/chart.json", views.chart, name="chart"),
    path("components/<int:pk>/sensors/<int:sensor_pk>/limits/", views.sensor_limits, name="limits"),
]
