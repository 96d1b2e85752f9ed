"""Classic mode over components and credentials."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.components import credential_kinds
from apps.components.models import Component, Credential, ManagementInterface
from apps.components.services import credentials, registration
from apps.core.actors import Actor
from apps.core.admin import ReadOnlyInline, ScopedAdmin, VisibleFilter


class InterfaceInline(ReadOnlyInline):
    """The ways in which a component is managed; they are changed on its own page."""

    model = ManagementInterface
    fields = readonly_fields = ("driver", "address", "port", "enabled", "status", "last_polled_at", "last_error")


@admin.register(Component)
class ComponentAdmin(ScopedAdmin):
    """Managed devices."""

    change_word = "components"
    list_display = ("name", "alias", "category", "group", "status", "last_seen_at")
    list_filter = ("status", "category", ("group", VisibleFilter))
    search_fields = ("search_text",)
    fields = registration.PLAIN
    inlines = (InterfaceInline,)

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Component:
        """Register a component; its interfaces are added on its own page."""
        return registration.register(registration.NewComponent(**sent), actor)

    def update(self, found: Component, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a component."""
        registration.change(found, changed, actor)

    def remove(self, found: Component, actor: Actor) -> None:
        """Remove a component with all that hangs on it."""
        registration.remove([found], actor)


class CredentialForm(forms.ModelForm):
    """A credential whose fields are only ever written."""

    secret_fields = forms.CharField(
        label=_("Fields"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=_('As JSON, for example {"version": "2c", "community": "…"}. What is there is never shown.'),
    )

    class Meta:
        model = Credential
        fields = ("name", "kind", "group")

    def clean_secret_fields(self) -> Any:
        """Read the JSON; what was typed is not repeated."""
        typed = self.cleaned_data["secret_fields"]
        if not typed.strip():
            return None
        try:
            return json.loads(typed)
        except ValueError:
            raise ValidationError(_("This is not JSON.")) from None


@admin.register(Credential)
class CredentialAdmin(ScopedAdmin):
    """Logins that interfaces share."""

    form = CredentialForm
    change_word = "credentials"
    list_display = ("name", "kind", "group", "version", "changed_at")
    list_filter = ("kind", ("group", VisibleFilter))
    search_fields = ("name",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the kinds that there are."""
        if db_field.name == "kind":
            return forms.ChoiceField(label=_("kind"), choices=[(kind, kind) for kind in credential_kinds.KINDS])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the kind of a credential that is there."""
        return ("kind",) if obj else ()

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Credential:
        """Keep a new credential."""
        return credentials.create(sent["name"], sent["kind"], sent["group"], sent["secret_fields"] or {}, actor)

    def update(self, found: Credential, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a credential."""
        credentials.change(
            found, actor, name=changed.get("name"), group=changed.get("group"), fields=changed.get("secret_fields")
        )

    def remove(self, found: Credential, actor: Actor) -> None:
        """Remove a credential that no interface uses."""
        credentials.remove(found, actor)
