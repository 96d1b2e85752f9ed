"""Classic mode over alerts, incidents, definitions and what reception counted."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.alerts.listing.alerts import alert_types
from apps.alerts.models import Alert, AlertDefinition, Counter, EventSubscription, Farewell, Incident
from apps.alerts.services import definitions
from apps.alerts.services.checking import KINDS
from apps.alerts.sources import sources
from apps.core.actors import Actor
from apps.core.classic import ReadOnlyAdmin, ScopedAdmin


class KnownWords(admin.SimpleListFilter):
    """A filter by words that are known beforehand; reading them off a million alerts takes too long."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the alerts with the chosen one."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class AlertTypeFilter(KnownWords):
    """The types that alerts may have, in the reader's language."""

    title = _("type")
    parameter_name = "alert_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Give the types."""
        return [(name, gettext(name)) for name in alert_types([])]


class SourceFilter(KnownWords):
    """The ways in which alerts come."""

    title = _("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Give the ways."""
        return list(sources.items())


class TypeFilter(admin.AllValuesFieldListFilter):
    """The types of definitions in the reader's language."""

    def choices(self, changelist: Any) -> Any:
        """Give the types that there are."""
        for choice in super().choices(changelist):
            yield {**choice, "display": gettext(str(choice["display"]))}


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What arrived and what the portal raised."""

    list_display = ("received_at", "severity", "title", "where", "alert_type", "quiet")
    list_filter = ("severity", "matched", SourceFilter, AlertTypeFilter)
    search_fields = ("title", "component_name", "component__alias", "address", "trap_oid")
    exclude = ("digest", "datagram")
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
    """How alerts are recognised and shown; those that came with the portal are changed, a user's own also removed."""

    change_word = "definitions"
    list_display = ("key", "__str__", "family", "severity", "kind", "trap_oid", "enabled")
    list_filter = ("enabled", "severity", "family", ("alert_type", TypeFilter))
    search_fields = ("key", "name", "trap_oid", "title")
    readonly_fields = shown = ("key", "origin", "made", "changed_at")

    @admin.display(description=_("type"), ordering="alert_type")
    def kind(self, row: AlertDefinition) -> str:
        """Give the type in the reader's language."""
        return gettext(row.alert_type)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Give what definitions say; a stored one also says whence it is."""
        return (*KINDS, *(self.shown if obj is not None else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only users' own ones be removed."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_own)

    def create(self, sent: Mapping[str, Any], actor: Actor) -> AlertDefinition:
        """Make a user's own definition."""
        return definitions.create(_filled(sent), actor)

    def update(self, found: AlertDefinition, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a definition."""
        if changed:
            definitions.change(found, _filled(changed), actor)

    def remove(self, found: AlertDefinition, actor: Actor) -> None:
        """Remove a user's own definition."""
        definitions.remove(found, actor)


def _filled(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a form holds, with empty lists and mappings where it holds nothing."""
    return {name: KINDS[name]() if value is None else value for name, value in sent.items() if name in KINDS}


@admin.register(EventSubscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """What devices were asked to send here."""

    list_display = ("interface", "state", "place", "since", "looked_at", "last_event_at")
    list_filter = ("state",)
    search_fields = ("interface__address", "interface__component__name")
    exclude = ("context", "token_hash", "next_hash", "certificate")
    list_select_related = ("interface",)


@admin.register(Farewell)
class FarewellAdmin(ReadOnlyAdmin):
    """Devices that are still to be told to send no more."""

    list_display = ("name", "address", "uri", "due_at", "tries", "last_error")
    search_fields = ("name", "address")
    exclude = ("context", "login")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the logins encrypted."""
        return super().get_queryset(request).defer("login")


@admin.register(Counter)
class CounterAdmin(ReadOnlyAdmin):
    """What reception counted."""

    list_display = ("name", "value", "changed_at")
