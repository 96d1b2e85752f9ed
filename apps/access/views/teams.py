"""The pages of teams: their members, and what is granted to them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.access.forms import GrantForm, MembersForm, NewTeamForm, TeamForm
from apps.access.services import roles
from apps.access.views import manages_access
from apps.accounts.models import Team, User
from apps.accounts.services import teams
from apps.core.actors import Actor
from apps.core.forms import attempt
from apps.groups.models import Group

PER_PAGE = 50
OFFERED = 1000  # names that the browser completes


@manages_access
@require_safe
def team_list(request: HttpRequest) -> HttpResponse:
    """Show the teams, how many are in each, and what is granted to it."""
    granted = ("grants__role", "grants__group")
    found = Team.objects.annotate(size=Count("members")).order_by("name").prefetch_related(*granted)
    words = request.GET.get("q", "").replace("\x00", "")
    for word in words.split()[:8]:
        named = Q(name__icontains=word) | Q(note__icontains=word) | Q(members__username__icontains=word)
        found = found.filter(pk__in=Team.objects.filter(named).order_by().values("pk"))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "access/team_list.html", {"tab": "teams", "page": page, "q": words})


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def team_new(request: HttpRequest) -> HttpResponse:
    """Make a team."""
    form = NewTeamForm(request.POST if request.method == "POST" else None)
    actor, made = Actor.of(request), []
    if form.is_valid() and attempt(form, lambda: made.append(teams.create(**form.cleaned_data, actor=actor))):
        messages.success(request, _("The team was made. Grant it a role now."))
        return redirect("access:team", made[0].pk)
    context = {"tab": "teams", "form": form, "names": _names()}
    return render(request, "access/team_new.html", context, status=400 if form.errors else 200)


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one team: what it is called, who is in it, and what is granted to it."""
    found = get_object_or_404(Team, pk=pk)
    sent = request.POST if request.method == "POST" else None
    asked = request.POST.get("what", "")
    form = TeamForm(sent if asked == "team" else None, initial={"name": found.name, "note": found.note})
    joining = MembersForm(sent if asked == "members" else None)
    granting = GrantForm(request.user, sent if asked == "grant" else None, prefix="grant")
    actor, done = Actor.of(request), ""
    if form.is_valid() and attempt(form, lambda: teams.change(found, actor, **form.cleaned_data)):
        done = _("The team was changed.")
    if joining.is_valid():
        coming = joining.cleaned_data["members"]
        if attempt(joining, lambda: teams.add_members(found, coming, actor)):
            done = _("The members were added.")
    if granting.is_valid():
        role, group = granting.cleaned_data["role"], Group.objects.get(pk=granting.cleaned_data["group"])
        if attempt(granting, lambda: roles.grant(found, role, group, actor)):
            done = _("The role was granted.")
    if done:
        messages.success(request, done)
        return redirect("access:team", pk)
    found.refresh_from_db()
    context = {
        "tab": "teams",
        "team": found,
        "form": form,
        "joining": joining,
        "granting": granting,
        "grants": found.grants.select_related("role", "group"),
        "members": found.members.order_by("username"),
        "names": _names(),
    }
    return render(request, "access/team.html", context, status=200 if sent is None else 400)


@manages_access
@require_POST
def member_remove(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    """Take a user out of a team."""
    found = get_object_or_404(Team, pk=pk)
    member = get_object_or_404(found.members, pk=user_pk)
    try:
        teams.remove_members(found, [member], Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s is not in the team any more.") % {"name": member})
    return redirect("access:team", pk)


@manages_access
@require_POST
def team_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a team."""
    found = get_object_or_404(Team, pk=pk)
    try:
        teams.remove(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("access:team", pk)
    messages.success(request, _("%(name)s was removed.") % {"name": found.name})
    return redirect("access:teams")


def _names() -> list[str]:
    return list(User.objects.order_by("username").values_list("username", flat=True)[:OFFERED])
