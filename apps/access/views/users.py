"""The pages of users and what is granted to them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.access.forms import GrantForm, NewUserForm, SetPasswordForm, UserForm, WhereaboutsForm
from apps.access.models import HOLDERS, Grant
from apps.access.services import roles, whereabouts
from apps.access.views import manages_access
from apps.accounts.models import User
from apps.accounts.services import lockouts, passwords, second_factor, users
from apps.core.actors import Actor
from apps.core.forms import attempt
from apps.core.writes import turn
from apps.groups.models import Group

PER_PAGE = 50


@manages_access
@require_safe
def user_list(request: HttpRequest) -> HttpResponse:
    """Show the users and what each of them may do where."""
    ways = [f"{holder.grants}__{part}" for holder in HOLDERS for part in ("role", "group")]
    found = User.objects.order_by("username").prefetch_related(*ways)
    words = request.GET.get("q", "").replace("\x00", "")
    for word in words.split()[:8]:
        named = Q(username__icontains=word) | Q(email__icontains=word) | Q(teams__name__icontains=word)
        for way in ways:
            named |= Q(**{f"{way}__name__icontains": word})
        found = found.filter(pk__in=User.objects.filter(named).order_by().values("pk"))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "access/user_list.html", {"tab": "users", "page": page, "q": words})


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def user_new(request: HttpRequest) -> HttpResponse:
    """Make a user with a first role."""
    form = NewUserForm(request.user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and attempt(form, lambda: _make(form.cleaned_data, request)):
        messages.success(request, _("The user was added."))
        return redirect("access:users")
    context = {"tab": "users", "form": form}
    return render(request, "access/user_new.html", context, status=400 if form.errors else 200)


def _make(sent: dict[str, Any], request: HttpRequest) -> None:
    actor = Actor.of(request)
    with turn():
        made = users.create(
            sent["username"],
            sent["password"],
            actor,
            must_change=sent["must_change_password"],
            fields={"email": sent["email"]},
        )
        roles.grant(made, sent["role"], Group.objects.get(pk=sent["group"]), actor)


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one user: what he is called, what he may do, and his password."""
    found = get_object_or_404(User, pk=pk)
    sent = request.POST if request.method == "POST" else None
    asked = request.POST.get("what", "")
    initial = {name: getattr(found, name) for name in UserForm.base_fields}
    form = UserForm(sent if asked == "user" else None, initial=initial)
    granting = GrantForm(request.user, sent if asked == "grant" else None, prefix="grant")
    where = WhereaboutsForm(found, sent if asked == "where" else None)
    password = SetPasswordForm(sent if asked == "password" else None, prefix="password")
    actor = Actor.of(request)
    done = ""
    if asked == "user" and form.is_valid() and attempt(form, lambda: users.change(found, form.changes, actor)):
        done = _("The user was changed.")
    if asked == "grant" and granting.is_valid():
        role, group = granting.cleaned_data["role"], Group.objects.get(pk=granting.cleaned_data["group"])
        if attempt(granting, lambda: roles.grant(found, role, group, actor)):
            done = _("The role was granted.")
    if where.is_valid():
        networks = where.cleaned_data["networks"]
        if attempt(where, lambda: whereabouts.restrict(found, networks, actor)):
            done = _("It is set from where the user may sign in.")
    if asked == "password" and password.is_valid():
        new, must_change = password.cleaned_data["password"], password.cleaned_data["must_change_password"]
        if attempt(password, lambda: passwords.set_password(found, new, actor, must_change=must_change)):
            done = _("The password was set.")
    if done:
        messages.success(request, done)
        return redirect("access:user", pk)
    found.refresh_from_db()
    context = {
        "tab": "users",
        "person": found,
        "form": form,
        "granting": granting,
        "password": password,
        "where": where,
        "grants": found.grants.select_related("role", "group"),
        "teams": found.teams.prefetch_related("grants__role", "grants__group"),
        "is_self": found.pk == request.user.pk,
        "sessions": found.sessions.alive(),
        "factor": second_factor.device_of(found),
        "locks": lockouts.locks_of(found),
    }
    return render(request, "access/user.html", context, status=200 if sent is None else 400)


@manages_access
@require_POST
def user_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a user."""
    found = get_object_or_404(User, pk=pk)
    try:
        users.remove(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("access:user", pk)
    messages.success(request, _("%(name)s was removed.") % {"name": found.username})
    return redirect("access:users")


@manages_access
@require_POST
def grant_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a role back."""
    found = get_object_or_404(Grant.objects.complete(), pk=pk)
    try:
        roles.withdraw(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The role was taken back."))
    if found.directory_group is not None:
        return redirect("access:directory", found.directory_group.directory_id)
    return redirect(f"access:{found.holder_field}", found.holder.pk)
