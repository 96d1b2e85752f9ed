"""The page of one component: tabs and panels by what its drivers can do, never by which driver it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components import extensions
from apps.components.extensions import OVERVIEW, Figure, Panel, Tab
from apps.components.models import Category, Component, StatusCause
from apps.components.pages import rows_of_cards
from apps.components.pages.look import Look
from apps.components.services import machines
from apps.components.services.cause_rows import REGISTRATION
from apps.core import scoping
from apps.core.htmx import wants_part
from apps.drivers.contract import WORST_FIRST
from apps.groups.models import Group

PICTURES = {
    Category.SERVER: "server",
    Category.HYPERVISOR: "stack-2",
    Category.CHASSIS: "columns-3",
    Category.STORAGE: "database",
    Category.NETWORK: "network",
    Category.UPS: "battery-charging",
    Category.COMPUTER: "device-desktop",
    Category.ALERT_ONLY: "bell",
    Category.EXPETHER: "topology-star-3",
}


@dataclass(frozen=True, slots=True)
class TabView:
    """A tab that is offered."""

    tab: Tab
    count: int | None
    current: bool


@dataclass(frozen=True, slots=True)
class ActView:
    """A button of a panel with what it says."""

    template: str
    content: Any


@dataclass(frozen=True, slots=True)
class PanelView:
    """A panel with what it shows."""

    panel: Panel
    content: Any
    width: str  # classes of the grid
    acts: Sequence[ActView] = ()


@dataclass(frozen=True, slots=True)
class CauseView:
    """One open reason; ``twin`` is the other registration of the same machine, where the user may join both."""

    row: StatusCause
    twin: Component | None = None


@require_safe
@vary_on_headers("HX-Request")
def component(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a component, or what changes of it."""
    found = get_object_or_404(
        Component.objects.visible_to(request.user)
        .select_related("group", "parent", "suspension")
        .prefetch_related("causes"),
        pk=pk,
    )
    look = Look(request, found)
    for tell in extensions.lookers:
        tell(look)
    offered = [tab for tab in extensions.tabs if _is_offered(tab, look)]
    current = next((tab for tab in offered if tab.name == request.GET.get("tab")), extensions.tabs.get(OVERVIEW))
    part = wants_part(request)
    context = {
        "component": found,
        "look": look,
        "tab": current,
        "tabs": [
            TabView(tab, tab.count(look) if tab.count else None, tab is current)
            for tab in sorted(offered, key=lambda tab: tab.order)
        ],
        "state": "suspended" if found.suspended or found.unmanaged else found.status,
        "picture": PICTURES.get(Category(found.category), "server"),
        "crumbs": _crumbs(request, found),
        "causes": _causes(look),
        "suspension_url": _suspension_url(look),
        "addresses": list(dict.fromkeys(row.address for row in look.interfaces if row.address)),
        "still": [] if part else _panels(look, current, live=False),
        "panels": _panels(look, current, live=True),
        "partial": part,
        "acts": _page_acts(look, in_menu=False),
        "menu_acts": _page_acts(look, in_menu=True),
        **_permissions(look),
    }
    if current.name == OVERVIEW:
        up_since = found.up_since
        context |= {
            "figures": _figures(look),
            "last_answer": _last_answer(look),
            "uptime": timezone.now() - up_since if up_since else None,
        }
    return render(request, "components/_component.html" if part else "components/component.html", context)


def _page_acts(look: Look, *, in_menu: bool) -> list[tuple[str, Any]]:
    acts = [act for act in extensions.page_acts if act.in_menu is in_menu]
    return [(act.template, content) for act in acts if (content := act.read(look)) is not None]


def _is_offered(tab: Tab, look: Look) -> bool:
    if tab.capability is not None and tab.capability not in look.capabilities:
        return False
    return tab.offered is None or tab.offered(look)


def _permissions(look: Look) -> dict[str, bool]:
    words = {"may_check": "check", "may_suspend": "suspend", "may_change": "components"}
    return {name: look.may(word) for name, word in words.items()}


def _suspension_url(look: Look) -> str:
    """Give the page of what suspends the component, where the user may see it."""
    period = look.component.suspension
    if period is None:
        return ""
    group_id = period.group_id or look.component.group_id
    return period.get_absolute_url() if scoping.may(look.request.user, "view", group_id) else ""


def _crumbs(request: HttpRequest, found: Component) -> list[tuple[int, str]]:
    """Give the groups above, as far as the user may see them."""
    tree = Group.objects.visible_to(request.user).tree()
    way = tree.path(found.group_id)
    named = [(pk, tree.names[pk]) for pk in way if pk in tree.names]
    return [pair for pair in named if tree.parents[pair[0]] is not None] or named


def _causes(look: Look) -> list[CauseView]:
    rows = sorted(look.component.causes.all(), key=lambda row: (WORST_FIRST[row.status], row.since))
    ids = machines.twins_of(look.component)
    twins: dict[str, Component] = {}
    if ids and look.may("components"):
        visible = Component.objects.visible_to(look.request.user, "components").filter(pk__in=ids)
        twins = {f"{machines.SAME_MACHINE}:{one.pk}": one for one in visible}
    return [CauseView(row, twins.get(row.key) if row.source == REGISTRATION else None) for row in rows]


def _panels(look: Look, tab: Tab, *, live: bool) -> list[PanelView]:
    shown = []
    for panel in sorted(extensions.panels, key=lambda panel: panel.order):
        missing = panel.capability is not None and panel.capability not in look.capabilities
        if panel.tab != tab.name or panel.live is not live or missing:
            continue
        content = panel.read(look)
        if content is not None:
            shown.append((panel, content))
    widths = rows_of_cards.filled([panel.width for panel, _content in shown])
    return [
        PanelView(panel, content, width, _acts(look, panel))
        for (panel, content), width in zip(shown, widths, strict=True)
    ]


def _acts(look: Look, panel: Panel) -> list[ActView]:
    acts = [act for act in extensions.panel_acts if act.panel == panel.name]
    return [ActView(act.template, content) for act in acts if (content := act.read(look)) is not None]


def _figures(look: Look) -> list[Figure]:
    return [figure for give in extensions.figures for figure in give(look)]


def _last_answer(look: Look) -> Any:
    return max((row.last_answer_at for row in look.interfaces if row.last_answer_at), default=None)
