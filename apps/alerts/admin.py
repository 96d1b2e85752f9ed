"""Classic mode over alerts, incidents, definitions and what reception counted."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.alerts.models import Alert, AlertDefinition, Counter, Incident
from apps.alerts.services import definitions
from apps.core.actors import Actor
from apps.core.admin import ReadOnlyAdmin, ScopedAdmin


class TypeFilter(admin.AllValuesFieldListFilter):
    """The types of alerts in the reader's language."""

    def choices(self, changelist: Any) -> Any:
        """Give the types that there are."""
        for choice in super().choices(changelist):
            yield {**choice, "display": gettext(str(choice["display"]))}


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What arrived and what the portal raised."""

    list_display = ("received_at", "severity", "title", "where", "alert_type", "quiet")
    list_filter = ("severity", "matched", "source", ("alert_type", TypeFilter))
    search_fields = ("title", "component_name", "component__alias", "address", "trap_oid")
    exclude = ("digest", "datagram")
    show_full_result_count = False
    list_select_related = ("component",)

    @admin.display(description=_("from"))
    def where(self, alert: Alert) -> str:
        """Give the component, else the address."""
        return alert.where


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Problems that alerts opened."""

    list_display = ("last_at", "severity", "title", "where", "state", "count", "acknowledged_by_name")
    list_filter = ("state", "severity")
    search_fields = ("title", "component_name", "component__alias", "address", "note")
    exclude = ("acknowledged_by", "closed_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the incidents that the user may see, with what a row shows."""
        return super().get_queryset(request).select_related("definition", "component")

    @admin.display(description=_("from"))
    def where(self, incident: Incident) -> str:
        """Give the component, else the address."""
        return incident.where


@admin.register(AlertDefinition)
class DefinitionAdmin(ScopedAdmin):
    """How alerts are recognised and shown; they come from files, here each is switched on and off."""

    change_word = "definitions"
    can_add = can_remove = False
    list_display = ("key", "__str__", "severity", "kind", "trap_oid", "enabled")
    list_filter = ("enabled", "severity", ("alert_type", TypeFilter))
    search_fields = ("key", "name", "trap_oid", "title")

    @admin.display(description=_("type"), ordering="alert_type")
    def kind(self, row: AlertDefinition) -> str:
        """Give the type in the reader's language."""
        return gettext(row.alert_type)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let nothing but the switch be changed."""
        return [field.name for field in AlertDefinition._meta.fields if field.name not in {"id", "enabled"}]

    def update(self, found: AlertDefinition, changed: Mapping[str, Any], actor: Actor) -> None:
        """Switch a definition on or off."""
        if "enabled" in changed:
            definitions.set_enabled(found, changed["enabled"], actor)


@admin.register(Counter)
class CounterAdmin(ReadOnlyAdmin):
    """What reception counted."""

    list_display = ("name", "value", "changed_at")
