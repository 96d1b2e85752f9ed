"""The API resource of teams."""

from typing import Any

import django_filters
from django.urls import URLPattern
from rest_framework import serializers

from apps.accounts.models import Team, User
from apps.accounts.services import teams
from apps.core.api import PortalModelViewSet, resource
from apps.core.api_fields import KnownKeys, Text
from apps.core.api_filters import IdFilter
from apps.core.writes import turn


class TeamSerializer(KnownKeys, serializers.ModelSerializer[Team]):
    """Some users who are granted roles together; ``members`` is the full set of their ids."""

    name = Text(max_length=100)
    note = Text(max_length=300, required=False, allow_blank=True)
    members = serializers.PrimaryKeyRelatedField(many=True, queryset=User.objects.all(), required=False)

    class Meta:
        model = Team
        fields = ("id", "name", "note", "members")


class TeamFilter(django_filters.FilterSet):
    """Which teams."""

    id = IdFilter()
    name = django_filters.CharFilter()
    members = IdFilter()


class TeamViewSet(PortalModelViewSet):
    """Users under one name; what is granted to a team, each of them holds."""

    queryset = Team.objects.prefetch_related("members")
    serializer_class = TeamSerializer
    filterset_class = TeamFilter
    search_fields = ("name", "note", "members__username")
    reading = writing = "access"
    etag_related = ("members",)

    def perform_create(self, serializer: Any) -> Team:
        """Make a team."""
        return teams.create(**serializer.validated_data, actor=self.actor)

    def perform_update(self, serializer: Any) -> None:
        """Change a team, and its members where they are named."""
        sent, team = dict(serializer.validated_data), serializer.instance
        members = sent.pop("members", None)
        with turn():
            if sent:
                teams.change(team, self.actor, **sent)
            if members is not None:
                teams.set_members(team, members, self.actor)

    def perform_destroy(self, found: Team) -> None:
        """Remove a team."""
        teams.remove(found, self.actor)


routes: list[URLPattern] = resource("teams", TeamViewSet)
