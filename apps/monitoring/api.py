"""The API resources of what a component measures: sensors and samples."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components.models import Component, Status
from apps.core.api import PreconditionFailed, ScopedViewSet
from apps.core.api_fields import LARGEST_ID, Strict
from apps.core.api_filters import chosen, numbered, refuse_unknown_parameters
from apps.drivers.contract import Quantity
from apps.monitoring.models import Sensor
from apps.monitoring.services import history, limits, readings
from apps.monitoring.services.readings import SensorView
from apps.monitoring.time_range import BadRange, time_range

LONGEST_STEP = 366 * 86400


class LimitsSerializer(Strict):
    """Thresholds in the sensor's unit; null is "no limit". ``source`` is ``user``, ``device`` or null."""

    lower_critical = serializers.FloatField(allow_null=True, required=False)
    lower_warning = serializers.FloatField(allow_null=True, required=False)
    upper_warning = serializers.FloatField(allow_null=True, required=False)
    upper_critical = serializers.FloatField(allow_null=True, required=False)
    # Named as in the API, which hides an attribute of the base.
    source = serializers.CharField(read_only=True, allow_null=True)  # type: ignore[assignment]


class SensorSerializer(Strict):
    """A sensor with its last value. Setting ``limits`` to null goes back to the device's own."""

    id = serializers.IntegerField(read_only=True)
    interface = serializers.IntegerField(source="interface_id", read_only=True)
    name = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField([kind.value for kind in Quantity], read_only=True)
    value = serializers.FloatField(allow_null=True, read_only=True)
    unit = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(Status.values, read_only=True)
    limits = LimitsSerializer(allow_null=True)
    measured_at = serializers.DateTimeField(read_only=True)
    stale = serializers.BooleanField(read_only=True)
    why = serializers.CharField(read_only=True)

    def to_representation(self, instance: SensorView) -> dict[str, Any]:
        """Give the sensor as the API shows it; written by hand, because a list has thousands."""
        return {
            "id": instance.id,
            "interface": instance.interface_id,
            "name": instance.name,
            "kind": instance.kind.value,
            "value": instance.value,
            "unit": instance.unit,
            "status": instance.status.value,
            "limits": {**asdict(instance.limits), "source": instance.limits_source},
            "measured_at": instance.measured_at,
            "stale": instance.stale,
            "why": str(instance.why),
        }


class SamplesSerializer(serializers.Serializer[Any]):
    """The history of one sensor: each point is [time, min, mean, max]; a null is "not measured"."""

    sensor = serializers.IntegerField(source="sensor.pk")
    unit = serializers.CharField(source="sensor.unit")
    step = serializers.IntegerField()
    points = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "array", "items": {}, "minItems": 4, "maxItems": 4}})
    def get_points(self, series: history.Series) -> list[Any]:
        """Give the points."""
        return [[point.at, *point[1:]] for point in series.points]


class ComponentPartViewSet(ScopedViewSet):
    """Something that belongs to one component, which the address names."""

    queryset = Component.objects.all()
    filter_backends = ()

    def check_version(self, found: Any) -> None:
        """The version that a caller may name is that of the part, not of the component."""

    def page(self, items: Any) -> Response:
        """Give one page of a list."""
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(items), many=True).data)


