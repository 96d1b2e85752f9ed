"""The portal's addresses on the main port."""

from django.urls import include, path

from esm.api import urlpatterns as api_urls

urlpatterns = [
    path("", include("apps.portal.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.access.urls")),
    path("", include("apps.core.urls")),
    path("jobs/", include("apps.core.job_urls")),
    path("", include("apps.groups.urls")),
    path("", include("apps.components.urls")),
    path("", include("apps.monitoring.urls")),
    path("", include("apps.alerts.urls")),
    path("", include("apps.system.urls")),
    path("api/", include(api_urls)),
]
