"""Classic mode over users and their sessions."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.directory_admin import DirectoryAdmin, DirectoryGroupAdmin
from apps.accounts.models import LockOut, Session, TotpDevice, User
from apps.accounts.password_policy import in_words_lazy
from apps.accounts.services import lockouts, passwords, second_factor, sessions, users
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.classic import ScopedAdmin
from apps.core.forms import AsShown

__all__ = ["DirectoryAdmin", "DirectoryGroupAdmin"]  # registered in their own module

admin.site.unregister(DjangoGroup)  # what users may do is said by grants


class UserForm(AsShown, forms.ModelForm):
    """A user, with a new password where one is typed; a new user needs one."""

    new_password = forms.CharField(
        label=_("New password"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = users.CHANGEABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["new_password"]
        if self.instance.pk is None:
            field.required = True
            field.help_text = in_words_lazy()
        else:
            field.help_text = _("Leave it empty to keep the present one.")


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """The users of the portal."""

    form = UserForm
    view_word = change_word = "access"
    list_display = ("username", "email", "is_active", "must_change_password", "last_login")
    list_filter = ("is_active", "must_change_password")
    search_fields = ("username", "email", "first_name", "last_name")

    def create(self, sent: Mapping[str, Any], actor: Actor) -> User:
        """Make a user."""
        fields = {name: sent[name] for name in ("email", "first_name", "last_name", "is_active")}
        must_change = sent["must_change_password"]
        return users.create(sent["username"], sent["new_password"], actor, must_change=must_change, fields=fields)

    def update(self, found: User, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a user, and his password where one was typed."""
        fields = {name: value for name, value in changed.items() if name != "new_password"}
        if fields:
            users.change(found, fields, actor)
        if "new_password" in changed:
            must_change = changed.get("must_change_password", True)
            passwords.set_password(found, changed["new_password"], actor, must_change=must_change)

    def remove(self, found: User, actor: Actor) -> None:
        """Remove a user."""
        users.remove(found, actor)


@admin.register(Session)
class SessionAdmin(ScopedAdmin):
    """Who is signed in where; ending a session signs that browser out."""

    view_word = change_word = "access"
    can_add = False
    list_display = ("user", "signed_in_at", "active_at", "address", "browser")
    search_fields = ("user__username", "address")
    fields = ("user", "signed_in_at", "active_at", "address", "browser")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        """Give the sessions that go on: this page is for those who manage access."""
        rows = Session.objects.alive().select_related("user")
        return rows if scoping.may(request.user, "access") else rows.none()

    def _may(self, request: HttpRequest, word: str | None, found: Any = None) -> bool:
        return word is not None and scoping.may(request.user, word)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    @admin.display(description=_("browser"))
    def browser(self, session: Session) -> str:
        """Say which browser it is."""
        return session.browser

    def remove(self, found: Session, actor: Actor) -> None:
        """Sign that browser out."""
        sessions.end(found, actor)


@admin.register(LockOut)
class LockOutAdmin(ScopedAdmin):
    """Accounts and addresses with failed sign-ins; removing one lets it sign in again at once."""

    view_word = change_word = "access"
    can_add = False
    list_display = ("name", "kind", "failures", "last_failed_at", "locked_until", "locked")
    list_filter = ("kind",)
    search_fields = ("name",)
    fields = ("kind", "name", "failures", "last_failed_at", "locked_until")
    readonly_fields = fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    @admin.display(description=_("locked"), boolean=True)
    def locked(self, row: LockOut) -> bool:
        """Say whether sign-in is refused now."""
        return row.is_locked

    def remove(self, found: LockOut, actor: Actor) -> None:
        """Let it sign in again."""
        lockouts.release_row(found, actor)


@admin.register(TotpDevice)
class SecondFactorAdmin(ScopedAdmin):
    """Who has a second factor; removing it lets its user set up another one. Secrets are not shown."""

    view_word = change_word = "access"
    can_add = False
    list_display = ("user", "confirmed", "confirmed_at")
    list_filter = ("confirmed",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = ("user", "confirmed", "made_at", "confirmed_at")
    readonly_fields = fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def remove(self, found: TotpDevice, actor: Actor) -> None:
        """Take it from its user."""
        second_factor.reset(found.user, actor)
