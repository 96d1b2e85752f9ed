"""Where health and metrics are asked for."""

from django.urls import path

from apps.system import views

app_name = "system"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
