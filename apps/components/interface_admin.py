"""Classic mode over the ways in which components are managed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.components import driver_parameters
from apps.components.models import ManagementInterface
from apps.components.services import registration
from apps.components.services.drafts import NewInterface
from apps.core.actors import Actor
from apps.core.classic import ScopedAdmin


@admin.register(ManagementInterface)
class InterfaceAdmin(ScopedAdmin):
    """Connections: what is set for each, and how the last contact went."""

    change_word = "components"
    discreet = ("credential",)
    list_display = ("component", "driver", "address", "port", "credential", "enabled", "status", "last_polled_at")
    list_filter = ("driver", "enabled", "status")
    list_select_related = ("component", "credential")
    search_fields = ("component__name", "address", "driver")
    fields = ("component", "driver", "address", "port", "credential", "parameters", "enabled")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the drivers that there are."""
        if db_field.name == "driver":
            offered = [(name, _(spec.label)) for name, spec in driver_parameters.offered().items()]
            return forms.ChoiceField(label=db_field.verbose_name, choices=offered)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep whose it is, and the driver of one that is there."""
        return ("component", "driver") if obj else ()

    def create(self, sent: Mapping[str, Any], actor: Actor) -> ManagementInterface:
        """Add one to its component."""
        present = {row.pk for row in sent["component"].interfaces.all()}
        made = _wanted(NewInterface(driver=sent["driver"], address=sent["address"]), sent)
        changed = registration.change(sent["component"], {"interfaces": [*_all_of(sent["component"]), made]}, actor)
        return changed.interfaces.exclude(pk__in=present).get()

    def update(self, found: ManagementInterface, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change one; the others of its component stay."""
        wanted = [_wanted(one, changed) if one.id == found.pk else one for one in _all_of(found.component)]
        registration.change(found.component, {"interfaces": wanted}, actor)

    def remove(self, found: ManagementInterface, actor: Actor) -> None:
        """Take one from its component."""
        kept = [one for one in _all_of(found.component) if one.id != found.pk]
        registration.change(found.component, {"interfaces": kept}, actor)


def _all_of(component: Any) -> list[NewInterface]:
    names = ("driver", "address", "port", "credential_id", "parameters", "enabled", "id")
    return [NewInterface(**{name: getattr(row, name) for name in names}) for row in component.interfaces.all()]


def _wanted(one: NewInterface, sent: Mapping[str, Any]) -> NewInterface:
    """Give an interface with what a form says of it."""
    told = {name: sent[name] for name in ("address", "port", "enabled") if name in sent}
    if "parameters" in sent:
        told["parameters"] = sent["parameters"] or {}
    if "credential" in sent:
        told["credential_id"] = sent["credential"].pk if sent["credential"] is not None else None
    return replace(one, **told)
