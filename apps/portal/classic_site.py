"""The site of classic mode: Django's admin with the portal's name and the portal's sign-in page."""

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from apps.portal.context_processors import PRODUCT_NAME


class ClassicSite(AdminSite):
    """The admin site; who may enter is decided by the permissions of the portal, not by a sign-in of its own."""

    site_header = PRODUCT_NAME
    site_title = PRODUCT_NAME
    index_title = _("Classic mode")

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
