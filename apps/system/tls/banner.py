"""The line above every page of an administrator while the certificate is about to end, and one below the sign-in."""

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from apps.core import scoping
from apps.core.banners import Banner
from apps.system.tls import state, watching


def banner(request: HttpRequest) -> Banner | None:
    """Give it to those who can do something about it. What is served is known without the database."""
    certificate = state.now().certificate
    if certificate is None:
        return None
    now = timezone.now()
    step = watching.step_at(certificate.not_before, certificate.not_after, certificate.renews, now)
    if step is None or not _may(request):
        return None
    days = (certificate.not_after - now).days
    return Banner("tls/_banner.html", {"ended": step == 0, "days": days, "not_after": certificate.not_after})


def help_below_sign_in(request: HttpRequest) -> Banner | None:
    """Lead from the sign-in page to how a browser is told to trust our own authority, where it is to."""
    certificate = state.now().certificate
    return Banner(below_sign_in="tls/_below_sign_in.html") if certificate is not None and certificate.own else None


def _may(request: HttpRequest) -> bool:
    try:
        return scoping.may(getattr(request, "user", None), "settings")
    except DatabaseError:  # the page says so
        return False
