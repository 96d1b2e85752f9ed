"""Classic mode over what is measured: sensors, own limits, excluded ports, and addresses that are pinged."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.components.models import Component
from apps.core.actors import Actor
from apps.core.classic import ReadOnlyAdmin, ScopedAdmin
from apps.monitoring.models import ExcludedPort, Limit, Liveness, Sensor
from apps.monitoring.services import limits, port_exclusion


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
