"""Classic mode over what is measured and logged: sensors, limits, excluded ports, pinged addresses, event logs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.components.models import Component, ManagementInterface
from apps.core.actors import Actor
from apps.core.classic import ReadOnlyAdmin, ScopedAdmin
from apps.monitoring.models import ExcludedPort, InventoryChange, Limit, Liveness, LoggedEntry, LogPlace, Sensor
from apps.monitoring.panels import inventory_changes
from apps.monitoring.panels.event_log import NAMES
from apps.monitoring.services import limits, log_entries, port_exclusion


@admin.register(Sensor)
class SensorAdmin(ReadOnlyAdmin):
    """Measuring points with the status they changed to last; values are shown with their component."""

    list_display = ("name", "component", "quantity", "unit", "status", "since", "gone_at")
    list_filter = ("status", "quantity")
    search_fields = ("name", "key", "interface__component__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the sensors that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("interface__component")

    @admin.display(description=_("component"), ordering="interface__component__name")
    def component(self, sensor: Sensor) -> Component:
        """Give the device."""
        return sensor.interface.component


@admin.register(Limit)
class LimitAdmin(ScopedAdmin):
    """Thresholds that users set; removing one goes back to the device's own. They are added at the sensor."""

    change_word = "components"
    can_add = False
    fields = ("component", "key", *limits.FIELDS)
    readonly_fields = ("component", "key")
    list_display = ("key", "component", *limits.FIELDS)
    search_fields = ("key", "interface__component__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the limits that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("interface__component")

    @admin.display(description=_("component"), ordering="interface__component__name")
    def component(self, limit: Limit) -> Component:
        """Give the device."""
        return limit.interface.component

    def update(self, found: Limit, changed: Mapping[str, Any], actor: Actor) -> None:
        """Set what was changed."""
        limits.set_limits(_sensor(found), dict(changed), actor)

    def remove(self, found: Limit, actor: Actor) -> None:
        """Go back to the device's own."""
        limits.set_limits(_sensor(found), None, actor)


def _sensor(limit: Limit) -> Sensor:
    return Sensor.objects.select_related("interface__component").get(interface=limit.interface_id, key=limit.key)


@admin.register(ExcludedPort)
class ExcludedPortAdmin(ScopedAdmin):
    """Network ports that do not count in the status of their component; taken back and excluded anew, not changed."""

    change_word = "components"
    list_display = ("component", "mac_address", "port_name", "excluded_at")
    list_select_related = ("component",)
    search_fields = ("component__name", "mac_address", "port_name")
    fields = ("component", "mac_address", "port_name")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def create(self, sent: Mapping[str, Any], actor: Actor) -> ExcludedPort:
        """Exclude a port, or all with its address."""
        return port_exclusion.add(sent["component"], sent["mac_address"], sent["port_name"], actor)

    def remove(self, found: ExcludedPort, actor: Actor) -> None:
        """Let it count again."""
        port_exclusion.remove(found, actor)


@admin.register(Liveness)
class LivenessAdmin(ReadOnlyAdmin):
    """Which addresses answer ping."""

    list_display = ("address", "component", "answers", "since", "access_lost_at")
    list_filter = ("answers",)
    search_fields = ("address", "component__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the addresses that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("component")


class StillThere(admin.SimpleListFilter):
    """Whether the device still has an entry, or its log was emptied since."""

    title = _("in the device's log")
    parameter_name = "cleared_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Give both."""
        return [("present", gettext("still there")), ("cleared", gettext("from before it was cleared"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen ones."""
        return queryset.filter(cleared_at__isnull=self.value() == "present") if self.value() else queryset


@admin.register(LoggedEntry)
class LoggedEntryAdmin(ReadOnlyAdmin):
    """What devices wrote into their own event logs, as it was read: what came last stands first."""

    list_display = ("at", "severity", "text", "subject", "component", "interface", "key", "cleared_at")
    list_display_links = ("at", "text")
    list_filter = ("status", "asserted", StillThere)
    search_fields = ("text", "source", "key", "interface__component__name", "interface__address")
    fields = (*("component", "interface", "at", "read_at", "severity", "subject", "text", "key", "cleared_at", "raw"),)
    ordering = ("-pk",)  # for which there is an index over all devices
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the entries that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("interface__component")

    @admin.display(description=_("component"))
    def component(self, entry: LoggedEntry) -> Component:
        """Give the device."""
        return entry.interface.component

    @admin.display(description=_("severity"))
    def severity(self, entry: LoggedEntry) -> str:
        """Give how bad it is, in the word that the pages have for it."""
        return str(NAMES[entry.severity])

    @admin.display(description=_("source"))
    def subject(self, entry: LoggedEntry) -> str:
        """Give what it is about, in the reader's language."""
        return log_entries.source_of(entry)


@admin.register(InventoryChange)
class InventoryChangeAdmin(ReadOnlyAdmin):
    """Which parts of devices appeared, went or became others: what was noticed last stands first."""

    list_display = ("at", "change", "part", "shelf", "what", "component", "interface")
    list_display_links = ("at", "part")
    list_filter = ("change", "kind")
    search_fields = ("name", "words", "interface__component__name", "interface__address")
    fields = ("component", "interface", "at", "change", "shelf", "part", "key", "what")
    ordering = ("-pk",)  # they are written in the order of time
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the changes that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("interface__component")

    @admin.display(description=_("component"))
    def component(self, change: InventoryChange) -> Component:
        """Give the device."""
        return change.interface.component

    @admin.display(description=_("part"))
    def part(self, change: InventoryChange) -> str:
        """Give what it is called, in the reader's language."""
        return inventory_changes.line_of(change).label

    @admin.display(description=_("kind"))
    def shelf(self, change: InventoryChange) -> str:
        """Give what kind of part it is, in the reader's language."""
        return str(inventory_changes.line_of(change).kind)

    @admin.display(description=_("details"))
    def what(self, change: InventoryChange) -> str:
        """Give what differs, or what is known of a part that came or went."""
        return render_to_string("monitoring/_inventory_change_facts.html", {"line": inventory_changes.line_of(change)})


@admin.register(LogPlace)
class LogPlaceAdmin(ReadOnlyAdmin):
    """How far each device's event log was read, and how that went."""

    list_display = fields = ("component", "reached_by", "read", "asked", "full", "makes_room", "trouble")
    search_fields = ("interface__component__name", "interface__address", "error")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the logs that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("interface__component")

    @admin.display(description=_("component"), ordering="interface__component__name")
    def component(self, place: LogPlace) -> Component:
        """Give the device."""
        return place.interface.component

    @admin.display(description=_("interface"), ordering="interface__address")
    def reached_by(self, place: LogPlace) -> ManagementInterface:
        """Give the way by which it is read."""
        return place.interface

    @admin.display(description=_("read"), ordering="read_at")
    def read(self, place: LogPlace) -> datetime | None:
        """Give when it was read last."""
        return place.read_at

    @admin.display(description=_("last look"), ordering="asked_at")
    def asked(self, place: LogPlace) -> datetime | None:
        """Give when it was looked into last, whatever came of it."""
        return place.asked_at

    @admin.display(description=_("full (%)"), ordering="filled")
    def full(self, place: LogPlace) -> float | None:
        """Give how full it is."""
        return place.filled

    @admin.display(description=_("oldest entries make room"), boolean=True)
    def makes_room(self, place: LogPlace) -> bool:
        """Say what happens when it is full."""
        return place.wraps

    @admin.display(description=_("trouble"))
    def trouble(self, place: LogPlace) -> str:
        """Give why it could not be read last."""
        return str(place.error)
