"""The REST API: every app's routes under one version, its schema and its documentation."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.access.api import routes as access_routes
from apps.accounts.api import routes as accounts_routes
from apps.accounts.directory_api import routes as directory_routes
from apps.alerts.api import routes as alerts_routes
from apps.alerts.api_reception import routes as reception_routes
from apps.alerts.api_subscriptions import routes as subscription_routes
from apps.alerts.definitions.api import routes as definitions_routes
from apps.components.api import routes as components_routes
from apps.control.api import routes as control_routes
from apps.control.api_consoles import routes as console_routes
from apps.core.api_audit import routes as audit_routes
from apps.core.api_routes import routes as core_routes
from apps.groups.api import routes as groups_routes
from apps.monitoring.api import routes as monitoring_routes
from apps.monitoring.api_event_log import routes as event_log_routes
from apps.monitoring.api_inventory_changes import routes as inventory_change_routes
from apps.monitoring.api_parts import routes as parts_routes
from apps.monitoring.api_power import routes as power_routes
from apps.system.api import routes as system_routes
from apps.system.api_processes import routes as processes_routes
from apps.system.tls.api import routes as tls_routes

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "v1/",
        include(
            [
                *core_routes,
                *audit_routes,
                *accounts_routes,
                *directory_routes,
                *access_routes,
                *groups_routes,
                *components_routes,
                *monitoring_routes,
                *parts_routes,
                *event_log_routes,
                *inventory_change_routes,
                *power_routes,
                *control_routes,
                *console_routes,
                *alerts_routes,
                *definitions_routes,
                *reception_routes,
                *subscription_routes,
                *system_routes,
                *processes_routes,
                *tls_routes,
            ]
        ),
    ),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html"), name="docs"),
]
