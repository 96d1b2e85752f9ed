"""The API resource of what a component's devices wrote into their own event logs."""

from datetime import datetime
from typing import Any

from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts.models import Severity
from apps.core.api_fields import LARGEST_ID, Phrased
from apps.core.api_filters import chosen, numbered
from apps.monitoring.api import ComponentPartViewSet
from apps.monitoring.models import LoggedEntry
from apps.monitoring.services import log_entries
from apps.monitoring.services.log_entries import Wanted
from apps.monitoring.time_range import BadRange, moment


class LoggedEntrySerializer(serializers.Serializer[Any]):
    """One entry. ``cleared_at`` is when the device was found to have forgotten it; what is kept here stays.

    ``severity`` is ``information`` for what is well and begins, ``normal`` for what has ended.
    """

    id = serializers.IntegerField()
    interface = serializers.IntegerField(source="interface_id")
    key = serializers.CharField()
    occurred_at = serializers.DateTimeField(source="at", allow_null=True)
    read_at = serializers.DateTimeField()
    severity = serializers.ChoiceField(Severity.choices)
    asserted = serializers.BooleanField()
    # Named as in the API, which hides an attribute of the base.
    source = serializers.CharField()  # type: ignore[assignment]
    text = Phrased()
    cleared_at = serializers.DateTimeField(allow_null=True)
    raw = serializers.CharField()


class EventLogViewSet(ComponentPartViewSet):
    """What the devices of a component wrote down by themselves."""

    serializer_class = LoggedEntrySerializer
    query_parameters = (
        OpenApiParameter("q", str, description="Words of the text, the source and the device's own number"),
        OpenApiParameter("severity", str, enum=Severity.values, many=True),
        OpenApiParameter("interface", int),
        OpenApiParameter("cleared", bool, description="Whether the device has forgotten it"),
        OpenApiParameter("from", OpenApiTypes.DATETIME),
        OpenApiParameter("to", OpenApiTypes.DATETIME),
    )

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request, pk: int) -> Response:
        """List the entries, newest first."""
        component = self.get_object()
        found = LoggedEntry.objects.visible_to(request.user).filter(interface__component=component)
        return self.page(log_entries.among(found, _wanted(request)))


def _wanted(request: Request) -> Wanted:
    query = request.query_params
    severities = tuple(query.getlist("severity"))
    if not set(severities) <= set(Severity.values):
        sentence = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Severity.values)}
        raise serializers.ValidationError({"severity": [sentence]})
    cleared = chosen(request, "cleared", ["true", "false"])
    return Wanted(
        severities=severities,
        interface_id=numbered(request, "interface", 1, LARGEST_ID) if "interface" in query else None,
        words=query.get("q", ""),
        start=_moment(request, "from"),
        end=_moment(request, "to"),
        present=None if not cleared else cleared == "false",
    )


def _moment(request: Request, name: str) -> datetime | None:
    try:
        return moment(request.query_params, name)
    except BadRange as error:
        raise serializers.ValidationError({error.field: [_(error.sentence)]}) from error


routes: list[URLPattern] = [
    path("components/<int:pk>/event-log/", EventLogViewSet.as_view({"get": "list"}), name="component-event-log"),
]
