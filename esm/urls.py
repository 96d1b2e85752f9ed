"""The portal's addresses on the main port."""

from django.urls import include, path

from esm.api import urlpatterns as api_urls

urlpatterns = [
    path("", include("apps.portal.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.access.urls")),
    path("", include("apps.core.urls")),
    path("audit/", include("apps.core.audit_urls")),
    path("settings/", include("apps.core.setting_urls")),
    path("jobs/", include("apps.core.job_urls")),
    path("schedules/", include("apps.core.schedule_urls")),
    path("schedules/suspend-periods/", include("apps.components.suspend_urls")),
    path("schedules/remote-batches/", include("apps.control.batch_urls")),
    path("", include("apps.groups.urls")),
    path("", include("apps.components.urls")),
    path("", include("apps.monitoring.urls")),
    path("", include("apps.control.urls")),
    path("", include("apps.alerts.urls")),
    path("", include("apps.alerts.definitions.urls")),
    path("", include("apps.system.urls")),
    path("", include("apps.system.tls.urls")),
    path("api/", include(api_urls)),
]

handler400 = "apps.portal.errors.bad_request"
handler403 = "apps.portal.errors.permission_denied"
handler404 = "apps.portal.errors.page_not_found"
handler500 = "apps.portal.errors.server_error"
