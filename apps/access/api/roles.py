"""The API resources of roles and of who holds them where."""

from typing import Any

import django_filters
from django.urls import URLPattern
from django.utils.translation import gettext as _
from rest_framework import mixins, serializers

from apps.access.models import HOLDERS, Grant, Role
from apps.access.services import roles, second_factor
from apps.core import scoping
from apps.core.api import Creates, PortalModelViewSet, PortalViewSet, Reads, Removes, resource
from apps.core.api_fields import Flag, KnownKeys
from apps.core.api_filters import FlagFilter, IdFilter
from apps.core.writes import turn

HOLDER_FIELDS = tuple(holder.field for holder in HOLDERS)


class RoleSerializer(KnownKeys, serializers.ModelSerializer[Role]):
    """A role."""

    permissions = serializers.ListField(child=serializers.ChoiceField(choices=list(scoping.PERMISSIONS)))
    needs_second_factor = Flag(
        default=False, help_text="Whether whoever holds the role has to set up a second factor; of built-in ones, too."
    )

    class Meta:
        model = Role
        fields = ("id", "name", "permissions", "built_in", "needs_second_factor")
        read_only_fields = ("built_in",)


class RoleFilter(django_filters.FilterSet):
    """Which roles."""

    id = IdFilter()
    name = django_filters.CharFilter()
    built_in = FlagFilter()
    needs_second_factor = FlagFilter()


class RoleViewSet(PortalModelViewSet):
    """What users may be allowed to do, by name."""

    queryset = Role.objects.all()
    serializer_class = RoleSerializer
    filterset_class = RoleFilter
    search_fields = ("name",)
    reading = writing = "access"

    def perform_create(self, serializer: Any) -> Role:
        """Make a role."""
        fields = dict(serializer.validated_data)
        needed = fields.pop("needs_second_factor")
        with turn():
            made = roles.create_role(**fields, actor=self.actor)
            second_factor.require(made, needed, self.actor)
        return made

    def perform_update(self, serializer: Any) -> None:
        """Change a role; of one that comes with the portal, whether it needs a second factor."""
        fields = dict(serializer.validated_data)
        if "needs_second_factor" in fields:
            second_factor.require(serializer.instance, fields.pop("needs_second_factor"), self.actor)
        if fields:
            roles.change_role(serializer.instance, self.actor, **fields)

    def perform_destroy(self, found: Role) -> None:
        """Remove a role."""
        roles.remove_role(found, self.actor)


class GrantSerializer(KnownKeys, serializers.ModelSerializer[Grant]):
    """A role given to one holder on a group and everything below it; the other holders are null."""

    class Meta:
        model = Grant
        fields = ("id", *HOLDER_FIELDS, "role", "group")
        validators = ()  # the service looks

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one holder and no other."""
        named = [name for name in HOLDER_FIELDS if attrs.get(name) is not None]
        if len(named) != 1:
            sentence = _("Name exactly one holder: %(names)s.") % {"names": ", ".join(HOLDER_FIELDS)}
            raise serializers.ValidationError({(named or HOLDER_FIELDS)[-1]: [sentence]})
        return attrs


class GrantFilter(django_filters.FilterSet):
    """Which grants."""

    id = IdFilter()
    user = IdFilter()
    team = IdFilter()
    directory_group = IdFilter()
    role = IdFilter()
    group = IdFilter()


class GrantViewSet(Reads, Creates, Removes, mixins.ListModelMixin, PortalViewSet):
    """Who holds which role where; a grant is not changed but taken back and given anew."""

    queryset = Grant.objects.complete()
    serializer_class = GrantSerializer
    filterset_class = GrantFilter
    search_fields = ("user__username", "team__name", "directory_group__name", "role__name", "group__name")
    reading = writing = "access"

    def perform_create(self, serializer: Any) -> Grant:
        """Give a role."""
        sent = serializer.validated_data
        holder = next(sent[name] for name in HOLDER_FIELDS if sent.get(name) is not None)
        return roles.grant(holder, sent["role"], sent["group"], self.actor)

    def perform_destroy(self, found: Grant) -> None:
        """Take it back."""
        roles.withdraw(found, self.actor)


routes: list[URLPattern] = [*resource("roles", RoleViewSet), *resource("grants", GrantViewSet)]
