"""The API resources of components, credentials, suspend periods and drivers."""

from django.urls import URLPattern, path

from apps.components.api.components import ComponentViewSet
from apps.components.api.credentials import CredentialViewSet
from apps.components.api.drivers import DriverViewSet
from apps.components.api.suspend_periods import SuspendPeriodViewSet
from apps.core.api import resource

routes: list[URLPattern] = [
    *resource("components", ComponentViewSet),
    *resource("credentials", CredentialViewSet),
    *resource("suspend-periods", SuspendPeriodViewSet),
    path("drivers/", DriverViewSet.as_view({"get": "list"}), name="driver-list"),
    path("drivers/<str:name>/", DriverViewSet.as_view({"get": "retrieve"}), name="driver-detail"),
]
