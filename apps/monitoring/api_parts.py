"""The API resources of a component's parts: network ports, who is at their other ends, states, excluded ports."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components.models import Component, Status
from apps.core.api import Creates, Reads, Removes, ScopedReadOnlyViewSet, ScopedViewSet, resource
from apps.core.api_fields import LARGEST_ID, Flag, Phrased, Reference, Strict, Text
from apps.core.api_filters import IdFilter, chosen, numbered, refuse_unknown_parameters
from apps.drivers.contract import PortState, StateKind
from apps.monitoring import exclusions
from apps.monitoring.api import ComponentPartViewSet
from apps.monitoring.exclusions import Exclusions
from apps.monitoring.models import ExcludedPort, Neighbour
from apps.monitoring.port_reports import PortView
from apps.monitoring.services import neighbours, nic_file, port_exclusion, readings
from apps.monitoring.services.readings import PortsView, StateView


class NeighbourSerializer(serializers.Serializer[Any]):
    """Who is, or until ``gone_at`` was, at the other end of a cable, as it told the device (LLDP)."""

    id = serializers.IntegerField()
    interface = serializers.IntegerField(source="interface_id")
    component = serializers.IntegerField(source="interface.component_id")
    local_port = serializers.CharField()
    port_index = serializers.IntegerField(allow_null=True)
    chassis_id = serializers.CharField()
    chassis_id_kind = serializers.CharField()
    port_id = serializers.CharField()
    port_id_kind = serializers.CharField()
    port_description = serializers.CharField()
    system_name = serializers.CharField()
    system_description = serializers.CharField()
    capabilities = serializers.ListField(child=serializers.CharField())
    addresses = serializers.ListField(child=serializers.CharField())
    since = serializers.DateTimeField()
    gone_at = serializers.DateTimeField(allow_null=True)


class PortNeighbourSerializer(serializers.Serializer[Any]):
    """What is said of a neighbour beside the port that hears it."""

    id = serializers.IntegerField()
    system_name = serializers.CharField()
    chassis_id = serializers.CharField()
    port_id = serializers.CharField()
    port_description = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())
    since = serializers.DateTimeField()
    gone_at = serializers.DateTimeField(allow_null=True)


class PortSerializer(Strict):
    """A network port with its rates since the poll before; null is "not measured". ``excluded`` may be set."""

    interface = serializers.IntegerField(read_only=True)
    index = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    description = serializers.CharField(read_only=True)
    alias = serializers.CharField(read_only=True)
    mac_address = serializers.CharField(allow_null=True, read_only=True)
    state = serializers.ChoiceField([state.value for state in PortState], read_only=True)
    speed = serializers.IntegerField(allow_null=True, read_only=True)
    in_rate = serializers.FloatField(allow_null=True, read_only=True)
    out_rate = serializers.FloatField(allow_null=True, read_only=True)
    in_errors = serializers.FloatField(allow_null=True, read_only=True)
    out_errors = serializers.FloatField(allow_null=True, read_only=True)
    in_discards = serializers.FloatField(allow_null=True, read_only=True)
    out_discards = serializers.FloatField(allow_null=True, read_only=True)
    excluded = Flag(required=False)
    neighbours = PortNeighbourSerializer(many=True, read_only=True)
    measured_at = serializers.DateTimeField(read_only=True)
    stale = serializers.BooleanField(read_only=True)


class StateSerializer(serializers.Serializer[Any]):
    """What one part of a device says of itself in words."""

    interface = serializers.IntegerField(source="interface_id")
    key = serializers.CharField()
    name = serializers.CharField(source="label")
    kind = serializers.ChoiceField([kind.value for kind in StateKind])
    words = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(Status.values)
    told_at = serializers.DateTimeField(allow_null=True)
    since = serializers.DateTimeField()
    measured_at = serializers.DateTimeField()
    stale = serializers.BooleanField()


class ExcludedPortSerializer(Strict):
    """Ports that do not count in the status of their component: without a name all those with the MAC address."""

    id = serializers.IntegerField(read_only=True)
    component = Reference(queryset=Component.objects.all())
    mac_address = Text(max_length=17)
    port_name = Text(max_length=200, required=False, allow_blank=True)
    excluded_at = serializers.DateTimeField(read_only=True)


class NicFileSerializer(Strict):
    """The text of the file: ``component=MAC,MAC`` a line."""

    text = serializers.CharField(max_length=nic_file.LARGEST, trim_whitespace=False)


class TakenLineSerializer(serializers.Serializer[Any]):
    """A line that is in force; ``not_seen`` are addresses that no port of the component shows now."""

    line = serializers.IntegerField(source="number")
    text = serializers.CharField()
    component = serializers.IntegerField(source="component.pk")
    mac_addresses = serializers.ListField(child=serializers.CharField())
    not_seen = serializers.ListField(child=serializers.CharField())


class IgnoredLineSerializer(serializers.Serializer[Any]):
    """A line that was left out."""

    line = serializers.IntegerField(source="number")
    text = serializers.CharField()
    why = Phrased()


class NicFileReportSerializer(serializers.Serializer[Any]):
    """What an import took and what it left out."""

    taken = TakenLineSerializer(many=True)
    ignored = IgnoredLineSerializer(many=True)


class PortViewSet(ComponentPartViewSet):
    """The network ports of a component."""

    serializer_class = PortSerializer
    writing = "components"
    query_parameters = (
        OpenApiParameter("q", str, description="Words of the port's name, description and alias"),
        OpenApiParameter("name", str),
        OpenApiParameter("state", str, enum=[state.value for state in PortState]),
        OpenApiParameter("interface", int),
        OpenApiParameter("excluded", bool),
    )

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request, pk: int) -> Response:
        """List the ports as they were at the last poll."""
        component = self.get_object()
        wanted = _wanted_ports(request)
        excluded = port_exclusion.of_component(component)
        heard = neighbours.by_port(neighbours.of_component(component))
        return self.page(
            [
                _row(report, port, excluded, heard)
                for report in readings.ports(component)
                for port in report.ports
                if wanted(report.interface_id, port, exclusions.is_excluded(port, excluded))
            ]
        )

    def retrieve(self, request: Request, pk: int, interface: int, index: int) -> Response:
        """Give one port."""
        component = self.get_object()
        refuse_unknown_parameters(request, self)
        return Response(self.get_serializer(self._found(component, interface, index)).data)

    def partial_update(self, request: Request, pk: int, interface: int, index: int) -> Response:
        """Take the port out of the status of its component, or let it count again."""
        component = self.get_object()
        found = self._found(component, interface, index)
        serializer = self.get_serializer(found, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        if "excluded" in serializer.validated_data:
            change = port_exclusion.exclude if serializer.validated_data["excluded"] else port_exclusion.include
            try:
                change(component, found["port"], self.actor)
            except DjangoValidationError as error:
                raise serializers.ValidationError({"excluded": error.messages}) from error
        return Response(self.get_serializer(self._found(component, interface, index)).data)

    def _found(self, component: Component, interface: int, index: int) -> dict[str, Any]:
        for report in readings.ports(component):
            for port in report.ports:
                if (report.interface_id, port.index) == (interface, index):
                    heard = neighbours.by_port(neighbours.of_component(component))
                    return _row(report, port, port_exclusion.of_component(component), heard)
        raise Http404


def _row(
    report: PortsView, port: PortView, excluded: Exclusions, heard: dict[tuple[int, int], list[Neighbour]]
) -> dict[str, Any]:
    return {
        "port": port,
        "interface": report.interface_id,
        "index": port.index,
        "name": port.name,
        "description": port.description,
        "alias": port.alias,
        "mac_address": port.mac_address,
        "state": port.state.value,
        "speed": port.speed,
        "in_rate": port.in_rate,
        "out_rate": port.out_rate,
        "in_errors": port.rates["in_errors"],
        "out_errors": port.rates["out_errors"],
        "in_discards": port.rates["in_discards"],
        "out_discards": port.rates["out_discards"],
        "excluded": exclusions.is_excluded(port, excluded),
        "neighbours": heard.get((report.interface_id, port.index), []),
        "measured_at": report.measured_at,
        "stale": report.stale,
    }


def _wanted_ports(request: Request) -> Callable[[int, PortView, bool], bool]:
    """Give what says whether a port is one of those that were asked for."""
    query = request.query_params
    words, name = query.get("q", "").casefold().split(), query.get("name", "")
    state = chosen(request, "state", [state.value for state in PortState])
    asked = chosen(request, "excluded", ["true", "false"])
    interface_id = numbered(request, "interface", 1, LARGEST_ID) if "interface" in query else None

    def wanted(found_at: int, port: PortView, excluded: bool) -> bool:
        text = f"{port.name} {port.description} {port.alias}".casefold()
        return (
            name in {"", port.name}
            and state in {"", port.state.value}
            and asked in {"", str(excluded).lower()}
            and interface_id in {None, found_at}
            and all(word in text for word in words)
        )

    return wanted


class StateViewSet(ComponentPartViewSet):
    """What the parts of a component say of themselves in words."""

    serializer_class = StateSerializer
    query_parameters = (
        OpenApiParameter("kind", str, enum=[kind.value for kind in StateKind]),
        OpenApiParameter("status", str, enum=Status.values),
        OpenApiParameter("interface", int),
    )

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request, pk: int) -> Response:
        """List the states as they were at the last poll."""
        found: list[StateView] = readings.states(self.get_object())
        if kind := chosen(request, "kind", [kind.value for kind in StateKind]):
            found = [view for view in found if view.kind == kind]
        if wanted := chosen(request, "status", Status.values):
            found = [view for view in found if view.status == wanted]
        if "interface" in request.query_params:
            interface_id = numbered(request, "interface", 1, LARGEST_ID)
            found = [view for view in found if view.interface_id == interface_id]
        return self.page(found)


class NeighbourFilter(django_filters.FilterSet):
    """Which neighbours."""

    component = IdFilter(field_name="interface__component")
    interface = IdFilter()
    chassis_id = django_filters.CharFilter()
    port_id = django_filters.CharFilter()
    system_name = django_filters.CharFilter()
    local_port = django_filters.CharFilter()
    gone = django_filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")], method="by_gone", label="No longer heard"
    )

    def by_gone(self, queryset: Any, name: str, value: str) -> Any:
        """Keep those that are gone, or those that are there."""
        return queryset.filter(gone_at__isnull=value == "false")


class NeighbourViewSet(ScopedReadOnlyViewSet):
    """Who is at the other ends of the cables, over all components."""

    queryset = Neighbour.objects.select_related("interface").order_by("pk")
    serializer_class = NeighbourSerializer
    filterset_class = NeighbourFilter
    search_fields = ("system_name", "local_port", "port_id", "port_description", "chassis_id")


class ExcludedPortFilter(django_filters.FilterSet):
    """Which exclusions."""

    component = IdFilter()
    mac_address = django_filters.CharFilter()
    port_name = django_filters.CharFilter()


class ExcludedPortViewSet(Reads, Creates, Removes, mixins.ListModelMixin, ScopedViewSet):
    """Network ports that do not count in the status of their component, by MAC address."""

    queryset = ExcludedPort.objects.select_related("component").order_by("pk")
    serializer_class = ExcludedPortSerializer
    filterset_class = ExcludedPortFilter
    search_fields = ("component__name", "component__alias", "mac_address", "port_name")
    writing = "components"

    def perform_create(self, serializer: Any) -> ExcludedPort:
        """Exclude the ports of a component that have a MAC address."""
        sent = serializer.validated_data
        self.require(sent["component"].group_id)
        try:
            return port_exclusion.add(sent["component"], sent["mac_address"], sent.get("port_name", ""), self.actor)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error

    def perform_destroy(self, found: ExcludedPort) -> None:
        """Let its ports count again."""
        port_exclusion.remove(found, self.actor)

    @extend_schema(request=NicFileSerializer, responses={200: NicFileReportSerializer})
    @action(detail=False, methods=["post"], url_path="import", serializer_class=NicFileSerializer)
    def take_file(self, request: Request) -> Response:
        """Put the guide's file (NICStatusNotShow.txt) in force, and say what became of each line."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        report = nic_file.take(serializer.validated_data["text"], request.user, self.actor)
        return Response(NicFileReportSerializer(report).data, status=status.HTTP_200_OK)


routes: list[URLPattern] = [
    path("components/<int:pk>/ports/", PortViewSet.as_view({"get": "list"}), name="component-ports"),
    path(
        "components/<int:pk>/ports/<int:interface>/<int:index>/",
        PortViewSet.as_view({"get": "retrieve", "patch": "partial_update"}, detail=True),
        name="component-port",
    ),
    path("components/<int:pk>/states/", StateViewSet.as_view({"get": "list"}), name="component-states"),
    *resource("neighbours", NeighbourViewSet),
    *resource("excluded-ports", ExcludedPortViewSet),
]
