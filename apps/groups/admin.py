"""Classic mode over the group tree."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.classic import ScopedAdmin, VisibleFilter, visible_rows
from apps.groups import services
from apps.groups.models import Group


@admin.register(Group)
class GroupAdmin(ScopedAdmin):
    """The groups that components stand in."""

    change_word = "groups"
    list_display = ("__str__", "parent", "description")
    list_filter = (("parent", VisibleFilter),)
    search_fields = ("name", "description")
    fields = ("name", "parent", "description")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer as parents the groups that the user may change; only the topmost group has none."""
        kwargs["queryset"] = visible_rows(Group, request.user, "groups")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for a parent of every group but the topmost."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        if "parent" in form.base_fields:
            form.base_fields["parent"].required = obj is None or obj.parent_id is not None
        return form

    def create(self, sent: Mapping[str, Any], actor: Actor) -> Group:
        """Make a group."""
        return services.create(sent["name"], sent["parent"], actor, sent["description"])

    def update(self, found: Group, changed: Mapping[str, Any], actor: Actor) -> None:
        """Rename, describe or move a group."""
        services.change(found, actor, **changed)

    def remove(self, found: Group, actor: Actor) -> None:
        """Remove an empty group."""
        services.remove(found, actor)
