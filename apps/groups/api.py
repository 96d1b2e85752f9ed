"""The API resource of groups."""

from typing import Any

import django_filters
from django.urls import URLPattern
from rest_framework import exceptions, serializers

from apps.core.api import ScopedModelViewSet, resource
from apps.core.api_fields import Reference, Strict, Text
from apps.core.api_filters import IdFilter
from apps.groups import services
from apps.groups.models import Group


class GroupSerializer(Strict):
    """A group of the tree; only the topmost has no parent. Without one, a new group stands in the caller's topmost."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=100)
    # Named as in the API, which hides an attribute of the base.
    parent = Reference(queryset=Group.objects.all(), required=False)  # type: ignore[assignment]
    description = Text(max_length=300, required=False, allow_blank=True)


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
