"""The API resources of what the portal stores, and of support bundles."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import Accepted, PortalViewSet, accepted, resource, sent
from apps.core.api_fields import Nothing
from apps.core.api_filters import numbered, refuse_unknown_parameters
from apps.system.bundle import orders
from apps.system.capacity import estimate, measuring, planning, timeline
from apps.system.capacity.kinds import BY_NAME
from apps.system.models import CapacityMeasurement, SupportBundle
from apps.system.views import attached


class DiskSerializer(serializers.Serializer[Any]):
    """A disk in bytes."""

    folder = serializers.CharField()
    total = serializers.IntegerField()
    free = serializers.IntegerField()


class DatabaseSerializer(serializers.Serializer[Any]):
    """The database in bytes; ``free`` is what it holds unused, ``log`` what stands beside it. Null: not measured."""

    vendor = serializers.CharField()
    size = serializers.IntegerField(source="total")
    free = serializers.IntegerField(allow_null=True)
    log = serializers.IntegerField(allow_null=True)


class KindSerializer(serializers.Serializer[Any]):
    """One kind of what is stored. Null: nothing to measure it by, or kept without an end."""

    name = serializers.CharField()
    label = serializers.SerializerMethodField("label_of")  # type: ignore[assignment]  # named as in the API
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    bytes_each = serializers.FloatField(source="each", allow_null=True)
    rows_per_day = serializers.FloatField(source="per_day", allow_null=True)
    kept_for_days = serializers.IntegerField(source="kept_for", allow_null=True)
    kept_at_most = serializers.IntegerField(allow_null=True)

    def label_of(self, kind: dict[str, Any]) -> str:
        """Give its name in the caller's language."""
        return str(BY_NAME[kind["name"]].label)


class CapacitySerializer(serializers.Serializer[Any]):
    """What was measured last; all null before the first time."""

    measured_at = serializers.DateTimeField(allow_null=True)
    counted = serializers.BooleanField(allow_null=True)
    database = DatabaseSerializer(allow_null=True)
    disk = DiskSerializer(allow_null=True)
    kinds = KindSerializer(many=True)
    other_bytes = serializers.IntegerField(source="other", allow_null=True)
    growth_per_day = serializers.FloatField(source="growth", allow_null=True)
    outlook = serializers.ChoiceField([measuring.FULL, measuring.SUFFICIENT, measuring.UNKNOWN])
    days_until_full = serializers.FloatField(source="days", allow_null=True)


class EstimateSerializer(serializers.Serializer[Any]):
    """How large the database will be, in bytes, beside what the guide reckons."""

    after = serializers.CharField(source="name")
    days = serializers.IntegerField()
    size = serializers.IntegerField()
    guide = serializers.IntegerField()


class EstimatesSerializer(serializers.Serializer[Any]):
    """An estimate, what it was made for, and the bytes it reckons with; ``measured`` names those from this database."""

    components = serializers.IntegerField()
    values = serializers.IntegerField()
    interval = serializers.IntegerField()
    alerts = serializers.IntegerField()
    sizes = EstimateSerializer(many=True)
    bytes = serializers.DictField(child=serializers.FloatField())
    measured = serializers.ListField(child=serializers.CharField())


class SizesSerializer(serializers.Serializer[Any]):
    """The size of the database over time: ``[time, size, size, size]``, as a chart takes it."""

    sensor = serializers.CharField()
    unit = serializers.CharField()
    step = serializers.IntegerField()
    points = serializers.ListField(child=serializers.ListField())


class CapacityViewSet(PortalViewSet):
    """How much is stored, how fast it grows, and when the disk is full; for those who may set the portal."""

    serializer_class = CapacitySerializer
    queryset = CapacityMeasurement.objects.none()
    reading = writing = "settings"
    filter_backends = ()
    pagination_class = None

    @extend_schema(responses=forced_singular_serializer(CapacitySerializer))
    def list(self, request: Request) -> Response:
        """Give what was measured last."""
        refuse_unknown_parameters(request, self)
        last = measuring.latest()
        nothing: dict[str, Any] = dict.fromkeys(("counted", "database", "disk", "other", "growth", "days"))
        facts = last.facts if last else nothing | {"kinds": [], "outlook": measuring.UNKNOWN}
        return Response(self.get_serializer({**facts, "measured_at": last.at if last else None}).data)

    @extend_schema(responses=SizesSerializer)
    def history(self, request: Request) -> Response:
        """Give the size of the database over time."""
        refuse_unknown_parameters(request, self)
        return Response(SizesSerializer(timeline.sizes_over_time()).data)


class EstimateViewSet(PortalViewSet):
    """A calculator of the database's size."""

    serializer_class = EstimatesSerializer
    reading = writing = "settings"
    filter_backends = ()
    pagination_class = None
    query_parameters = tuple(
        OpenApiParameter(limit.name, int, required=True, description=f"{limit.low}–{limit.high}")
        for limit in planning.LIMITS
    )

    @extend_schema(parameters=[*query_parameters])
    def estimate(self, request: Request) -> Response:
        """Reckon for a fleet: components, values of each, seconds between two polls, alerts a day."""
        refuse_unknown_parameters(request, self)
        given = {limit.name: numbered(request, limit.name, limit.low, limit.high) for limit in planning.LIMITS}
        last = measuring.latest()
        weights = measuring.weights(last.facts if last else None)
        fleet = estimate.Fleet(**given)
        answer = {
            **given,
            "sizes": planning.plan(fleet, measuring.kept(), weights),
            "bytes": planning.in_words(weights),
            "measured": sorted(weights.measured),
        }
        return Response(self.get_serializer(answer).data)


class BundleSerializer(serializers.ModelSerializer[SupportBundle]):
    """A support bundle that can be fetched."""

    expires_at = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = SupportBundle
        fields = ("id", "job", "name", "size", "made_at", "expires_at", "url")
        read_only_fields = fields

    def get_expires_at(self, bundle: SupportBundle) -> datetime:
        """Give when it is removed."""
        return bundle.made_at + orders.KEPT_FOR

    def get_url(self, bundle: SupportBundle) -> str:
        """Give where it is fetched."""
        url: str = reverse("support-bundle-download", args=[bundle.pk], request=self.context.get("request"))
        return url


class BundleViewSet(PortalViewSet):
    """Support bundles: versions, options, processes, recent errors, and no secret; kept for a day."""

    queryset = SupportBundle.objects.none()
    serializer_class = BundleSerializer
    reading = writing = "settings"

    def get_queryset(self) -> Any:
        """Give those that are not too old."""
        return orders.present()

    def list(self, request: Request) -> Response:
        """List the bundles that can be fetched."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=None, responses={202: Accepted})
    def create(self, request: Request) -> Response:
        """Have a bundle made."""
        Nothing(data=sent(request)).is_valid(raise_exception=True)
        return accepted(orders.order(self.actor), request)

    def retrieve(self, request: Request, pk: int) -> Response:
        """Tell of one bundle."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    @action(detail=True)
    def download(self, request: Request, pk: int) -> HttpResponse:
        """Give the file."""
        return attached(self.get_object(), self.actor)


routes: list[URLPattern] = [
    path("capacity/", CapacityViewSet.as_view({"get": "list"}), name="capacity"),
    path("capacity/history/", CapacityViewSet.as_view({"get": "history"}), name="capacity-history"),
    path("capacity/estimate/", EstimateViewSet.as_view({"get": "estimate"}), name="capacity-estimate"),
    *resource("support-bundles", BundleViewSet, "support-bundle"),
]
