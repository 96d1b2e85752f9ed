"""The first page: how many are bad, where, what needs attention, and what runs.

The heat map draws one cell per component as long as a page can carry them; a larger fleet shows its exceptions only,
because the normal ones say nothing.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.alerts.services.incidents import attention
from apps.components.models import Component, Status, StatusChange
from apps.core import scoping
from apps.core.htmx import wants_part
from apps.core.models import Job
from apps.groups.models import Group, Tree
from apps.portal.phrasing import STATES, word_of

CELLS = 1500  # a page with more cells is slow to draw and says no more
EXCEPTIONS = 60  # cells of one group once only exceptions are drawn
FULLEST = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the status strip, which is a link to the list that explains it."""

    state: str
    number: int
    url: str


@dataclass(slots=True)
class Cluster:
    """One group of the heat map."""

    pk: int
    name: str
    counts: dict[str, int] = field(default_factory=dict)
    cells: list[tuple[int, str, str]] = field(default_factory=list)  # id, name, state word

    @property
    def total(self) -> int:
        """Give how many components stand in it."""
        return sum(self.counts.values())

    @property
    def drawn(self) -> SafeString:
        """Draw its cells; built by hand, because a template needs ten times as long for a thousand of them."""
        base = reverse("components:component", args=[0])[:-2]
        parts = []
        words = {state: word_of(state) for state in {state for _pk, _name, state in self.cells}}
        for index, (pk, name, state) in enumerate(self.cells):
            label = f"{escape(name)} — {escape(words[state])}"
            parts.append(
                f'<a class="st-{STATES[state].code}" href="{base}{pk}/" tabindex="{-1 if index else 0}" '
                f'aria-label="{label}" title="{label}"></a>'
            )
        return mark_safe("".join(parts))  # noqa: S308 - every text in it is escaped above

    @property
    def hidden(self) -> int:
        """Give how many of its components have no cell."""
        return self.total - len(self.cells)


@require_safe
@vary_on_headers("HX-Request")
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the whole fleet, or a group of it; an empty portal says what to do first."""
    tree = Group.objects.visible_to(request.user).tree()
    components = Component.objects.visible_to(request.user)
    chosen = _chosen(request, tree)
    if chosen is not None:
        components = components.filter(group__in=tree.subtree(chosen))
    counts = _counts(components)
    context: dict[str, Any] = {
        "total": sum(counts.values()),
        "may_register": scoping.may_somewhere(request.user, "components"),
    }
    if not context["total"] and chosen is None:
        return render(request, "portal/welcome.html", context)
    context |= {
        "figures": _figures(counts, chosen),
        "bar": [(state, number) for state, number in counts.items() if number],
        "clusters": heat_map(components, tree, context["total"]),
        "only_exceptions": context["total"] > CELLS,
        "attention": attention(request.user, 9, groups=tree.subtree(chosen) if chosen is not None else None),
        "jobs": Job.objects.visible_to(request.user).open()[:4],
        "changes": _changes(components),
        "disks": components.filter(disk__isnull=False).order_by("-disk").only("pk", "name", "alias", "disk")[:FULLEST],
        "busiest": components.filter(cpu__isnull=False).order_by("-cpu").only("pk", "name", "alias", "cpu")[:FULLEST],
        "groups": _choices(tree, chosen),
        "chosen": chosen,
        "legend": [*Status.values, "suspended"],
    }
    return render(request, "portal/_dashboard.html" if wants_part(request) else "portal/dashboard.html", context)


def _chosen(request: HttpRequest, tree: Tree) -> int | None:
    """Give the group that the address names; one that is not visible is as good as none."""
    raw = request.GET.get("group", "")
    chosen = int(raw) if raw.isascii() and raw.isdigit() else None
    return chosen if chosen in tree.parents else None


def _counts(components: "QuerySet[Component]") -> dict[str, int]:
    """Count by state, worst first; suspended ones are a state of their own."""
    live = Q(suspended=False, unmanaged=False)
    return components.order_by().aggregate(
        **{status: Count("pk", filter=live & Q(status=status)) for status in Status.values},
        suspended=Count("pk", filter=~live),
    )


def _figures(counts: dict[str, int], chosen: int | None) -> list[Figure]:
    base = reverse("components:list")
    scope = f"&group={chosen}" if chosen else ""
    order = [Status.CRITICAL, Status.WARNING, Status.UNKNOWN, "suspended", Status.NORMAL]
    return [Figure(str(state), counts[state], f"{base}?status={state}{scope}") for state in order]


def heat_map(components: "QuerySet[Component]", tree: Tree, total: int) -> list[Cluster]:
    """Cut the fleet into groups, in the order of the tree, with a cell for every component that is drawn."""
    clusters = {pk: Cluster(pk, tree.path_name(pk)) for pk in tree.parents}
    rows = components.order_by()
    if total > CELLS:
        numbers = rows.values_list("group", "status", "suspended", "unmanaged").annotate(number=Count("pk"))
        for group, status, suspended, unmanaged, number in numbers:
            state = _state(status, suspended, unmanaged)
            clusters[group].counts[state] = clusters[group].counts.get(state, 0) + number
        rows = rows.filter(suspended=False, unmanaged=False).exclude(status=Status.NORMAL)
        for group, pk, name, status in rows.values_list("group", "pk", "name", "status")[: CELLS * 2]:
            if len(clusters[group].cells) < EXCEPTIONS:
                clusters[group].cells.append((pk, name, status))
    else:
        values = rows.order_by("name").values_list("group", "pk", "name", "status", "suspended", "unmanaged")
        for group, pk, name, status, suspended, unmanaged in values:
            state = _state(status, suspended, unmanaged)
            clusters[group].counts[state] = clusters[group].counts.get(state, 0) + 1
            clusters[group].cells.append((pk, name, state))
    return [clusters[pk] for pk in tree.ordered() if clusters[pk].total]


def _state(status: str, suspended: bool, unmanaged: bool) -> str:
    return "suspended" if suspended or unmanaged else status


def _choices(tree: Tree, chosen: int | None) -> list[tuple[int, str, bool]]:
    return [(pk, tree.path_name(pk), pk == chosen) for pk in tree.ordered()]


def _changes(components: "QuerySet[Component]") -> list[StatusChange]:
    """Give the newest changes of status."""
    changes = StatusChange.objects.filter(component__in=components.order_by().values("pk"))
    return list(changes.exclude(old=F("new")).select_related("component").order_by("-at", "-pk")[:8])
