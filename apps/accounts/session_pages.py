"""How long a session goes on, for the script of each page, and ending sessions by hand."""

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import Session, User
from apps.accounts.services import sessions
from apps.accounts.views import next_of
from apps.core import scoping
from apps.core.actors import Actor


@login_not_required
@never_cache
@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Say who is signed in and for how long; asking without ``X-Automatic`` counts as something that he did."""
    if not request.user.is_authenticated:
        return JsonResponse({"ended": getattr(request, "ended", "")}, status=401)
    return JsonResponse({"user": request.user.pk, **asdict(sessions.remaining(request))})


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one browser out: of one's own, or of anybody for those who manage access."""
    found = get_object_or_404(Session.objects.visible_to(request.user).select_related("user"), pk=pk)
    sessions.end(found, Actor.of(request))
    messages.success(request, _("The session was ended."))
    return HttpResponseRedirect(next_of(request))


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign oneself out everywhere but here."""
    _tell(request, sessions.end_others(request, Actor.of(request)))
    return HttpResponseRedirect(next_of(request))


@require_POST
def end_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign a user out everywhere, for those who manage access."""
    if not scoping.may(request.user, "access"):
        raise PermissionDenied
    found = get_object_or_404(User, pk=pk)
    _tell(request, sessions.end_all(found, Actor.of(request)))
    return HttpResponseRedirect(next_of(request))


def _tell(request: HttpRequest, number: int) -> None:
    text = ngettext("%(number)s session was ended.", "%(number)s sessions were ended.", number)
    messages.success(request, text % {"number": number})
