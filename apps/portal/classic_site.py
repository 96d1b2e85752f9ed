"""The site of classic mode: Django's admin with the portal's name and the portal's sign-in page."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from apps.portal.context_processors import PRODUCT_NAME

SECTIONS = (
    (
        _("Users and access"),
        (
            *("accounts.User", "accounts.Team", "access.Role", "access.Grant", "access.SignInRule"),
            *("access.AllowedAddress", "access.ApiToken", "accounts.Directory", "accounts.DirectoryGroup"),
            *("accounts.Session", "accounts.LockOut", "accounts.TotpDevice"),
        ),
    ),
    (
        _("Devices"),
        ("components.Component", "components.ManagementInterface", "components.Credential", "groups.Group"),
    ),
    (
        _("Monitoring"),
        (
            *("monitoring.Sensor", "monitoring.Limit", "monitoring.ExcludedPort", "monitoring.Liveness"),
            *("components.SuspendPeriod", "control.RemoteBatch"),
        ),
    ),
    (_("Alerts"), ("alerts.AlertDefinition", "alerts.Incident", "alerts.Alert", "alerts.Counter")),
    (
        _("The portal itself"),
        ("core.OptionValue", "system.Certificate", "system.CertificateRequest", "core.Job", "core.AuditEntry"),
    ),
)


class ClassicSite(AdminSite):
    """The admin site; who may enter is decided by the permissions of the portal, not by a sign-in of its own."""

    site_header = PRODUCT_NAME
    site_title = PRODUCT_NAME
    index_title = _("Classic mode")
    index_template = "admin/classic_index.html"

    def get_urls(self) -> Any:
        """Leave out Django's way from any row to its page: it would tell of rows that the user may not see."""
        return [one for one in super().get_urls() if getattr(one, "name", None) != "view_on_site"]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Give what the user may open in sections by subject; which app a page belongs to says little to anybody."""
        found = super().get_app_list(request, app_label)
        if app_label is not None:
            return found
        pages = {f"{app['app_label']}.{page['object_name']}": page for app in found for page in app["models"]}
        return [section for section in self._sections(pages) if section["models"]]

    def _sections(self, pages: dict[str, Any]) -> Iterator[dict[str, Any]]:
        here = reverse("admin:index", current_app=self.name)
        for number, (title, labels) in enumerate(SECTIONS, start=1):
            models = [pages.pop(label) for label in labels if label in pages]
            if number == len(SECTIONS):
                models += pages.values()  # what has no place of its own
            label = f"section-{number}"
            url = f"{here}#{label}"
            yield {"name": title, "app_label": label, "app_url": url, "has_module_perms": True, "models": models}

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Send to the portal's sign-in page; somebody who is signed in but may not enter is refused."""
        if request.user.is_authenticated:
            raise PermissionDenied
        target = request.GET.get("next", "/")
        if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
            target = "/"
        return redirect_to_login(target, settings.LOGIN_URL)

    def password_change(  # type: ignore[override]  # the stubs know only Django's own page
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send to the portal's own page, which checks and audits as everywhere."""
        return HttpResponseRedirect(reverse("accounts:password"))
