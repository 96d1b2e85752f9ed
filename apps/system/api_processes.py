"""The API resources of the portal's own processes and ports; for those who may set the portal."""

from typing import Any

from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import PortalViewSet
from apps.core.api_fields import Nothing, Phrased
from apps.core.api_filters import chosen, refuse_unknown_parameters
from apps.system import port_table, running
from apps.system.models import CapacityMeasurement
from apps.system.port_table import DIRECTIONS, NOT_OURS, NOT_USED, PROTOCOLS, STATES
from apps.system.supervisor import State


class OwnPortSerializer(serializers.Serializer[Any]):
    """A port of a process; ``next_number`` is the one from the next start on, ``open`` null where it is not known."""

    label = Phrased(source="port.label")  # type: ignore[assignment]  # named as in the API
    protocol = serializers.CharField(source="port.protocol")
    number = serializers.IntegerField()
    next_number = serializers.IntegerField()
    open = serializers.BooleanField(source="is_open", allow_null=True)
    option = serializers.CharField(source="port.option")
    switch = serializers.CharField(source="port.switch")


class LastRestartSerializer(serializers.Serializer[Any]):
    """Why a process was started anew: reason exit, signal, silent or ordered, with what belongs to it."""

    at = serializers.DateTimeField(source="restarted_at")
    reason = serializers.CharField(source="last_restart.reason")
    detail = serializers.CharField(source="last_restart.detail")
    sentence = serializers.CharField(source="reason")


class ProcessSerializer(serializers.Serializer[Any]):
    """One process; what is not measured is null. ``unknown``: nobody vouches for it, ``seen_at`` says since when."""

    id = serializers.CharField(source="name")
    name = serializers.CharField()
    role = Phrased()
    machine = serializers.CharField()
    state = serializers.ChoiceField([*(state.value for state in State if state is not State.DONE), running.UNKNOWN])
    order = serializers.IntegerField(allow_null=True)
    ports = OwnPortSerializer(many=True)
    pid = serializers.IntegerField(allow_null=True)
    memory = serializers.IntegerField(allow_null=True, help_text="Bytes, as the proportional set size")
    cpu = serializers.FloatField(allow_null=True, help_text="Percent of one processor")
    started_at = serializers.DateTimeField(allow_null=True)
    restarts = serializers.IntegerField(allow_null=True)
    last_restart = serializers.SerializerMethodField()
    seen_at = serializers.DateTimeField()

    @extend_schema_field(LastRestartSerializer(allow_null=True))
    def get_last_restart(self, process: running.Process) -> Any:
        """Give why it was started anew, null when it never was."""
        return LastRestartSerializer(process).data if process.last_restart else None


class OrderedSerializer(serializers.Serializer[Any]):
    """An order was given: the processes in the order in which they stop, and where to see how it goes."""

    job = serializers.IntegerField(allow_null=True)
    url = serializers.URLField()
    processes = serializers.ListField(child=serializers.CharField())


class ProcessViewSet(PortalViewSet):
    """The processes of the portal: what runs, on which ports, since when and why; and the order to start them anew."""

    serializer_class = ProcessSerializer
    queryset = CapacityMeasurement.objects.none()
    reading = writing = "settings"
    filter_backends = ()
    lookup_field = "name"
    lookup_value_converter = "str"

    def list(self, request: Request) -> Response:
        """Give them in the order of their start."""
        page = self.paginate_queryset(running.look().processes)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, name: str) -> Response:
        """Give one."""
        for process in running.look().processes:
            if process.name == name and not process.elsewhere:
                return Response(self.get_serializer(process).data)
        raise Http404

    @extend_schema(request=None, responses={202: OrderedSerializer})
    def restart(self, request: Request, name: str) -> Response:
        """Stop one process and start it anew; the answer comes before."""
        if name not in {process.name for process in running.look().processes}:
            raise Http404
        return self._ordered(request, name)

    @extend_schema(request=None, responses={202: OrderedSerializer}, operation_id="processes_restart_all")
    def restart_all(self, request: Request) -> Response:
        """Stop all in the reverse order of their start, and start anew with program and settings as they are now."""
        return self._ordered(request, None)

    def _ordered(self, request: Request, name: str | None) -> Response:
        names = running.restart(self.actor, name)
        url = reverse("process-list", request=request)
        answer = {"job": None, "url": url, "processes": names[::-1]}
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


class PortLineSerializer(serializers.Serializer[Any]):
    """One line of the table of ports, with how it stands here."""

    id = serializers.CharField(source="row.id")
    section = serializers.SerializerMethodField()
    purpose = serializers.SerializerMethodField()
    peer = serializers.SerializerMethodField()
    direction = serializers.ChoiceField(list(DIRECTIONS), source="row.direction")
    protocol = serializers.ChoiceField(PROTOCOLS, source="row.protocol")
    port = serializers.CharField()
    source_port = serializers.CharField(source="row.source")
    used = serializers.BooleanField()
    state = serializers.ChoiceField([*STATES, NOT_OURS, NOT_USED])
    next_port = serializers.IntegerField(allow_null=True)
    firewall = serializers.CharField()

    def get_section(self, line: port_table.Line) -> str:
        """Give between whom it is."""
        return port_table.translated(line.row.section)

    def get_purpose(self, line: port_table.Line) -> str:
        """Give what it is for."""
        return port_table.translated(line.row.purpose)

    def get_peer(self, line: port_table.Line) -> str:
        """Give the other side."""
        return port_table.translated(line.row.peer)


class PortViewSet(PortalViewSet):
    """The table of ports: what firewalls have to let through, and whether the portal's own ports answer."""

    serializer_class = PortLineSerializer
    queryset = CapacityMeasurement.objects.none()
    reading = writing = "settings"
    filter_backends = ()
    query_parameters = (
        OpenApiParameter("q", str, description="Words of the purpose, the other side or the port"),
        OpenApiParameter("direction", str, enum=list(DIRECTIONS)),
        OpenApiParameter("protocol", str, enum=PROTOCOLS),
        OpenApiParameter("used", bool, description="Whether this portal uses it"),
    )

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request) -> Response:
        """Give the lines that are asked for."""
        refuse_unknown_parameters(request, self)
        found = port_table.narrowed(
            port_table.lines(),
            request.query_params.get("q", ""),
            chosen(request, "direction", list(DIRECTIONS)),
            chosen(request, "protocol", PROTOCOLS),
            chosen(request, "used", ("true", "false")),
        )
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(found), many=True).data)


routes: list[URLPattern] = [
    path("processes/", ProcessViewSet.as_view({"get": "list"}), name="process-list"),
    path(
        "processes/restart/",
        ProcessViewSet.as_view({"post": "restart_all"}, serializer_class=Nothing),
        name="process-restart-all",
    ),
    path("processes/<str:name>/", ProcessViewSet.as_view({"get": "retrieve"}), name="process-detail"),
    path(
        "processes/<str:name>/restart/",
        ProcessViewSet.as_view({"post": "restart"}, serializer_class=Nothing),
        name="process-restart",
    ),
    path("ports/", PortViewSet.as_view({"get": "list"}), name="port-list"),
]
