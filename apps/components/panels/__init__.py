"""The tabs and panels of a component's page that need nothing but components: interfaces, facts, inventory, history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.components import suspend_views
from apps.components.extensions import OVERVIEW, Panel, Tab, interface_parts, panels, tabs
from apps.components.models import InventoryItem, ManagementInterface, PowerSwitch, StatusChange
from apps.components.pages.look import Look
from apps.components.panels.hints import of_processors
from apps.components.panels.settings import general, managed_by
from apps.components.panels.timeline import events_of
from apps.components.services import certificates, checks, power_states
from apps.components.services.identity import controllers, said_of, who_says
from apps.components.services.needs import Lack, lacks, missing_rights
from apps.components.services.same_parts import same_parts
from apps.core.phrases import Phrase, called, in_words
from apps.drivers import registry
from apps.drivers.contract import Capability, InventoryKind
from apps.groups.models import Group
from apps.protocols.errors import AuthenticationFailed, Unreachable

LATEST_CHANGES = 6
SUSPEND_PERIODS = 10
PER_PAGE = 50

KINDS: dict[InventoryKind, tuple[Promise | str, str]] = {
    InventoryKind.SYSTEM: (gettext_lazy("System"), "server"),
    InventoryKind.PROCESSOR: (gettext_lazy("Processors"), "cpu"),
    InventoryKind.MEMORY: (gettext_lazy("Memory"), "device-sd-card"),
    InventoryKind.STORAGE: (gettext_lazy("Storage"), "database"),
    InventoryKind.NETWORK: (gettext_lazy("Network"), "network"),
    InventoryKind.SOFTWARE: (gettext_lazy("Software"), "package"),
    InventoryKind.OTHER: (gettext_lazy("Other parts"), "box"),
}
DETAILS: dict[str, tuple[Promise | str, str]] = {  # what drivers call a detail: how it reads, its unit
    "Size (bytes)": (gettext_lazy("Size"), "B"),
    "Used (bytes)": (gettext_lazy("Used"), "B"),
    "Speed (bit/s)": (gettext_lazy("Speed"), "bit/s"),
    "Read-only": (gettext_lazy("Read-only"), ""),
    "Description": (gettext_lazy("Description"), ""),
    "Alias": (gettext_lazy("Alias"), ""),
    "MAC address": (gettext_lazy("MAC address"), ""),
    "State": (gettext_lazy("State"), ""),
    "Logical processors": (gettext_lazy("Logical processors"), ""),
    "Operating system": (gettext_lazy("Operating system"), ""),
    "Manufacturer": (gettext_lazy("Manufacturer"), ""),
    "Model": (gettext_lazy("Model"), ""),
    "Serial number": (gettext_lazy("Serial number"), ""),
    "Agent version": (gettext_lazy("Agent version"), ""),
    "Clock (UTC)": (gettext_lazy("Clock (UTC)"), ""),
}
WORDS: dict[str, Promise | str] = {  # what drivers say in one word
    "true": gettext_lazy("Yes"),
    "false": gettext_lazy("No"),
    "up": pgettext_lazy("port", "Up"),
    "down": pgettext_lazy("port", "Down"),
    "disabled": pgettext_lazy("port", "Disabled"),
    "dormant": pgettext_lazy("port", "Dormant"),
    "not-present": pgettext_lazy("port", "Not present"),
    "unknown": pgettext_lazy("port", "Unknown"),
    "Static": gettext_lazy("Static"),
    "From DHCP": gettext_lazy("From DHCP"),
    "Set by the BIOS": gettext_lazy("Set by the BIOS"),
    "not available (power off)": gettext_lazy("not available (power off)"),
}


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """One way of managing, with how the last contact went and what to do about it."""

    row: ManagementInterface
    label: str
    remedy: Phrase | None
    lacks: Sequence[Lack]  # what is missing here for it to work at all
    is_off: bool  # it is silent because the machine is off
    certificate_changed: bool  # it shows another one than before, which somebody may accept
    parts: Sequence[tuple[str, Any]]  # what upper apps add: template and content


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways of managing, and which rights the reader lacks to act on them."""

    rows: Sequence[InterfaceView]
    missing_rights: Sequence[Promise | str]
    may_credentials: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """One line of an inventory item: a number has a unit, a text has none."""

    label: str
    value: Any
    unit: str

    @property
    def is_number(self) -> bool:
        """Say whether it is shown as a quantity."""
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what is known: the value, which interfaces say it, and what others say instead."""

    label: str
    value: Any
    said_by: Sequence[int]
    others: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One part of a device; ``others`` are the same part as further interfaces list it."""

    row: InventoryItem
    details: list[Detail]
    old_since: datetime | None = None  # when it was read, where its section could not be read with the others
    others: "Sequence[ItemView]" = ()  # the same part as further interfaces list it, with what differs

    @property
    def label(self) -> str:
        """Give its name in the reader's language."""
        return called(self.row.name)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The parts of one kind."""

    kind: InventoryKind
    label: Promise | str
    picture: str
    items: list[ItemView]
    hint: str = ""  # what the guide warns of


@dataclass(frozen=True, slots=True)
class Inventory:
    """All parts of a device and when they were listed; ``twice`` where a storage controller may be listed twice."""

    shelves: list[Shelf]
    read_at: datetime
    twice: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Changes of status, newest first."""

    changes: Sequence[StatusChange]
    page: "Page[StatusChange] | None" = None


