"""The API resources of alerts."""

import json
from typing import Any, cast

from django.http import StreamingHttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts import export
from apps.alerts.filters import LARGEST_ID, AlertFilter, IncidentFilter
from apps.alerts.listing import narrowing, walking
from apps.alerts.models import Alert, AlertQuerySet, Incident, IncidentQuerySet, Severity
from apps.alerts.paging import AlertPages, IncidentPages
from apps.alerts.services import incidents
from apps.alerts.sources import EVENT_SOURCE
from apps.core.api import ScopedReadOnlyViewSet, resource
from apps.core.api_fields import Strict
from apps.core.api_filters import refuse_unknown_parameters

AT_ONCE = 1000  # incidents in one request


class RawSerializer(serializers.Serializer[Alert]):
    """What arrived: the community is blanked out of the datagram."""

    version = serializers.CharField()
    trap_oid = serializers.CharField()
    request_id = serializers.IntegerField(allow_null=True)
    bindings = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    datagram = serializers.SerializerMethodField()
    event = serializers.SerializerMethodField()
    candidates = serializers.ListField(child=serializers.IntegerField())

    def get_datagram(self, alert: Alert) -> str:
        """Give the octets in hexadecimal."""
        return bytes(alert.datagram).hex()

    def get_event(self, alert: Alert) -> dict[str, Any] | None:
        """Give a Redfish event as it came; null for everything else, and for one that was too long to be kept."""
        if alert.source != EVENT_SOURCE or not alert.datagram:
            return None
        found: dict[str, Any] = json.loads(bytes(alert.datagram))
        return found


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """An alert."""

    title = serializers.CharField()
    detail = serializers.CharField()
    raw = RawSerializer(source="*")

    class Meta:
        model = Alert
        fields = (
            "id",
            "received_at",
            "occurred_at",
            "severity",
            "source",
            "alert_type",
            "title",
            "detail",
            "component",
            "component_name",
            "address",
            "incident",
            "quiet",
            "raw",
        )


class AlertExport(serializers.Serializer[Alert]):
    """An alert of an export, for the API's description."""

    id = serializers.IntegerField()
    computer = serializers.CharField()
    product = serializers.CharField()
    date = serializers.DateField()
    time = serializers.CharField(help_text="In the zone of who asks: 08:58:53.")
    type = serializers.CharField()
    trap_name = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # named as in the file, which hides an attribute
    detail = serializers.CharField()
    remedy = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    title = serializers.CharField()
    received_at = serializers.DateTimeField()
    occurred_at = serializers.DateTimeField(allow_null=True)
    component = serializers.IntegerField(allow_null=True)
    address = serializers.CharField(allow_null=True)
    incident = serializers.IntegerField(allow_null=True)
    quiet = serializers.CharField()
    raw = serializers.DictField()


class CsvRenderer(JSONRenderer):
    """Stands for CSV where the caller may choose; what it renders itself are problems, which are JSON always."""

    media_type = "text/csv"
    format = export.CSV