class SensorViewSet(ComponentPartViewSet):
    """The sensors of a component."""

    serializer_class = SensorSerializer
    writing = "components"
    query_parameters = (
        OpenApiParameter("q", str, description="Words of the sensor's name"),
        OpenApiParameter("name", str),
        OpenApiParameter("kind", str, enum=[kind.value for kind in Quantity]),
        OpenApiParameter("status", str, enum=Status.values),
        OpenApiParameter("interface", int),
        OpenApiParameter("stale", bool),
    )

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request, pk: int) -> Response:
        """List the sensors with their last values."""
        found = readings.latest(self.get_object())
        query = request.query_params
        for word in query.get("q", "").casefold().split():
            found = [view for view in found if word in view.name.casefold()]
        if name := query.get("name"):
            found = [view for view in found if view.name == name]
        if kind := chosen(request, "kind", [kind.value for kind in Quantity]):
            found = [view for view in found if view.kind == kind]
        if status := chosen(request, "status", Status.values):
            found = [view for view in found if view.status == status]
        if stale := chosen(request, "stale", ["true", "false"]):
            found = [view for view in found if view.stale is (stale == "true")]
        if "interface" in query:
            interface_id = numbered(request, "interface", 1, LARGEST_ID)
            found = [view for view in found if view.interface_id == interface_id]
        return self.page(found)

    def retrieve(self, request: Request, pk: int, sensor_pk: int) -> Response:
        """Give one sensor."""
        return self._single(self._view(self.get_object(), sensor_pk))

    def partial_update(self, request: Request, pk: int, sensor_pk: int) -> Response:
        """Set a user's own limits: those that are named change, null for all of them goes back to the device's."""
        component = self.get_object()
        view = self._view(component, sensor_pk)
        asked = request.headers.get("If-Match")
        if asked is not None and asked.strip() != "*" and _etag(view) not in [tag.strip() for tag in asked.split(",")]:
            raise PreconditionFailed
        serializer = self.get_serializer(view, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        if "limits" in serializer.validated_data:
            sensor = Sensor.objects.select_related("interface__component").get(pk=view.id)
            try:
                limits.set_limits(sensor, serializer.validated_data["limits"], self.actor)
            except DjangoValidationError as error:
                raise serializers.ValidationError({"limits": error.message_dict}) from error
        return self._single(self._view(component, sensor_pk))

    def _view(self, component: Component, sensor_pk: int) -> SensorView:
        for view in readings.latest(component):
            if view.id == sensor_pk:
                return view
        raise Http404

    def _single(self, view: SensorView) -> Response:
        return Response(self.get_serializer(view).data, headers={"ETag": _etag(view)})


def _etag(view: SensorView) -> str:
    facts = json.dumps([view.id, asdict(view.limits), view.limits_source])
    return f'"{hashlib.sha256(facts.encode()).hexdigest()[:32]}"'


class SamplesViewSet(ComponentPartViewSet):
    """The history of a sensor."""

    serializer_class = SamplesSerializer
    pagination_class = None
    query_parameters = (
        OpenApiParameter("sensor", int, required=True),
        OpenApiParameter("from", OpenApiTypes.DATETIME, description="A day before `to` when it is left out"),
        OpenApiParameter("to", OpenApiTypes.DATETIME, description="Now when it is left out"),
        OpenApiParameter("step", int, description="Seconds that one point covers at least"),
    )

    @extend_schema(parameters=[*query_parameters])
    def samples(self, request: Request, pk: int) -> Response:
        """Give the history of one sensor, at most 1,000 points."""
        component = self.get_object()
        refuse_unknown_parameters(request, self)
        sensor = _sensor(request, component)
        try:
            start, end = time_range(request.query_params)
        except BadRange as error:
            raise serializers.ValidationError({error.field: [_(error.sentence)]}) from error
        step = numbered(request, "step", 1, LONGEST_STEP) if "step" in request.query_params else None
        return Response(self.get_serializer(history.samples(sensor, start, end, step)).data)


def _sensor(request: Any, component: Component) -> Sensor:
    if not request.GET.get("sensor"):
        raise serializers.ValidationError({"sensor": [_("Say which sensor.")]})
    pk = numbered(request, "sensor", 1, LARGEST_ID)
    sensor = Sensor.objects.filter(pk=pk, interface__component=component).select_related("interface__component").first()
    if sensor is None:
        raise serializers.ValidationError({"sensor": [_("This component has no such sensor.")]})
    return sensor


routes: list[URLPattern] = [
    path("components/<int:pk>/sensors/", SensorViewSet.as_view({"get": "list"}), name="component-sensors"),
    path(
        "components/<int:pk>/sensors/<int:sensor_pk>/",
        SensorViewSet.as_view({"get": "retrieve", "patch": "partial_update"}, detail=True),
        name="component-sensor",
    ),
    path("components/<int:pk>/samples/", SamplesViewSet.as_view({"get": "samples"}), name="component-samples"),
]
