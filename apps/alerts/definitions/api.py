"""The API resource of alert definitions."""

from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts.models import AlertDefinition, Severity
from apps.alerts.services import definitions, drafting, importing, reapplying
from apps.alerts.services.files import dump
from apps.alerts.services.importing import Outcome
from apps.alerts.services.preview import Example, Preview, preview
from apps.core import errors, scoping
from apps.core.api import Accepted, Conflict, PortalModelViewSet, accepted, resource
from apps.core.api_fields import Anything, Flag, Nothing, Strict, Text
from apps.core.api_filters import IdFilter


class DefinitionSerializer(Strict):
    """How a trap is recognised and shown. Mappings are as in the files: ``docs/develop/define-an-alert.md``."""

    id = serializers.IntegerField(read_only=True)
    key = serializers.CharField(read_only=True)
    name = Text(max_length=200)
    family = Text(read_only=True)
    trap_oid = Text(max_length=400)
    also = serializers.ListField(child=Text(max_length=400), required=False)
    prefix = Flag(required=False)
    enterprise = Text(max_length=400, required=False, allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices)
    severity_by = Anything(required=False)
    alert_type = Text(max_length=60, required=False)
    title = Text(max_length=2000)
    detail = Text(max_length=2000, required=False, allow_blank=True)
    remedy = Text(max_length=2000, required=False, allow_blank=True)
    bindings = Anything(required=False)
    words = Anything(required=False)
    object = Text(max_length=60, required=False, allow_blank=True)
    object_kind = Text(max_length=20, required=False, allow_blank=True)
    clears = serializers.ListField(child=Text(max_length=100), required=False)
    counts = Flag(required=False)
    enabled = Flag(required=False)
    own = serializers.BooleanField(source="is_own", read_only=True)
    changed = serializers.ListField(source="changes", child=serializers.CharField(), read_only=True)
    changed_at = serializers.DateTimeField(read_only=True)


class PreviewedSerializer(DefinitionSerializer):
    """A draft to try: of a definition, whose other fields are kept, or of a new one."""

    id = serializers.IntegerField(required=False)


class DocumentSerializer(Strict):
    """The text of a file of definitions."""

    text = Text(trim_whitespace=False)
    take = Flag(default=False)


class DefinitionFilter(django_filters.FilterSet):
    """Which definitions."""

    id = IdFilter()
    key = django_filters.CharFilter()
    family = django_filters.CharFilter()
    trap_oid = django_filters.CharFilter()
    alert_type = django_filters.CharFilter()
    severity = django_filters.MultipleChoiceFilter(choices=Severity.choices)
    enabled = django_filters.BooleanFilter()
    own = django_filters.BooleanFilter(method="by_maker")

    class Meta:
        model = AlertDefinition
        fields = ()

    def by_maker(self, queryset: Any, name: str, value: bool) -> Any:
        """Keep users' own ones, or those that come with the portal."""
        return queryset.own() if value else queryset.shipped()


