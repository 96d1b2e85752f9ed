"""The component list: facets with counts, search and sort. Every filter is in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components import extensions
from apps.components.models import Category, Component, ComponentQuerySet, ManagementInterface, PowerSwitch, Status
from apps.core import scoping
from apps.core.forms import row_id
from apps.core.htmx import wants_part
from apps.groups.models import Group, Tree

PER_PAGE = 50
SUSPENDED = "suspended"
LIVE = Q(suspended=False, unmanaged=False)
STATES = {
    **{status.value: LIVE & Q(status=status) for status in Status},
    SUSPENDED: ~LIVE,
}
RANK = Case(
    *(When(status=status, then=Value(rank)) for rank, status in enumerate(Status.values)),
    default=Value(len(Status.values)),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table and what it sorts by."""

    name: str
    label: Promise | str
    css: str = ""
    sortable: bool = True


COLUMNS = (
    Column("status", gettext_lazy("Status")),
    Column("name", gettext_lazy("Name")),
    Column("address", gettext_lazy("Address"), sortable=False),
    Column("model", gettext_lazy("Model")),
    Column("group", gettext_lazy("Group")),
    Column("category", gettext_lazy("Type")),
    Column("power", pgettext_lazy("power state", "Power")),
    Column("cpu", gettext_lazy("CPU"), "r"),
    Column("memory", gettext_lazy("Memory"), "r"),
    Column("disk", gettext_lazy("Fullest disk"), "r"),
    Column("last_seen", gettext_lazy("Last answer"), "r"),
)
SORTS: Mapping[str, Any] = {
    "status": RANK,
    "name": F("name"),
    "model": F("model"),
    "group": F("group__name"),
    "category": F("category"),
    "power": F("power_state"),
    "cpu": F("cpu"),
    "memory": F("memory"),
    "disk": F("disk"),
    "last_seen": F("last_seen_at"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    component: Component
    group_path: str
    state: str


@dataclass(frozen=True, slots=True)
class FacetOption:
    """One box of a facet."""

    value: str
    label: str
    count: int
    checked: bool
    state: str = ""


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of boxes beside the list."""

    name: str
    label: str
    options: list[FacetOption]


@dataclass(frozen=True, slots=True)
class Header:
    """A column head, ready to show."""

    column: Column
    order: str  # "ascending", "descending" or ""
    query: str  # the value of ?sort= that a click asks for


@dataclass(slots=True)
class Filters:
    """What the address asks for; values that mean nothing are left out, so that an old link still shows something."""

    tree: Tree
    words: str = ""
    states: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    power: list[str] = field(default_factory=list)
    sort: str = "name"

    @classmethod
    def of(cls, query: QueryDict, tree: Tree) -> "Filters":
        """Read them from a query string."""
        groups = [pk for pk in map(row_id, query.getlist("group")) if pk is not None]
        sort = query.get("sort", "name")
        return cls(
            tree=tree,
            words=query.get("q", "").replace("\x00", "").strip()[:200],
            states=[state for state in query.getlist("status") if state in STATES],
            categories=[category for category in query.getlist("category") if category in Category.values],
            groups=[pk for pk in groups if pk in tree.parents],
            power=[state for state in query.getlist("power") if state in PowerSwitch.values],
            sort=sort if sort.removeprefix("-") in SORTS else "name",
        )

    @property
    def any(self) -> bool:
        """Say whether anything is filtered."""
        return bool(self.words or self.states or self.categories or self.groups or self.power)

    def apply(self, components: ComponentQuerySet, *, without: str = "") -> ComponentQuerySet:
        """Keep what matches; a facet counts its own boxes without itself."""
        found = components.search(self.words) if self.words else components
        if self.states and without != "status":
            wanted = Q()
            for state in self.states:
                wanted |= STATES[state]
            found = found.filter(wanted)
        if self.categories and without != "category":
            found = found.filter(category__in=self.categories)
        if self.groups and without != "group":
            found = found.filter(group__in=self.tree.subtree(*self.groups))
        if self.power and without != "power":
            found = found.filter(power_state__in=self.power)
        return found

    def ordered(self, components: "QuerySet[Component]") -> "QuerySet[Component]":
        """Sort; what was not measured comes last in both directions."""
        key = SORTS[self.sort.removeprefix("-")]
        order = key.desc(nulls_last=True) if self.sort.startswith("-") else key.asc(nulls_last=True)
        return components.order_by(order, "name", "pk")


def chosen(user: Any, sent: QueryDict) -> ComponentQuerySet:
    """Give what was chosen in the list: all that the filter matches, or the ticked ones (``ids``, also with commas)."""
    visible = Component.objects.visible_to(user)
    if sent.get("scope") == "filter":
        return Filters.of(QueryDict(sent.get("filter", "")), Group.objects.visible_to(user).tree()).apply(visible)
    ids = [row_id(word) for words in sent.getlist("ids") for word in words.split(",")]
    return visible.filter(pk__in=[pk for pk in ids if pk is not None])


@require_safe
@vary_on_headers("HX-Request")
def component_list(request: HttpRequest) -> HttpResponse:
    """Show the components that the user may see."""
    tree = Group.objects.visible_to(request.user).tree()
    filters = Filters.of(request.GET, tree)
    visible = Component.objects.visible_to(request.user)
    interfaces = ManagementInterface.objects.order_by("pk").only("pk", "component", "address", "driver")
    found = filters.ordered(filters.apply(visible)).select_related("suspension")
    found = found.prefetch_related(Prefetch("interfaces", interfaces))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [
            Row(one, tree.path_name(one.group_id), SUSPENDED if one.suspended or one.unmanaged else one.status)
            for one in page.object_list
        ],
        "filters": filters,
        "facets": _facets(visible, filters),
        "headers": _headers(filters.sort),
        "may_check": scoping.may_somewhere(request.user, "check"),
        "may_suspend": scoping.may_somewhere(request.user, "suspend"),
        "may_change": scoping.may_somewhere(request.user, "components"),
        "move_to": _targets(request.user),
        "acts": [(act.template, found) for act in extensions.bulk_acts if (found := act.read(request)) is not None],
    }
    template = "components/_component_list.html" if wants_part(request) else "components/component_list.html"
    return render(request, template, context)


def _facets(visible: ComponentQuerySet, filters: Filters) -> list[Facet]:
    states = (
        filters.apply(visible, without="status")
        .order_by()
        .aggregate(**{state: Count("pk", filter=matches) for state, matches in STATES.items()})
    )
    categories = _counted(filters.apply(visible, without="category"), "category")
    power = _counted(filters.apply(visible, without="power"), "power_state")
    direct = _counted(filters.apply(visible, without="group"), "group")
    tree = filters.tree
    groups = {pk: sum(direct.get(below, 0) for below in tree.subtree(pk)) for pk in tree.parents}
    state_labels = {**{status.value: status.label for status in Status}, SUSPENDED: _("Suspended")}
    return [
        Facet(
            "status",
            _("Status"),
            [
                FacetOption(state, str(state_labels[state]), number, state in filters.states, state)
                for state, number in states.items()
                if number or state in filters.states
            ],
        ),
        Facet(
            "category",
            _("Type"),
            [
                FacetOption(
                    category.value, str(category.label), categories[category.value], category in filters.categories
                )
                for category in Category
                if category.value in categories
            ],
        ),
        *_power_facet(power, filters),
        Facet(
            "group",
            _("Group"),
            [
                FacetOption(str(pk), tree.path_name(pk), groups[pk], pk in filters.groups)
                for pk in tree.ordered()
                if groups[pk] or pk in filters.groups
            ],
        ),
    ]


def _power_facet(power: Mapping[str, int], filters: Filters) -> list[Facet]:
    """Offer on and off, where any controller has told of it."""
    offered = [state for state in PowerSwitch if power.get(state) or state in filters.power]
    options = [FacetOption(one.value, str(one.label), power.get(one, 0), one in filters.power) for one in offered]
    return [Facet("power", pgettext("power state", "Power"), options)] if options else []


def _counted(components: "QuerySet[Component]", name: str) -> dict[Any, int]:
    return dict(components.order_by().values_list(name).annotate(number=Count("pk")))


def _headers(sort: str) -> list[Header]:
    headers = []
    for column in COLUMNS:
        order = {column.name: "ascending", f"-{column.name}": "descending"}.get(sort, "")
        numeric_first = "-" if column.css == "r" and not order else ""
        headers.append(
            Header(column, order, f"-{column.name}" if order == "ascending" else numeric_first + column.name)
        )
    return headers


def _targets(user: Any) -> list[tuple[int, str]]:
    """Give the groups that a user may move components to."""
    if not scoping.may_somewhere(user, "components"):
        return []
    tree = Group.objects.visible_to(user).tree()
    allowed = scoping.scope_of(user, "components")
    return sorted(
        ((pk, tree.path_name(pk)) for pk in tree.parents if pk in allowed), key=lambda pair: pair[1].casefold()
    )
