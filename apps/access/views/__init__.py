"""The pages of users and access."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.core import scoping

View = Callable[..., HttpResponse]


def manages_access(view: View) -> View:
    """Open a page only to those who may manage access over the whole portal."""

    @wraps(view)
    def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not scoping.may(request.user, "access"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked
