"""Classic mode over directories and their groups."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Directory, DirectoryGroup
from apps.accounts.services.directories import configuring, mapping
from apps.core.actors import Actor
from apps.core.classic import ScopedAdmin


class DirectoryForm(forms.ModelForm):
    """A directory; its password is only ever typed, and what is left empty becomes what is usual."""

    servers = forms.CharField(label=_("servers"), max_length=2000, help_text=_("With spaces or commas between them."))
    new_password = forms.CharField(
        label=_("password of the account that searches"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty to keep the present one."),
    )

    class Meta:
        model = Directory
        fields = tuple(name for name in configuring.CHANGEABLE if name != "bind_password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["servers"] = ", ".join(self.instance.servers or [])
        for name in ("user_filter", "username_attribute", "group_filter", "group_kind"):
            self.fields[name].required = False

    def clean_servers(self) -> list[str]:
        """Give the servers as a list."""
        return str(self.cleaned_data["servers"]).replace(",", " ").split()


@admin.register(Directory)
class DirectoryAdmin(ScopedAdmin):
    """LDAP and Active Directory servers whose users may sign in."""

    form = DirectoryForm
    view_word = change_word = "access"
    list_display = ("position", "name", "kind", "enabled", "answered_at", "fault")
    list_display_links = ("name",)
    list_filter = ("kind", "enabled")
    search_fields = ("name",)

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Directory:
        """Keep a directory."""
        return configuring.create(_entered(sent), actor)

    def update(self, found: Directory, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a directory."""
        configuring.change(found, _entered(changed), actor)

    def remove(self, found: Directory, actor: Actor) -> None:
        """Remove a directory with the accounts that came from it."""
        configuring.remove(found, actor)


def _entered(sent: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in sent.items() if name != "new_password"}
    return fields | ({"bind_password": sent["new_password"]} if sent.get("new_password") else {})


@admin.register(DirectoryGroup)
class DirectoryGroupAdmin(ScopedAdmin):
    """Groups of directories that roles can be granted to; found by their distinguished name."""

    view_word = change_word = "access"
    list_display = ("directory", "name", "dn")
    list_filter = ("directory",)
    search_fields = ("name", "dn")
    fields = ("directory", "dn")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: another name is another group."""
        return False

    def create(self, sent: Mapping[str, Any], actor: Actor) -> DirectoryGroup:
        """Make a group known."""
        return mapping.add(sent["directory"], sent["dn"], actor)

    def remove(self, found: DirectoryGroup, actor: Actor) -> None:
        """Forget it with what it was granted."""
        mapping.remove(found, actor)
