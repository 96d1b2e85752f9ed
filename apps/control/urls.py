"""The pages of operations."""

from django.urls import path

from apps.control.pages import console
from apps.control.pages.order import order
from apps.control.settings import pages as settings

app_name = "control"
urlpatterns = [
    path("operations/", order, name="order"),
    path("components/<int:pk>/console/", console.console, name="console"),
    path("components/<int:pk>/console/attach/", console.attach, name="console-attach"),
    path("components/<int:pk>/own-page/", console.own_page, name="own-page"),
    path("consoles/<int:console>/transcript/", console.transcript, name="console-transcript"),
    path("components/<int:pk>/settings/", settings.settings, name="settings"),
    path("components/<int:pk>/settings/reset/", settings.reset, name="settings-reset"),
    path("components/<int:pk>/settings/restart/", settings.restart, name="settings-restart"),
    path("components/<int:pk>/settings/defaults/", settings.defaults, name="settings-defaults"),
    path("device-settings/", settings.settings_of_many, name="settings-of-many"),
    path("device-settings/read/", settings.read, name="settings-read"),
    path("device-settings/apply/", settings.apply, name="settings-apply"),
]
