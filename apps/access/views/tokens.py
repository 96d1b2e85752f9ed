"""The pages of API tokens: one's own, open to everybody, and all of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.access.forms import TokenForm
from apps.access.models import ApiToken, Role
from apps.access.services import tokens
from apps.access.views import manages_access
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.forms import attempt
from apps.groups.models import Group

PER_PAGE = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """Show one's own tokens, and make one; its secret is on the answer to that, and nowhere else."""
    user: Any = request.user
    form = TokenForm(user, request.POST if request.method == "POST" else None)
    made: list[tokens.NewToken] = []
    if request.method == "POST" and form.is_valid():
        sent, actor = form.cleaned_data, Actor.of(request)
        until = timezone.now() + timedelta(days=sent["days"])
        about: dict[str, Any] = {"expires_at": until, "limits": form.limits()}
        if attempt(form, lambda: made.append(tokens.create(user, sent["name"], actor, **about))):
            form = TokenForm(user)
    context = {
        "tab": "tokens",
        "form": form,
        "made": made[0] if made else None,
        "tokens": _with_names(user.api_tokens.all(), user),
        "manages": scoping.may(user, "access"),
    }
    return render(request, "access/token_list.html", context, status=400 if form.errors else 200)


@manages_access
@require_safe
def all_tokens(request: HttpRequest) -> HttpResponse:
    """Show the tokens of all users to those who manage access."""
    found = ApiToken.objects.select_related("user").order_by("user__username", "name", "pk")
    words = request.GET.get("q", "").replace("\x00", "")
    for word in words.split()[:8]:
        found = found.filter(Q(user__username__icontains=word) | Q(name__icontains=word) | Q(prefix__startswith=word))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = _with_names(page.object_list, request.user)
    context = {"tab": "all-tokens", "page": page, "q": words}
    return render(request, "access/all_tokens.html", context)


@require_POST
def token_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a token back: one of one's own, or another's where one manages access."""
    found = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    tokens.remove(found, Actor.of(request))
    messages.success(request, _("The token was removed."))
    return redirect("access:tokens" if found.user_id == request.user.pk else "access:all-tokens")


def _with_names(found: Iterable[ApiToken], user: Any) -> list[ApiToken]:
    """Have tokens name the roles and groups that they are limited to, these as far as the reader sees them."""
    tree, rows = Group.objects.visible_to(user).tree(), list(found)
    roles = {role.pk: role.label for role in Role.objects.filter(pk__in={pk for one in rows for pk in one.roles or ()})}
    for token in rows:
        token.role_labels = [roles.get(pk, _("a role that is gone")) for pk in token.roles or ()]  # type: ignore[attr-defined]
        groups = token.groups or ()
        labels = [tree.path_name(pk) if pk in tree.names else _("a group that is not seen any more") for pk in groups]
        token.group_labels = labels  # type: ignore[attr-defined]  # for the page
    return rows
