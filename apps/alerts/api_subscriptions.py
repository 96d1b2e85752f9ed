"""The API resources of Redfish events: the subscriptions of devices, and those that are still to be removed."""

from collections.abc import Mapping
from typing import ClassVar

import django_filters
from django.urls import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts.models import EventSubscription, Farewell, SubscriptionState
from apps.alerts.subscriptions import farewells, trying
from apps.core.api import Accepted, PortalViewSet, Reads, Removes, ScopedReadOnlyViewSet, accepted, resource
from apps.core.api_fields import Nothing, Phrased
from apps.core.api_filters import IdFilter


class SubscriptionSerializer(serializers.ModelSerializer[EventSubscription]):
    """What a device was asked to send here. ``others`` are the addresses of other managers to which it sends, too."""

    component = serializers.IntegerField(source="interface.component_id")
    last_error = Phrased()

    class Meta:
        model = EventSubscription
        fields = (
            "id",
            "interface",
            "component",
            "state",
            "place",
            "uri",
            "others",
            "tests",
            "since",
            "looked_at",
            "last_event_at",
            "last_error",
        )


class SubscriptionFilter(django_filters.FilterSet):
    """Which subscriptions."""

    id = IdFilter()
    interface = IdFilter()
    component = IdFilter(field_name="interface__component")
    state = django_filters.MultipleChoiceFilter(choices=SubscriptionState.choices)


class SubscriptionViewSet(ScopedReadOnlyViewSet):
    """The subscriptions of devices; they are made and removed by themselves."""

    queryset = EventSubscription.objects.select_related("interface__component").order_by("pk")
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    permission_words: ClassVar[Mapping[str, str]] = {"test": "check"}
    search_fields = ("interface__address", "place")

    @extend_schema(request=None, responses={202: Accepted})
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def test(self, request: Request, pk: int) -> Response:
        """Have the device send a test event; the job is done when it has arrived."""
        return accepted(trying.order([self.get_object()], self.actor), request)


class FarewellSerializer(serializers.ModelSerializer[Farewell]):
    """A device that is still to be told to send no more; ``given_up``: nobody tries any more."""

    given_up = serializers.BooleanField(source="is_given_up")
    last_error = Phrased()

    class Meta:
        model = Farewell
        fields = ("id", "name", "driver", "address", "port", "uri", "given_up", "due_at", "tries", "last_error")


class FarewellViewSet(Reads, Removes, mixins.ListModelMixin, PortalViewSet):
    """The subscriptions that could not be removed yet; to delete one is to say that it was done by hand."""

    queryset = Farewell.objects.defer("login").order_by("pk")
    serializer_class = FarewellSerializer
    reading = writing = "credentials"
    search_fields = ("name", "address")

    def perform_destroy(self, found: Farewell) -> None:
        """Take it off the list."""
        farewells.forget(found, self.actor)


routes: list[URLPattern] = [
    *resource("event-subscriptions", SubscriptionViewSet),
    *resource("event-farewells", FarewellViewSet),
]
