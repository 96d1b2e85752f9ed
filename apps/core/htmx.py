"""Whether a request asks for a page or only for its part."""

from typing import Any

from django.http import HttpRequest


def wants_part(request: HttpRequest) -> bool:
    """Say whether htmx asks for the part of a page that it will put in place itself."""
    htmx: Any = getattr(request, "htmx", None)  # set by the middleware of django_htmx
    return bool(htmx) and not htmx.boosted
