"""Classic mode over users."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup
from django.utils.translation import gettext_lazy as _

from apps.accounts.directory_admin import DirectoryAdmin, DirectoryGroupAdmin
from apps.accounts.models import User
from apps.accounts.services import users
from apps.core.actors import Actor
from apps.core.admin import ScopedAdmin

__all__ = ["DirectoryAdmin", "DirectoryGroupAdmin"]  # registered in their own module

admin.site.unregister(DjangoGroup)  # what users may do is said by grants


class UserForm(forms.ModelForm):
    """A user, with a new password where one is typed."""

    new_password = forms.CharField(
        label=_("New password"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty to keep the present one."),
    )

    class Meta:
        model = User
        fields = users.CHANGEABLE


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
            users.set_password(found, changed["new_password"], actor, must_change=must_change)

    def remove(self, found: User, actor: Actor) -> None:
        """Remove a user."""
        users.remove(found, actor)
