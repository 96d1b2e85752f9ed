"""The API resource of alert reception: how the receiver stands, its SNMP engine, and what it counted."""

from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts.models import Counter
from apps.alerts.services import reception
from apps.core import scoping
from apps.core.api import PortalViewSet
from apps.core.api_filters import refuse_unknown_parameters


class ReceptionSerializer(serializers.Serializer[Any]):
    """What the receiver said of itself last; null where it gave no sign of life for 30 seconds."""

    seen_at = serializers.DateTimeField(allow_null=True)
    addresses = serializers.ListField(child=serializers.CharField(), allow_null=True)
    event_addresses = serializers.ListField(child=serializers.CharField(), allow_null=True)
    waiting = serializers.IntegerField(allow_null=True)
    storing = serializers.BooleanField(allow_null=True)
    engine_id = serializers.CharField(allow_null=True)
    engine_boots = serializers.IntegerField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class ReceptionViewSet(PortalViewSet):
    """How alert reception stands; for those who may enter credentials somewhere."""

    serializer_class = ReceptionSerializer
    queryset = Counter.objects.none()
    reading = writing = "credentials"
    filter_backends = ()
    pagination_class = None

    def is_open_to(self, user: Any) -> bool:
        """Say whether a user may make a credential in any group, because devices are set up with what stands here."""
        return scoping.may_somewhere(user, self.word)

    @extend_schema(responses=forced_singular_serializer(ReceptionSerializer))
    def list(self, request: Request) -> Response:
        """Tell how reception stands."""
        refuse_unknown_parameters(request, self)
        state = reception.reception_state()
        names = ("addresses", "event_addresses", "waiting", "storing", "engine_id", "engine_boots")
        said = {name: getattr(state, name) if state else None for name in names}
        return Response(
            self.get_serializer({"seen_at": state.at if state else None, **said, "counts": Counter.values()}).data
        )


routes: list[URLPattern] = [path("reception/", ReceptionViewSet.as_view({"get": "list"}), name="reception")]
