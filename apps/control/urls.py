"""The pages of operations."""

from django.urls import path

from apps.control.pages.order import order
from apps.control.settings import pages as settings

app_name = "control"
urlpatterns = [
    path("operations/", order, name="order"),
    path("components/<int:pk>/settings/", settings.settings, name="settings"),
    path("components/<int:pk>/settings/reset/", settings.reset, name="settings-reset"),
    path("device-settings/", settings.settings_of_many, name="settings-of-many"),
    path("device-settings/read/", settings.read, name="settings-read"),
    path("device-settings/apply/", settings.apply, name="settings-apply"),
]