def interfaces(look: Look) -> Ways:
    """Give the ways of managing, with what each lacks."""
    specs = registry.specs()
    off = look.component.power_state == PowerSwitch.OFF and power_states.excused({look.component.pk})
    added = [(part.template, part.read(look)) for part in interface_parts]
    rows = []
    for row in look.interfaces:
        label = _(specs[row.driver].label) if row.driver in specs else row.driver
        missing = lacks(row, specs.get(row.driver))
        told = missing and row.last_error_code == AuthenticationFailed.code  # what is missing says it better
        is_off = row.last_error_code == Unreachable.code and row.driver not in controllers() and bool(off)
        other = certificates.is_other(row)
        remedy = None if told or other else checks.BY_CODE.get(row.last_error_code)
        parts = [(template, found[row.pk]) for template, found in added if row.pk in found]
        rows.append(InterfaceView(row, label, remedy, missing, is_off, other, parts))
    rights = missing_rights(look.request.user, look.component.group_id)
    return Ways(rows, rights, look.may("credentials"))


def identity(look: Look) -> list[Line]:
    """Give what is known of the component and not measured; what nobody said is left out."""
    component = look.component
    said = said_of(look.interfaces)
    known: list[tuple[str, Any, str]] = [
        (_("Type"), component.get_category_display(), ""),
        (_("Name"), component.name if component.alias else "", ""),
        (_("Manufacturer"), component.manufacturer, "manufacturer"),
        (_("Model"), component.model, "model"),
        (_("Serial number"), component.serial_number, "serial_number"),
        (_("Hardware UUID"), component.uuid, "uuid"),
        (_("Operating system"), component.operating_system, "operating_system"),
        (_("Location"), component.location, "location"),
        (_("Slot"), component.slot, ""),
        (_("Stands in"), component.parent if _sees(look, component.parent) else "", ""),
        (_("Further alert addresses"), ", ".join(component.alert_addresses), ""),
    ]
    return [Line(label, value, *who_says(said, name, str(value))) for label, value, name in known if value]


def _sees(look: Look, other: Any) -> bool:
    return other is not None and type(other).objects.visible_to(look.request.user).filter(pk=other.pk).exists()


def inventory(look: Look) -> Inventory | None:
    """Give the parts by kind; None before they were listed."""
    found = InventoryItem.objects.filter(interface__component=look.component)
    rows = list(found.select_related("interface").order_by("pk"))
    if not rows:
        return None
    newest: dict[int, datetime] = {}
    for row in rows:
        newest[row.interface_id] = max(row.read_at, newest.get(row.interface_id, row.read_at))

    def rows_of(kind: str) -> list[InventoryItem]:
        return [row for row in rows if row.kind == kind]

    hints = {InventoryKind.PROCESSOR: of_processors(look.component, rows)}
    shelves = [
        Shelf(kind, label, picture, [_item(same, newest) for same in same_parts(rows_of(kind))], hints.get(kind, ""))
        for kind, (label, picture) in KINDS.items()
    ]
    shown = [shelf for shelf in shelves if shelf.items]
    return Inventory(shown, min(newest.values()), _listed_twice(rows))


