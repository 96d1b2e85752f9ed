"""The API resource of failed sign-ins: who is locked until when, and his release."""

from typing import Any

import django_filters
from django.urls import URLPattern
from rest_framework import mixins, serializers

from apps.accounts.models import LockedThing, LockOut
from apps.accounts.services import lockouts
from apps.core.api import PortalViewSet, Reads, Removes, resource
from apps.core.api_fields import KnownKeys
from apps.core.api_filters import IdFilter


class LockOutSerializer(KnownKeys, serializers.ModelSerializer[LockOut]):
    """What failed for an account or from an address; removing it lets that sign in again at once."""

    is_locked = serializers.BooleanField(read_only=True)
    known_browser = serializers.SerializerMethodField(
        help_text="Whether it counts only one browser, with which the account had signed in before."
    )

    class Meta:
        model = LockOut
        fields = ("id", "kind", "name", "known_browser", "failures", "last_failed_at", "locked_until", "is_locked")
        read_only_fields = fields

    def get_known_browser(self, found: LockOut) -> bool:
        """Say whether one browser is counted."""
        return bool(found.browser)


class LockOutFilter(django_filters.FilterSet):
    """Which counts."""

    id = IdFilter()
    kind = django_filters.ChoiceFilter(choices=LockedThing.choices)
    name = django_filters.CharFilter()


class LockOutViewSet(Reads, Removes, mixins.ListModelMixin, PortalViewSet):
    """Sign-ins that failed within a day, by account and by address; DELETE releases."""

    queryset = LockOut.objects.all()
    serializer_class = LockOutSerializer
    filterset_class = LockOutFilter
    search_fields = ("name",)
    reading = writing = "access"

    def perform_destroy(self, found: Any) -> None:
        """Let it sign in again."""
        lockouts.release_row(found, self.actor)


routes: list[URLPattern] = resource("lock-outs", LockOutViewSet, "lock-out")