class AlertViewSet(ScopedReadOnlyViewSet):
    """What arrived and what the portal raised, newest first."""

    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    pagination_class = AlertPages  # it searches by itself

    def get_queryset(self) -> AlertQuerySet:
        """Give what the user may see; where rows have to be read, along the way."""
        if getattr(self, "swagger_fake_view", False):
            return Alert.objects.none()
        on_the_way = not self.request.query_params.keys().isdisjoint(narrowing.READ)
        return Alert.objects.visible_to(self.request.user, on_the_way=on_the_way)

    @extend_schema(
        parameters=[OpenApiParameter("format", str, enum=[export.CSV, export.JSON], default=export.JSON)],
        responses={(200, "application/json"): AlertExport(many=True), (200, "text/csv"): str},
    )
    @action(detail=False, url_path="export", pagination_class=None, renderer_classes=[JSONRenderer, CsvRenderer])
    def export(self, request: Request) -> StreamingHttpResponse:
        """Give all alerts that match as a file, by ``?format=`` or ``Accept``; texts are in the caller's language."""
        refuse_unknown_parameters(request, self)
        found = cast(AlertQuerySet, self.filter_queryset(self.get_queryset()))
        sought = request.query_params.get("q", "").strip()

        def step(before: int | None, size: int) -> walking.Stretch:
            return walking.alerts_of(found, sought, before, size, whole=True)

        asked = request.query_params.copy()
        kind = request.accepted_renderer.format
        asked.pop("format", None)
        return export.answer(request._request, step, kind, self.actor, asked.urlencode())


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An open problem, or one that has ended."""

    title = serializers.CharField()
    definition = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    acknowledged_by = serializers.CharField(source="acknowledged_by_name")
    closed_by = serializers.CharField(source="closed_by_name")
    closed_why = serializers.CharField()

    class Meta:
        model = Incident
        fields = (
            "id",
            "state",
            "severity",
            "title",
            "component",
            "component_name",
            "address",
            "definition",
            "object",
            "count",
            "first_at",
            "last_at",
            "acknowledged_by",
            "acknowledged_at",
            "acknowledged_until",
            "note",
            "closed_at",
            "closed_by",
            "closed_why",
        )


class ChosenSerializer(Strict):
    """Which incidents."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), allow_empty=False, max_length=AT_ONCE
    )


class AcknowledgeSerializer(ChosenSerializer):
    """Which incidents, why, and until when; without an end until they are closed."""

    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
    until = serializers.DateTimeField(allow_null=True, default=None)

    def validate_until(self, value: Any) -> Any:
        """Refuse a time that has passed."""
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("Enter a time in the future."))
        return value


class IncidentViewSet(ScopedReadOnlyViewSet):
    """The problems that alerts opened, newest first."""

    queryset = Incident.objects.select_related("definition")
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    pagination_class = IncidentPages  # it searches by itself
    permission_words = {"acknowledge": "alerts", "close": "alerts"}

    def get_queryset(self) -> IncidentQuerySet:
        """Give what the user may see, along the way: no index goes from the last one opened to the first."""
        if getattr(self, "swagger_fake_view", False):
            return Incident.objects.none()
        return Incident.objects.select_related("definition").visible_to(self.request.user, on_the_way=True)

    @extend_schema(request=AcknowledgeSerializer, responses=IncidentSerializer(many=True))
    @action(detail=False, methods=["post"])
    def acknowledge(self, request: Request) -> Response:
        """Take note of problems; those that have ended stay as they are. Gives all of them as they are now."""
        sent = AcknowledgeSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        chosen = self._chosen(sent.validated_data["ids"])
        incidents.acknowledge(chosen, self.actor, sent.validated_data["note"], sent.validated_data["until"])
        return self._answer(chosen)

    @extend_schema(request=ChosenSerializer, responses=IncidentSerializer(many=True))
    @action(detail=False, methods=["post"])
    def close(self, request: Request) -> Response:
        """End problems; those that have ended stay as they are. Gives all of them as they are now."""
        sent = ChosenSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        chosen = self._chosen(sent.validated_data["ids"])
        incidents.close(chosen, self.actor)
        return self._answer(chosen)

    def _chosen(self, ids: list[int]) -> list[Incident]:
        """Give the incidents of these ids: 400 naming those that are not visible, 403 when one is not permitted."""
        wanted = set(ids)
        visible = {row.pk: row for row in self.get_queryset().filter(pk__in=wanted)}
        missing = sorted(wanted - visible.keys())
        if missing:
            names = ", ".join(map(str, missing[:20]))
            raise exceptions.ValidationError({"ids": [_("There is no incident %(ids)s.") % {"ids": names}]})
        permitted = Incident.objects.visible_to(self.request.user, "alerts").filter(pk__in=wanted).count()
        if permitted != len(wanted):
            raise exceptions.PermissionDenied
        return list(visible.values())

    def _answer(self, chosen: list[Incident]) -> Response:
        rows = self.get_queryset().filter(pk__in=[incident.pk for incident in chosen])
        data = self.get_serializer(rows, many=True).data
        return Response({"count": len(data), "next": None, "previous": None, "results": data})


routes: list[URLPattern] = [*resource("alerts", AlertViewSet), *resource("incidents", IncidentViewSet)]