class DefinitionViewSet(PortalModelViewSet):
    """How traps are recognised and shown, by key."""

    queryset = AlertDefinition.objects.order_by("key")
    serializer_class = DefinitionSerializer
    filterset_class = DefinitionFilter
    search_fields = ("key", "name", "trap_oid", "title", "alert_type", "family")
    reading = "view"
    writing = "definitions"
    permission_words = {"preview": "view"}

    def is_open_to(self, user: Any) -> bool:
        """Let everybody read who sees anything; what is changed here counts for the whole fleet."""
        return scoping.may_somewhere(user, "view") if self.word == "view" else super().is_open_to(user)

    def perform_create(self, serializer: Any) -> AlertDefinition:
        """Make a definition of a user's own."""
        return definitions.create(serializer.validated_data, self.actor)

    def perform_update(self, serializer: Any) -> None:
        """Change some fields."""
        definitions.change(serializer.instance, serializer.validated_data, self.actor)

    def perform_destroy(self, instance: AlertDefinition) -> None:
        """Remove a user's own definition."""
        try:
            definitions.remove(instance, self.actor)
        except errors.Conflict as conflict:
            raise Conflict(str(conflict)) from conflict

    @extend_schema(request=None, responses=DefinitionSerializer)
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def restore(self, request: Request, pk: int) -> Response:
        """Make a shipped definition as it came with the portal."""
        try:
            found = definitions.restore(self.get_object(), self.actor)
        except errors.Conflict as conflict:
            raise Conflict(str(conflict)) from conflict
        return Response(DefinitionSerializer(found).data)

    @extend_schema(request=None, responses={202: Accepted})
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def apply(self, request: Request, pk: int) -> Response:
        """Understand the stored alerts of the last week anew, as a job."""
        return accepted(reapplying.order(self.get_object(), self.actor), request)

    @extend_schema(request=PreviewedSerializer, responses={200: OpenApiTypes.OBJECT})
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Say what a draft would have made of the last week's alerts that the caller may see; changes nothing."""
        found = self._draft_of(request)
        sent = PreviewedSerializer(data=request.data, partial=found is not None)
        sent.is_valid(raise_exception=True)
        fields = {name: value for name, value in sent.validated_data.items() if name != "id"}
        return Response(_said(preview(drafting.draft_of(fields, found), request.user)))

    def _draft_of(self, request: Request) -> AlertDefinition | None:
        pk = request.data.get("id") if isinstance(request.data, dict) else None
        if pk is None:
            return None
        found = self.get_queryset().filter(pk=pk).first() if type(pk) is int and 0 < pk < 2**63 else None
        if found is None:
            raise exceptions.ValidationError({"id": [_("There is no such definition.")]})
        return found

    @extend_schema(request=DocumentSerializer, responses={200: OpenApiTypes.OBJECT})
    @action(detail=False, methods=["post"], url_path="import", url_name="import")
    def take(self, request: Request) -> Response:
        """Say what a file of definitions would do; with ``take`` do it, all of it or nothing."""
        sent = DocumentSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        text = sent.validated_data["text"]
        try:
            plan = importing.take(text, self.actor) if sent.validated_data["take"] else importing.plan(text)
        except ValidationError as error:
            raise exceptions.ValidationError({"text": error.messages}) from error
        entries = [
            {
                "key": entry.key,
                "name": entry.name,
                "outcome": entry.outcome.value,
                "fields": list(entry.fields),
                "doubles": list(entry.doubles),
            }
            for entry in plan.entries
        ]
        counts = {outcome.value: plan.count(outcome) for outcome in Outcome}
        return Response({"taken": sent.validated_data["take"], **counts, "entries": entries})

    @extend_schema(
        parameters=[OpenApiParameter("own", bool, description="Users' own and changed ones alone.")],
        responses={(200, "application/yaml"): OpenApiTypes.OBJECT},
        filters=False,
    )
    @action(detail=False, filterset_class=None, search_fields=(), pagination_class=None)
    def export(self, request: Request) -> HttpResponse:
        """Give definitions as a file that can be imported."""
        asked = request.query_params.get("own", "false")
        wrong = {name: [_("There is no such parameter.")] for name in request.query_params if name != "own"}
        if asked not in {"true", "false"}:
            wrong["own"] = [_("Give true or false.")]
        if wrong:
            raise exceptions.ValidationError(wrong)
        rows = list(AlertDefinition.objects.order_by("key"))
        chosen = [row for row in rows if row.is_own or row.changes] if asked == "true" else rows
        return HttpResponse(dump(chosen), content_type="application/yaml; charset=utf-8")


def _said(found: Preview) -> dict[str, Any]:
    return {
        "since": found.since,
        "complete": found.complete,
        "looked_at": found.looked_at,
        "days": [{"day": day.day, "before": day.before, "after": day.after} for day in found.days],
        "figures": [
            {"what": line.severity or line.what, "before": line.before, "after": line.after} for line in found.lines
        ],
        "examples": [_example(example) for example in found.examples],
    }


def _example(example: Example) -> dict[str, Any]:
    return {
        "alert": example.alert.pk,
        "was": example.was,
        "becomes": example.becomes,
        "title": str(example.title),
    }


routes: list[URLPattern] = resource("alert-definitions", DefinitionViewSet)