def _listed_twice(rows: Sequence[InventoryItem]) -> bool:
    """Say whether two ways of managing list a storage controller, or one serial number stands for two of them."""
    controllers = [row for row in rows if row.kind == InventoryKind.STORAGE and row.key.startswith("controller.")]
    serials = [serial for row in controllers if (serial := row.details.get("Serial number"))]
    return len({row.interface_id for row in controllers}) > 1 or len(set(serials)) < len(serials)


def _item(found: Sequence[InventoryItem], newest: Mapping[int, datetime]) -> ItemView:
    """Show a part once; of what further interfaces say of it only what differs."""
    first, *others = found
    old = first.read_at if first.read_at < newest[first.interface_id] else None
    return ItemView(first, _details(first), old, [ItemView(row, _differing(row, first)) for row in others])


def _differing(row: InventoryItem, first: InventoryItem) -> list[Detail]:
    return [detail for detail in _details(row) if detail not in _details(first)]


def _details(row: InventoryItem) -> list[Detail]:
    return [detail_of(label, value) for label, value in row.details.items() if value not in (None, "")]


def detail_of(label: str, value: Any) -> Detail:
    """Give a detail as it is shown, from the label and the value that a driver has for it."""
    words, unit = DETAILS.get(label, (_(label), ""))
    shown = (WORDS.get(value) or in_words(value)) if isinstance(value, str) else value
    return Detail(str(words), shown, unit)


def latest_changes(look: Look) -> History | None:
    """Give the newest changes of status; None where there were none."""
    changes = list(look.component.status_changes.all()[:LATEST_CHANGES])
    return History(changes) if changes else None


def all_changes(look: Look) -> History:
    """Give the changes of status by pages."""
    page = Paginator(look.component.status_changes.all(), PER_PAGE).get_page(look.request.GET.get("page"))
    return History(list(page.object_list), page)


def suspend_rows(look: Look) -> list[suspend_views.Row] | None:
    """Give the suspend periods that reach the component, its own and its groups'; None where there are none."""
    found = suspend_views.applying_to(look.component).lasting().select_related("component", "group").soonest_first()
    tree = Group.objects.visible_to(look.request.user).tree()
    return suspend_views.rows_of(look.request.user, list(found[:SUSPEND_PERIODS]), tree) or None


def _inventory_once(look: Look) -> Inventory | None:
    return look.once("inventory", lambda: inventory(look))


def _inventory_tab(look: Look) -> Inventory | str:
    return _inventory_once(look) or "empty"


for _tab in (
    Tab(OVERVIEW, gettext_lazy("Overview"), 0),
    Tab("inventory", gettext_lazy("Inventory"), 40, Capability.INVENTORY),
    Tab("events", gettext_lazy("Events"), 60, topics=("alert", "job")),
    Tab("history", gettext_lazy("History"), 90),
    Tab("settings", gettext_lazy("Settings"), 95),
):
    tabs.add(_tab.name, _tab)

for _panel in (
    Panel("interfaces", OVERVIEW, "components/panels/interfaces.html", interfaces, 40, "c4 x-c12"),
    Panel("identity", OVERVIEW, "components/panels/identity.html", identity, 50, "c3 x-c6"),
    Panel("parts", OVERVIEW, "components/panels/parts.html", _inventory_once, 60, "c3 x-c6", Capability.INVENTORY),
    Panel("suspend-periods", OVERVIEW, "components/panels/suspend_periods.html", suspend_rows, 80),
    Panel("changes", OVERVIEW, "components/panels/changes.html", latest_changes, 70, "c3 x-c6"),
    Panel("inventory", "inventory", "components/panels/inventory.html", _inventory_tab, 10, "c8 x-c12"),
    Panel("events", "events", "components/panels/timeline.html", events_of, 10),
    Panel("history", "history", "components/panels/changes.html", all_changes, 10),
    Panel("general", "settings", "components/panels/general.html", general, 0, "c4 x-c12"),
    Panel("managed-by", "settings", "components/panels/managed_by.html", managed_by, 10, "c8 x-c12"),
):
    panels.add(_panel.name, _panel)
