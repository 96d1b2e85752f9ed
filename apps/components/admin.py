"""Classic mode over components, credentials and suspend periods."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.components import credential_kinds
from apps.components.interface_admin import InterfaceAdmin
from apps.components.models import Component, Credential, ManagementInterface, SuspendPeriod
from apps.components.services import credentials, registration, suspend_periods
from apps.core.actors import Actor
from apps.core.classic import ReadOnlyInline, ScopedAdmin, VisibleFilter, visible_rows

__all__ = ["InterfaceAdmin"]  # registered in its own module


class InterfaceInline(ReadOnlyInline):
    """The ways in which a component is managed; they are changed one by one."""

    model = ManagementInterface
    fields = readonly_fields = ("driver", "address", "port", "enabled", "status", "last_polled_at", "last_error")


@admin.register(Component)
class ComponentAdmin(ScopedAdmin):
    """Managed devices."""

    change_word = "components"
    discreet = ("parent",)
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


RULE = (
    *("time_zone", "first_day", "begins", "length", "repeat", "every", "weekdays", "month_day", "nth", "last_day"),
    "exceptions",
)


class SuspendPeriodForm(forms.ModelForm):
    """A suspend period by its columns; the pages have a form that is easier to fill in."""

    class Meta:
        model = SuspendPeriod
        fields = ("name", "component", "group", "enabled", *RULE)
        help_texts = {
            "length": _("As 08:00:00, or 2 00:00:00 for two days; empty: until somebody ends it."),
            "weekdays": _("As [0, 6]: 0 is Monday."),
            "month_day": _("1 to 31, or -1 for the last day."),
            "nth": _("With one weekday: 1 to 5, or -1 for the last one of the month."),
            "exceptions": _('As ["2026-12-24", "2026-12-25"].'),
        }

    def clean(self) -> dict[str, Any]:
        """Check that there is one target, and that the columns can be read as a rule."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.instance.pk and (given.get("component") is None) == (given.get("group") is None):
            self.add_error("group", gettext("Give either a component or a group."))
        columns = {name: given[name] for name in RULE if name in given}
        try:
            SuspendPeriod(**columns).rule  # noqa: B018 - only whether it can be read
        except (TypeError, ValueError) as error:
            if not self.errors:
                raise ValidationError(gettext("Weekdays are numbers, days are written 2026-12-24.")) from error
        return given


@admin.register(SuspendPeriod)
class SuspendPeriodAdmin(ScopedAdmin):
    """When components are suspended."""

    form = SuspendPeriodForm
    change_word = "suspend"
    list_display = ("name", "component", "group", "plan", "enabled", "in_force", "upcoming_from", "upcoming_until")
    list_filter = ("in_force", "enabled", "repeat", ("group", VisibleFilter))
    list_select_related = ("component", "group")
    search_fields = ("name",)

    @admin.display(description=_("when"))
    def plan(self, period: SuspendPeriod) -> str:
        """Give the rule in words."""
        return period.in_words

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the components that the user may suspend."""
        if db_field.name == "component":
            kwargs["queryset"] = visible_rows(Component, request.user, "suspend")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep whom a period that is there suspends."""
        return ("component", "group") if obj else ()

    def create(self, sent: Mapping[str, Any], actor: Actor) -> SuspendPeriod:
        """Plan a period."""
        rule = SuspendPeriod(**{name: sent[name] for name in RULE}).rule
        target = sent["component"] or sent["group"]
        return suspend_periods.create(target, sent["name"], rule, actor, sent["enabled"]).period

    def update(self, found: SuspendPeriod, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a period."""
        rule = None
        if changed.keys() & set(RULE):
            columns = {name: changed.get(name, getattr(found, name)) for name in RULE}
            rule = SuspendPeriod(**columns).rule
        suspend_periods.change(found, actor, name=changed.get("name"), rule=rule, enabled=changed.get("enabled"))

    def remove(self, found: SuspendPeriod, actor: Actor) -> None:
        """Forget a period."""
        suspend_periods.remove(found, actor)
