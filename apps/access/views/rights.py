"""The pages that say who may do what where, and why: of a user, of a token, of oneself, and on a group."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.access import rights
from apps.access.models import ApiToken, Grant
from apps.access.rights import Rights, Row
from apps.access.views import manages_access
from apps.accounts.models import User
from apps.core import scoping
from apps.core.forms import row_id
from apps.groups.models import Group, Tree

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One permission in one row, with the sentences that say why."""

    label: Promise | str
    because: list[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    pk: int
    name: str
    depth: int
    cells: list[Cell]
    user: User | None = None


@manages_access
@require_safe
def of_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a user may do in every group, and why."""
    found = get_object_or_404(User, pk=pk)
    title = _("What %(name)s may do, and why") % {"name": found.username}
    return _page(request, Rights(found), title, {"person": found})


@require_safe
def of_oneself(request: HttpRequest) -> HttpResponse:
    """Show everybody what he may do himself."""
    user: Any = request.user
    return _page(request, Rights(user), _("What I may do, and why"), {"person": user, "is_self": True})


@require_safe
def of_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a token may do: one's own, or any where one manages access."""
    found = get_object_or_404(ApiToken.objects.visible_to(request.user).select_related("user"), pk=pk)
    title = _("What the token “%(name)s” may do, and why") % {"name": found.name}
    about = {"person": found.user, "token": found, "is_self": found.user_id == request.user.pk}
    return _page(request, Rights(found.user, found), title, about)


def _page(request: HttpRequest, held: Rights, title: str, about: dict[str, Any]) -> HttpResponse:
    rows = list(held.rows())
    words = rights.words_of(rows)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    chosen = row_id(request.GET.get("group", ""))
    if chosen not in {row.subject for row in rows}:
        chosen = rows[0].subject if rows else None
    context = {
        "tab": "users",
        "title": title,
        "page": page,
        "columns": [scoping.PERMISSIONS[word] for word in words],
        "lines": [_of_group(row, words, held.tree) for row in page.object_list],
        "nowhere": [label for word, label in scoping.PERMISSIONS.items() if word not in words],
        "chosen": _all_of(held, chosen) if chosen is not None else None,
        **about,
    }
    return render(request, "access/rights.html", context)


@manages_access
@require_safe
def on_group(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who may do what on a group, and why."""
    found = get_object_or_404(Group.objects.visible_to(request.user), pk=pk)
    word = request.GET.get("permission", "")
    rows = [row for row in rights.holders_in(found.pk) if not word or word in row.reasons]
    words = [word] if word in scoping.PERMISSIONS else rights.words_of(rows)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tab": "users",
        "group": found,
        "tree_name": Group.objects.all().tree().path_name(found.pk),
        "page": page,
        "columns": [scoping.PERMISSIONS[one] for one in words],
        "lines": [_of_holder(row, words) for row in page.object_list],
        "sections": scoping.SECTIONS,
        "permission": word,
    }
    return render(request, "access/group_rights.html", context)


def _of_group(row: Row, words: list[str], tree: Tree) -> Line:
    cells = [_cell(row, word) for word in words]
    return Line(row.subject, tree.names[row.subject], len(tree.path(row.subject)) - 1, cells)


def _of_holder(row: Row, words: list[str]) -> Line:
    return Line(row.subject.pk, row.subject.username, 0, [_cell(row, word) for word in words], row.subject)


def _cell(row: Row, word: str) -> Cell:
    return Cell(scoping.PERMISSIONS[word], [because(grant) for grant in row.reasons.get(word, ())])


def _all_of(held: Rights, group: int) -> dict[str, Any]:
    reasons = held.reasons(group)
    return {
        "pk": group,
        "name": held.tree.path_name(group),
        "sections": [
            (section.label, [(label, reasons.get(word, ())) for word, label in section.permissions.items()])
            for section in scoping.SECTIONS
        ],
    }


def because(grant: Grant) -> str:
    """Say in one line why: role, holder, group."""
    about = {"role": grant.role.label, "holder": grant.holder, "group": grant.group}
    if grant.holder_field == "user":
        return _("%(role)s ← direct ← %(group)s") % about
    return _("%(role)s ← %(holder)s ← %(group)s") % about
