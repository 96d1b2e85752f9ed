"""The API resources of power: of a component, and of a group with what stands below it."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from django.http import Http404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ScopedViewSet
from apps.core.api_filters import chosen, refuse_unknown_parameters
from apps.groups.models import Group
from apps.monitoring.api import ComponentPartViewSet
from apps.monitoring.services import fleet_power, power, readings
from apps.monitoring.services.fleet_scope import FleetScope
from apps.monitoring.time_range import BadRange, time_range

RANGE = (
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="A day before `to` when it is left out"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Now when it is left out"),
)


class OverSerializer(serializers.Serializer[Any]):
    """Lowest, mean and highest watts over a range, by the portal's own history; null is "not measured"."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    minimum = serializers.FloatField(source="low", allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(source="high", allow_null=True)


class OwnSerializer(serializers.Serializer[Any]):
    """What the controller says over a window of its own of so many seconds; null is "not told"."""

    minimum = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(source="average", allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)


class ComponentPowerSerializer(serializers.Serializer[Any]):
    """What a component draws in watts, measured to ±10 %; null is "not measured", and ``why`` says why.

    ``cap`` is null where there is none. ``sensor`` is its meter; without one the watts are those of its parts together.
    ``interface`` measures them: where several do, one with a meter comes first, then the controller, then an agent.
    """

    watts = serializers.FloatField(allow_null=True)
    measured_at = serializers.DateTimeField(allow_null=True)
    stale = serializers.BooleanField()
    why = serializers.CharField()
    sensor = serializers.IntegerField(source="sensor.id", allow_null=True, default=None)
    interface = serializers.IntegerField(source="interface_id", allow_null=True)
    cap = serializers.FloatField(allow_null=True)
    above_cap = serializers.BooleanField()
    throttled = serializers.BooleanField(allow_null=True)
    told_at = serializers.DateTimeField(allow_null=True)
    over = OverSerializer()
    controller = OwnSerializer(source="own", allow_null=True)


class TogetherSerializer(serializers.Serializer[Any]):
    """A sum in watts over so many measured components; null is "not measured"."""

    watts = serializers.FloatField(allow_null=True)
    measured = serializers.IntegerField()


class PeakSerializer(serializers.Serializer[Any]):
    """The highest sum at one moment of a range; ``step`` is the seconds that it is the mean of."""

    watts = serializers.FloatField(source="together.watts")
    measured = serializers.IntegerField(source="together.measured")
    at = serializers.DateTimeField()
    step = serializers.IntegerField()


class GroupPowerSerializer(serializers.Serializer[Any]):
    """What the components of a group draw together: each sum with the number of components that it stands on.

    ``components`` is how many there are without UPSs, which pass on what others draw.
    """

    group = serializers.IntegerField()
    include_subgroups = serializers.BooleanField()
    components = serializers.IntegerField(source="drawn.now.total")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    now = TogetherSerializer(source="drawn.now")
    mean = TogetherSerializer(source="drawn.mean")
    peak = PeakSerializer(source="drawn.peak", allow_null=True)


def _range(request: Request) -> tuple[datetime, datetime]:
    try:
        return time_range(request.query_params)
    except BadRange as error:
        raise serializers.ValidationError({error.field: [_(error.sentence)]}) from error


class ComponentPowerViewSet(ComponentPartViewSet):
    """The power of a component."""

    serializer_class = ComponentPowerSerializer
    pagination_class = None
    query_parameters = RANGE

    @extend_schema(parameters=[*query_parameters])
    def power(self, request: Request, pk: int) -> Response:
        """Give what a component draws now and drew over a range, and its cap."""
        component = self.get_object()
        refuse_unknown_parameters(request, self)
        start, end = _range(request)
        drawn = power.of(component, readings.latest(component))
        over = power.over(component, drawn, start, end)
        told = {
            **{one.name: getattr(drawn or power.NOTHING, one.name) for one in fields(power.Drawn)},
            "above_cap": drawn is not None and drawn.above_cap,
            "over": {"start": start, "end": end, **(asdict(over) if over else dict.fromkeys(("low", "mean", "high")))},
        }
        return Response(self.get_serializer(told).data)


class GroupPowerViewSet(ScopedViewSet):
    """The power of a group."""

    queryset = Group.objects.all()
    serializer_class = GroupPowerSerializer
    filter_backends = ()
    pagination_class = None
    query_parameters = (*RANGE, OpenApiParameter("include_subgroups", bool, description="True when it is left out"))

    def check_version(self, found: Any) -> None:
        """The version that a caller may name is not that of the group."""

    @extend_schema(parameters=[*query_parameters])
    def power(self, request: Request, pk: int) -> Response:
        """Give what the components of a group draw now and drew over a range."""
        group = self.get_object()
        refuse_unknown_parameters(request, self)
        start, end = _range(request)
        below = chosen(request, "include_subgroups", ["true", "false"]) != "false"
        scope = FleetScope.of(request.user, group.pk)
        if scope is None:
            raise Http404
        components = scope.components if below else scope.components.filter(group=group)
        told = {
            "group": group.pk,
            "include_subgroups": below,
            "start": start,
            "end": end,
            "drawn": fleet_power.over(components, start, end),
        }
        return Response(self.get_serializer(told).data)


routes: list[URLPattern] = [
    path("components/<int:pk>/power/", ComponentPowerViewSet.as_view({"get": "power"}), name="component-power"),
    path("groups/<int:pk>/power/", GroupPowerViewSet.as_view({"get": "power"}), name="group-power"),
]
