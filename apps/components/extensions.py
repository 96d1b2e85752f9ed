"""What upper apps may add to components, from ``AppConfig.ready()``."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise

from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.drivers.contract import Capability
from apps.protocols.errors import ContactError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from apps.components.models import ManagementInterface
    from apps.components.pages.look import Look
    from apps.components.services.drafts import NewComponent
    from apps.components.services.needs import Lack
    from apps.drivers.contract import DriverSpec, LoggedEvent

RegistrationCheck = Callable[["Sequence[NewComponent]"], Sequence[Phrase]]
"""Looks at what is about to be registered and gives the reasons against it; none lets it pass."""

RemovalHook = Callable[[Sequence[int]], None]
"""Removes what an app keeps of components (by id) where no foreign key does it; runs in its transaction."""

InterfaceHook = Callable[[Sequence[int]], None]
"""Is told of interfaces (by id) that are about to go, or to lead to another device; runs in the same transaction."""

JoinHook = Callable[[int, int], None]
"""Takes the ids of the component that stays and of the one that goes; runs before the one that goes is removed."""

SplitHook = Callable[["ManagementInterface", int, "Sequence[ManagementInterface]"], None]
"""Takes an interface that is taken out of its component, the id of the one made of it, and the interfaces that stay.

Runs in the same transaction, before the interface moves: what is kept by interface goes with it by itself."""

Collector = Callable[[Sequence[int]], Mapping[int, ContactError | None]]
"""Polls interfaces (by id) and reads their inventory now, out of turn; gives per interface None or what went wrong.

Several may be registered; an interface is refreshed when all of them managed. It runs outside any event loop.
"""

Ordered = Callable[[int], None]
"""Takes the id of a component whose devices were ordered something, which may have changed what they say."""

LogKeeper = Callable[[int, "Sequence[LoggedEvent]"], None]
"""Takes the id of an interface and the entries of its device's event log that are about to be lost there."""

Starting = Callable[[Sequence[int]], Collection[int]]
"""Gives those of components (by id) that are just starting, or may stand in the setup of their firmware."""

Need = Callable[["ManagementInterface", "DriverSpec"], "Sequence[Lack]"]
"""Looks at a way of managing and gives what is missing of what an upper app has for it; it is told on its panel."""


OVERVIEW = "overview"
"""The tab that every component has."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One section of a component's page; it is there when an interface's driver has the capability, if one is named."""

    name: str  # stands in the address: ?tab=
    label: Promise | str
    order: int
    capability: Capability | None = None
    count: "Callable[[Look], int | None] | None" = None  # a number beside the label; None shows none
    offered: "Callable[[Look], bool] | None" = None  # whether there is anything to show; None: always
    topics: tuple[str, ...] = ()  # of the live stream, at which it is fetched again besides status and component


@dataclass(frozen=True, slots=True)
class Panel:
    """One card of a tab. ``read`` gives what the template finds as ``panel``; on None the card is left out.

    The card is ``<section id="panel-<name>" aria-labelledby="panel-<name>-h">``; header and body are the template's.
    """

    name: str
    tab: str
    template: str
    read: "Callable[[Look], Any]"
    order: int
    width: str = "c12"  # classes of the twelve-column grid
    capability: Capability | None = None
    live: bool = True  # False: stands above the live ones and is not fetched again, as charts refresh themselves


@dataclass(frozen=True, slots=True)
class Act:
    """Buttons at the top of a component's page; the template finds as ``content`` what ``read`` gives; None: none."""

    template: str
    read: "Callable[[Look], Any]"
    in_menu: bool = False  # behind the three dots, with what is seldom needed


@dataclass(frozen=True, slots=True)
class PanelAct:
    """A button in the header of a panel of another app; the template finds as ``content`` what ``read`` gives."""

    panel: str  # the name of the panel, which shows it where its template says so
    template: str
    read: "Callable[[Look], Any]"  # None: none


@dataclass(frozen=True, slots=True)
class InterfacePart:
    """What an upper app adds to one way of managing on its card; ``read`` gives ``content`` for each that has any.

    It is asked once for all interfaces of the component.
    """

    template: str
    read: "Callable[[Look], Mapping[int, Any]]"


@dataclass(frozen=True, slots=True)
class BulkAct:
    """Buttons under the list, for what is ticked there; they stand inside its form, which says what was chosen."""

    template: str
    read: "Callable[[HttpRequest], Any]"


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of the strip at the top of the overview; None is "not measured"."""

    label: Promise | str
    value: float | None
    unit: str
    state: str = ""  # where it is not normal
    note: Promise | str = ""
    stale: bool = False
    measured_at: datetime | None = None
    interface_id: int | None = None  # by which it came


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a component, as its timeline shows it."""

    at: datetime
    title: Promise | str
    state: str = ""  # a state word, where it has one
    detail: str = ""
    url: str = ""
    who: str = ""
    changes: Sequence[tuple[str, str, str]] = ()  # what was changed: label, before, after


@dataclass(frozen=True, slots=True)
class EventSource:
    """Rows that are events of a component; the timeline walks them by ``at``, then by their number, never by offset."""

    kind: str  # stands in the address: ?kind=; several sources may share one
    label: Promise | str  # of the kind
    icon: str
    at: str  # the field with the moment
    rows: "Callable[[Look], QuerySet[Any] | None]"  # those that the user may see; None: he may see none at all
    event: "Callable[[Look, Any], Event]"


registration_checks: Registry[RegistrationCheck] = Registry("registration check")
removal_hooks: Registry[RemovalHook] = Registry("removal hook")
interface_hooks: Registry[InterfaceHook] = Registry("interface hook")
join_hooks: Registry[JoinHook] = Registry("join hook")
split_hooks: Registry[SplitHook] = Registry("split hook")
starting: Registry[Starting] = Registry("one who knows what is just starting")
needs: Registry[Need] = Registry("need of a way of managing")
collectors: Registry[Collector] = Registry("collector")
ordered: Registry[Ordered] = Registry("one who is told that something was ordered")
log_keepers: Registry[LogKeeper] = Registry("keeper of event logs")
tabs: Registry[Tab] = Registry("tab")
panels: Registry[Panel] = Registry("panel")
page_acts: Registry[Act] = Registry("buttons of a component's page")
panel_acts: Registry[PanelAct] = Registry("button of a panel")
interface_parts: Registry[InterfacePart] = Registry("part of the card of a way of managing")
bulk_acts: Registry[BulkAct] = Registry("buttons for what is ticked in the list")
figures: "Registry[Callable[[Look], Sequence[Figure]]]" = Registry("figures of the overview")
event_sources: Registry[EventSource] = Registry("source of a component's events")
lookers: "Registry[Callable[[Look], None]]" = Registry("one who is told that a component's page is open")
