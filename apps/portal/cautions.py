"""Tells an administrator on the first page that something should be mended."""

from django.db import DatabaseError
from django.http import HttpRequest

from apps.core import cautions, scoping
from apps.core.banners import Banner

FIRST_PAGE = "/"


def banner(request: HttpRequest) -> Banner | None:
    """Give the line with the number of things to mend, to those who may set the portal, and on the first page alone."""
    user = getattr(request, "user", None)
    if request.path != FIRST_PAGE or user is None:
        return None
    try:
        number = cautions.number() if scoping.may(user, "settings") else 0
    except DatabaseError:  # this is a page that says so
        return None
    return Banner("portal/_cautions_banner.html", {"number": number}) if number else None
