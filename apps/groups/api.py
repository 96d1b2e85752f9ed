"""The API resource of groups."""

from typing import Any

import django_filters
from django.urls import URLPattern
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from apps.core import scoping
from apps.core.api import ScopedModelViewSet, resource
from apps.core.api_fields import Reference, Strict, Text
from apps.core.api_filters import IdFilter
from apps.groups import services
from apps.groups.models import Group


@extend_schema_field({"type": "integer", "nullable": True})
class Parent(Reference):
    """The group above; none is shown that the caller may not see, and none is taken."""


class GroupSerializer(Strict):
    """A group of the tree; the topmost that the caller sees have no parent. A new group stands in them by itself."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=100)
    # Named as in the API, which hides an attribute of the base.
    parent = Parent(queryset=Group.objects.all(), required=False)  # type: ignore[assignment]
    description = Text(max_length=300, required=False, allow_blank=True)

    def to_representation(self, instance: Group) -> dict[str, Any]:
        """Leave out a parent that the caller may not see."""
        shown: dict[str, Any] = super().to_representation(instance)
        if instance.parent_id not in scoping.scope_of(self.context["request"].user):
            shown["parent"] = None
        return shown


class GroupFilter(django_filters.FilterSet):
    """Which groups."""

    id = IdFilter()
    name = django_filters.CharFilter()
    parent = IdFilter()
    description = django_filters.CharFilter()


class GroupViewSet(ScopedModelViewSet):
    """The tree that components stand in; who may change a group may change those below it."""

    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    filterset_class = GroupFilter
    search_fields = ("name", "description")
    writing = "groups"

    def perform_create(self, serializer: Any) -> Group:
        """Make a group below one that the caller may change."""
        sent = serializer.validated_data
        parent = sent.get("parent") or services.topmost_group(self.request.user, self.word)
        if parent is None:
            raise exceptions.PermissionDenied
        self.require(parent.pk)
        return services.create(sent["name"], parent, self.actor, sent.get("description", ""))

    def perform_update(self, serializer: Any) -> None:
        """Rename, describe or move a group."""
        sent = serializer.validated_data
        if "parent" in sent:
            self.require(sent["parent"].pk)
        services.change(serializer.instance, self.actor, **sent)

    def perform_destroy(self, found: Group) -> None:
        """Remove an empty group."""
        services.remove(found, self.actor)


routes: list[URLPattern] = resource("groups", GroupViewSet)
