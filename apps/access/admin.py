"""Classic mode over roles, grants, addresses and tokens."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.access.forms import NetworksField
from apps.access.models import AllowedAddress, ApiToken, Grant, Role, SignInRule
from apps.access.services import addresses, roles, second_factor, tokens, whereabouts
from apps.accounts.models import Team
from apps.accounts.services import teams
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.classic import ScopedAdmin, VisibleFilter


class RoleForm(forms.ModelForm):
    """A role with its permissions as boxes."""

    permissions = forms.MultipleChoiceField(
        label=_("permissions"), choices=list(scoping.PERMISSIONS.items()), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Role
        fields = ("name", "permissions", "needs_second_factor")


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """What users may be allowed to do."""

    form = RoleForm
    view_word = change_word = "access"
    list_display = ("name", "built_in", "needs_second_factor")
    search_fields = ("name",)

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Role:
        """Make a role."""
        made = roles.create_role(sent["name"], sent["permissions"], actor)
        second_factor.require(made, sent["needs_second_factor"], actor)
        return made

    def update(self, found: Role, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a role; of one that comes with the portal, whether it needs a second factor."""
        fields = dict(changed)
        if "needs_second_factor" in fields:
            second_factor.require(found, fields.pop("needs_second_factor"), actor)
        if fields:
            roles.change_role(found, actor, **fields)

    def remove(self, found: Role, actor: Actor) -> None:
        """Remove a role."""
        roles.remove_role(found, actor)


@admin.register(Team)
class TeamAdmin(ScopedAdmin):
    """Users who are granted roles together."""

    view_word = change_word = "access"
    list_display = ("name", "note")
    search_fields = ("name", "note", "members__username")
    fields = ("name", "note", "members")
    filter_horizontal = ("members",)

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Team:
        """Make a team."""
        return teams.create(sent["name"], actor, note=sent["note"], members=list(sent["members"]))

    def update(self, found: Team, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a team, and its members where they were changed."""
        told = {name: changed[name] for name in ("name", "note") if name in changed}
        if told:
            teams.change(found, actor, **told)
        if "members" in changed:
            teams.set_members(found, list(changed["members"]), actor)

    def remove(self, found: Team, actor: Actor) -> None:
        """Remove a team."""
        teams.remove(found, actor)


@admin.register(Grant)
class GrantAdmin(ScopedAdmin):
    """Who holds which role where; taken back and given anew, not changed."""

    view_word = change_word = "access"
    list_display = ("holder", "role", "group")
    list_select_related = ("user", "team", "directory_group__directory", "role", "group")
    list_filter = ("role", ("group", VisibleFilter))
    search_fields = ("user__username", "team__name", "directory_group__name", "role__name", "group__name")
    fields = ("user", "team", "directory_group", "role", "group")

    @admin.display(description=_("holder"))
    def holder(self, grant: Grant) -> str:
        """Name who holds it."""
        return str(grant.holder)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Grant:
        """Give a role."""
        return roles.grant(sent["user"] or sent["team"] or sent["directory_group"], sent["role"], sent["group"], actor)

    def remove(self, found: Grant, actor: Actor) -> None:
        """Take it back."""
        roles.withdraw(found, actor)


@admin.register(AllowedAddress)
class AddressAdmin(ScopedAdmin):
    """Who may connect besides the machine itself."""

    view_word = change_word = "access"
    list_display = ("network", "note", "created_at")
    search_fields = ("network", "note")
    fields = ("network", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Let only the note be changed later."""
        return ("network",) if obj else ()

    def create(self, sent: Mapping[str, Any], actor: Actor) -> AllowedAddress:
        """Let an address connect."""
        return addresses.allow(sent["network"], sent["note"], actor)

    def update(self, found: AllowedAddress, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change the note."""
        addresses.describe(found, changed.get("note", found.note), actor)

    def remove(self, found: AllowedAddress, actor: Actor) -> None:
        """Stop an address from connecting."""
        addresses.disallow(found, actor)


class SignInRuleForm(forms.ModelForm):
    """A rule with its prefixes in one line."""

    networks = NetworksField(label=_("only from"), required=True)

    class Meta:
        model = SignInRule
        fields = ("user", "role", "networks")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["networks"] = ", ".join(self.instance.networks)


@admin.register(SignInRule)
class SignInRuleAdmin(ScopedAdmin):
    """From where users, and the holders of roles, may sign in."""

    form = SignInRuleForm
    view_word = change_word = "access"
    list_display = ("subject", "networks")
    list_select_related = ("user", "role")
    search_fields = ("user__username", "role__name")

    @admin.display(description=_("user or role"))
    def subject(self, rule: SignInRule) -> str:
        """Name whom it concerns."""
        return str(rule.subject)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Let only the prefixes be changed later."""
        return ("user", "role") if obj else ()

    def create(self, sent: Mapping[str, Any], actor: Actor) -> SignInRule:
        """Make a rule."""
        made = whereabouts.restrict(sent["user"] or sent["role"], sent["networks"], actor)
        if made is None:
            raise ValidationError(_("Enter at least one address or prefix."))
        return made

    def update(self, found: SignInRule, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change the prefixes."""
        whereabouts.restrict(found.subject, changed.get("networks", found.networks), actor)

    def remove(self, found: SignInRule, actor: Actor) -> None:
        """Let them come from everywhere."""
        whereabouts.restrict(found.subject, [], actor)


@admin.register(ApiToken)
class TokenAdmin(ScopedAdmin):
    """The API tokens of all users, without their secrets, for those who manage access."""

    view_word = change_word = "access"
    can_add = False
    list_display = ("user", "name", "prefix", "read_only", "expires_at", "last_used_at")
    search_fields = ("name", "user__username")
    exclude = ("digest",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Give the tokens of all users: this page is for those who manage them."""
        return (
            ApiToken.objects.select_related("user") if scoping.may(request.user, "access") else ApiToken.objects.none()
        )

    def _may(self, request: HttpRequest, word: str | None, found: Any = None) -> bool:
        return word is not None and scoping.may(request.user, word)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a token is made anew."""
        return False

    def remove(self, found: ApiToken, actor: Actor) -> None:
        """Take a token back."""
        tokens.remove(found, actor)
