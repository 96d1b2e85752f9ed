"""The pages of the group tree."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core import scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import attempt
from apps.core.htmx import wants_part
from apps.groups import services
from apps.groups.forms import GroupForm
from apps.groups.models import Group, GroupQuerySet

WORST_FIRST = ("critical", "warning", "unknown", "normal")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in one group itself."""

    total: int
    states: frozenset[str]  # of what is watched


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree: a group with what stands in it and below it."""

    group: Group
    depth: int
    total: int
    worst: str  # a status word; "" when nothing stands there
    may_change: bool


@require_safe
def group_list(request: HttpRequest) -> HttpResponse:
    """Show the tree with how many components stand in each group and how the worst of them is."""
    visible = Group.objects.visible_to(request.user)
    groups, tree, standing = visible.in_bulk(), visible.tree(), _standing(visible)
    scope = scoping.scope_of(request.user, "groups")
    lines = [
        _branch(groups[pk], len(tree.path(pk)) - 1, [standing[below] for below in tree.subtree(pk)], pk in scope)
        for pk in tree.ordered()
    ]
    context = {"lines": lines, "may_add": bool(scope), "manages_access": scoping.may(request.user, "access")}
    return render(request, "groups/_tree.html" if wants_part(request) else "groups/list.html", context)


def _standing(groups: GroupQuerySet) -> dict[int, Standing]:
    live = Q(components__suspended=False, components__unmanaged=False)
    counts = {word: Count("components", filter=live & Q(components__status=word)) for word in WORST_FIRST}
    rows = groups.annotate(total=Count("components"), **counts).values("pk", "total", *counts)
    return {row["pk"]: Standing(row["total"], frozenset(word for word in counts if row[word])) for row in rows}


def _branch(group: Group, depth: int, below: list[Standing], may_change: bool) -> Branch:
    worst = next((word for word in WORST_FIRST if any(word in each.states for each in below)), "")
    return Branch(group, depth, sum(each.total for each in below), worst, may_change)


def add(request: HttpRequest) -> HttpResponse:
    """Make a group."""
    if not scoping.may_somewhere(request.user, "groups"):
        raise PermissionDenied
    wanted = request.GET.get("parent", "")
    form = GroupForm(request.POST or None, user=request.user, initial={"parent": wanted})

    def save() -> None:
        given = form.cleaned_data
        services.create(given["name"], given["parent"], Actor.of(request), given["description"])

    return _answer(request, form, save, _("Add a group"))


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, describe or move a group."""
    group = get_object_or_404(Group.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "groups", pk):
        raise PermissionDenied
    initial = {"name": group.name, "parent": group.parent_id, "description": group.description}
    form = GroupForm(request.POST or None, user=request.user, group=group, initial=initial)

    def save() -> None:
        services.change(group, Actor.of(request), **form.cleaned_data)

    return _answer(request, form, save, _("Change the group %(group)s") % {"group": group}, group)


def _answer(
    request: HttpRequest, form: GroupForm, save: Callable[[], None], title: str, group: Group | None = None
) -> HttpResponse:
    """Save a valid form and go back to the tree; what the service refuses stands at its field."""
    if request.method == "POST" and form.is_valid() and attempt(form, save):
        messages.success(request, _("The group was saved."))
        return redirect("groups:list")
    context = {"form": form, "title": title, "group": group}
    return render(request, "groups/form.html", context, status=400 if form.errors else 200)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove an empty group."""
    group = get_object_or_404(Group.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "groups", pk):
        raise PermissionDenied
    try:
        services.remove(group, Actor.of(request))
    except Conflict as conflict:
        messages.error(request, str(conflict))
        return redirect(reverse("groups:group", args=[pk]))
    messages.success(request, _("The group %(group)s was removed.") % {"group": group.name})
    return redirect("groups:list")
