"""The page of one's own API tokens; open to everybody."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.forms import TokenForm
from apps.access.models import ApiToken
from apps.access.services import tokens
from apps.core import scoping
from apps.core.actors import Actor


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """Show one's own tokens, and make one; its secret is on the answer to that, and nowhere else."""
    user: Any = request.user
    form = TokenForm(request.POST if request.method == "POST" else None)
    made = None
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        until = timezone.now() + timedelta(days=sent["days"])
        made = tokens.create(user, sent["name"], Actor.of(request), expires_at=until, read_only=sent["read_only"])
        form = TokenForm()
    context = {
        "tab": "tokens",
        "form": form,
        "made": made,
        "tokens": ApiToken.objects.visible_to(user),
        "now": timezone.now(),
        "manages": scoping.may(user, "access"),
    }
    return render(request, "access/token_list.html", context, status=400 if form.errors else 200)


@require_POST
def token_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one of one's own tokens back."""
    found = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    tokens.remove(found, Actor.of(request))
    messages.success(request, _("The token was removed."))
    return redirect("access:tokens")
