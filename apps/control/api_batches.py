"""The API resource of remote batches, with their runs."""

from collections.abc import Callable
from datetime import date
from typing import Any

import django_filters
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchQuerySet, RemoteBatchRun, RunState
from apps.control.operations import OPERATIONS
from apps.control.services import batch_runs, remote_batches
from apps.control.services.remote_batches import LONGEST_MAKE_UP, MOST_TARGETS, PLANNING, Plan, plan_of
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.api import Accepted, ScopedModelViewSet, accepted, resource
from apps.core.api_fields import LARGEST_ID, Anything, Flag, Nothing, Phrased, Reference, Strict, Text, Whole
from apps.core.api_filters import FlagFilter, IdFilter, WordsFilter
from apps.core.api_rules import RuleFields, on_the_wall, pattern_of, rule_body
from apps.core.models import Job
from apps.core.recurrence import Repeat, Rule, wall
from apps.groups.models import Group


class RunNowSerializer(Strict):
    """Running at once; with ``expect``, nothing begins unless there are so many targets."""

    expect = Whole(required=False, min_value=0)


class DaySerializer(Strict):
    """The day of a run, by the clock of the batch's own time zone."""

    day = serializers.DateField()


class RemoteBatchRunSerializer(serializers.ModelSerializer[RemoteBatchRun]):
    """What became of one time of a batch: ``message`` says why it did not run."""

    job = serializers.SerializerMethodField()
    owner = serializers.CharField(source="actor_name", read_only=True)
    state = serializers.ChoiceField(RunState.values, read_only=True)
    message = Phrased(read_only=True)

    class Meta:
        model = RemoteBatchRun
        fields = ("id", "batch", "planned_at", "state", "by_hand", "owner", "job", "message")
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_job(self, run: RemoteBatchRun) -> int | None:
        """Give the job, where the caller may see it."""
        return run.job_id if run.job_id in self.context["jobs"] else None


class RemoteBatchSerializer(RuleFields):
    """An operation that is ordered at a set time or by a rule; see ``docs/user/remote-batches.md``.

    It is for ``components``, for those of a ``group`` (with ``include_subgroups`` also those below it), or both.
    Operations and their arguments are those of ``/operations/``.
    """

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=200)
    operation = serializers.ChoiceField(sorted(OPERATIONS))
    arguments = Anything(required=False)
    components = serializers.ListField(
        child=Whole(min_value=1, max_value=LARGEST_ID), required=False, max_length=MOST_TARGETS
    )
    group = Reference(queryset=Group.objects.all(), required=False, allow_null=True)
    include_subgroups = Flag(required=False)
    make_up = Whole(required=False, min_value=0, max_value=LONGEST_MAKE_UP)
    expect = Whole(required=False, allow_null=True, min_value=1)
    at_most = Whole(required=False, allow_null=True, min_value=1)
    paused = Flag(required=False)
    paused_by = serializers.CharField(read_only=True)
    next_at = serializers.DateTimeField(read_only=True, allow_null=True)
    owner = serializers.CharField(read_only=True)
    limited_by = serializers.CharField(read_only=True, help_text="The API token within whose limits it runs.")
    created_at = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a whole plan of what was sent and what is there."""
        present: RemoteBatch | None = self.instance
        if present is not None and "paused" in attrs and attrs["paused"] is not present.paused:
            raise exceptions.ValidationError({"paused": [_("Pause and resume have addresses of their own.")]})
        before = plan_of(present) if present is not None else None
        arguments = attrs.get("arguments", {})
        if not isinstance(arguments, dict):
            raise exceptions.ValidationError({"arguments": [_("Give an object.")]})
        same = before is not None and attrs.get("operation", before.operation) == before.operation
        if before is not None and same and "arguments" not in attrs:
            arguments = before.arguments
        plan = Plan(
            attrs.get("name", before.name if before is not None else ""),
            attrs.get("operation", before.operation if before is not None else ""),
            arguments,
            self._rule(attrs, before.rule if before is not None else None),
            self._components(attrs["components"]) if "components" in attrs else before.components if before else (),
            attrs.get("group", before.group if before is not None else None),
            attrs.get("include_subgroups", before.include_subgroups if before is not None else True),
            attrs.get("make_up", before.make_up if before is not None else 0),
            attrs.get("expect", before.expect if before is not None else None),
            attrs.get("at_most", before.at_most if before is not None else None),
        )
        return {"plan": plan, "paused": attrs.get("paused", False)}

    def _rule(self, sent: dict[str, Any], present: Rule | None) -> Rule:
        name, zone = self.zone_of(sent, present)
        pattern = pattern_of(sent, present)
        first = on_the_wall(sent.get("starts_at"), zone)
        if first is None and present is None:
            if pattern["repeat"] is Repeat.ONCE:
                raise exceptions.ValidationError({"starts_at": [_("Give the time at which it runs.")]})
            first = wall(timezone.now().replace(second=0, microsecond=0), zone)
        return Rule(zone=name, first=first or present.first, **pattern)  # type: ignore[union-attr]  # one of them is there

    def _components(self, ids: list[int]) -> list[Component]:
        rows = Component.objects.visible_to(self.context["request"].user).in_bulk(list(dict.fromkeys(ids)))
        missing = [pk for pk in dict.fromkeys(ids) if pk not in rows]
        if missing:
            sentence = _("There is no component with the id %(id)s.")
            raise exceptions.ValidationError({"components": [sentence % {"id": pk} for pk in missing[:20]]})
        return [rows[pk] for pk in dict.fromkeys(ids)]

    def to_representation(self, instance: RemoteBatch) -> dict[str, Any]:
        """Give the columns by the names of the API."""
        moment = serializers.DateTimeField()
        scope = self.context["view"].seen_groups
        return {
            "id": instance.pk,
            "name": instance.name,
            "operation": instance.operation,
            "arguments": dict(instance.arguments),
            "components": [one.component_id for one in instance.targets.all() if one.component.group_id in scope],
            "group": instance.group_id if instance.group_id is None or instance.group_id in scope else None,
            "include_subgroups": instance.include_subgroups,
            "make_up": instance.make_up,
            "expect": instance.expect,
            "at_most": instance.at_most,
            "paused": instance.paused,
            "paused_by": instance.paused_by_name,
            **rule_body(instance.rule),
            "next_at": moment.to_representation(instance.next_at) if instance.next_at is not None else None,
            "owner": instance.owner_name,
            "limited_by": instance.limited_by,
            "created_at": moment.to_representation(instance.created_at),
        }


class RemoteBatchFilter(django_filters.FilterSet):
    """Which batches; ``component`` keeps those that are for it, also by its group."""

    id = IdFilter()
    name = django_filters.CharFilter()
    operation = WordsFilter(choices=[(word, word) for word in sorted(OPERATIONS)])
    component = IdFilter(method="of_component")
    group = IdFilter()
    paused = FlagFilter()
    owner = django_filters.CharFilter(field_name="owner_name")
    repeat = WordsFilter(choices=[(word.value, word.value) for word in Repeat])

    def of_component(self, rows: RemoteBatchQuerySet, name: str, value: Any) -> RemoteBatchQuerySet:
        """Keep those of a component that the caller may see."""
        component = Component.objects.visible_to(self.request.user).filter(pk=int(value)).first()
        return rows.reaching(component, Group.objects.all().tree()) if component is not None else rows.none()


class RunFilter(django_filters.FilterSet):
    """Which runs."""

    state = WordsFilter(choices=RunState.choices)
    by_hand = FlagFilter()


class RemoteBatchViewSet(ScopedModelViewSet):
    """Operations that are ordered at a set time or by a rule, on behalf of whoever planned or changed them last."""

    queryset = RemoteBatch.objects.select_related("group", "owner").prefetch_related("targets__component")
    serializer_class = RemoteBatchSerializer
    filterset_class = RemoteBatchFilter
    search_fields = ("name",)
    writing = PLANNING
    etag_related = ("targets",)

    @property
    def seen_groups(self) -> Any:
        """Give the groups that the caller may see."""
        return scoping.scope_of(self.request.user)

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        """Refuse changes to whoever may not plan in the groups of all its targets, unless it is his own."""
        if self.word != "view" and not remote_batches.may_change(request.user, obj):
            raise exceptions.PermissionDenied

    def perform_create(self, serializer: Any) -> RemoteBatch:
        """Plan a batch."""
        sent = serializer.validated_data
        return self._kept(remote_batches.create(sent["plan"], self.actor, paused=sent["paused"]))

    def perform_update(self, serializer: Any) -> None:
        """Change a batch; it runs on behalf of the caller from now on."""
        remote_batches.change(serializer.instance, serializer.validated_data["plan"], self.actor)

    def perform_destroy(self, found: RemoteBatch) -> None:
        """Forget a batch; its jobs stay."""
        remote_batches.remove(found, self.actor)

    def _kept(self, batch: RemoteBatch) -> RemoteBatch:
        found: RemoteBatch = self.get_queryset().get(pk=batch.pk)
        return found

    @extend_schema(request=RunNowSerializer, responses={202: Accepted})
    @action(detail=True, methods=["post"], serializer_class=RunNowSerializer)
    def run(self, request: Request, pk: int) -> Response:
        """Order at once what it is for, on behalf of the caller; what is planned stays planned."""
        found = self.get_object()
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return accepted(batch_runs.run_now(found, self.actor, serializer.validated_data.get("expect")), request)

    @extend_schema(request=None, responses=RemoteBatchSerializer)
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def pause(self, request: Request, pk: int) -> Response:
        """Order nothing from now on; each time that passes is told as left out."""
        return self._switched(remote_batches.pause(self.get_object(), self.actor))

    @extend_schema(request=None, responses=RemoteBatchSerializer)
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def resume(self, request: Request, pk: int) -> Response:
        """Go on with what comes next."""
        return self._switched(remote_batches.resume(self.get_object(), self.actor))

    @extend_schema(request=DaySerializer, responses=RemoteBatchSerializer)
    @action(detail=True, methods=["post"], url_path="leave-out", serializer_class=DaySerializer)
    def leave_out(self, request: Request, pk: int) -> Response:
        """Leave out the run of a day, this one time; 409 where there is none."""
        return self._on_day(remote_batches.leave_out)

    @extend_schema(request=DaySerializer, responses=RemoteBatchSerializer)
    @action(detail=True, methods=["post"], url_path="take-back", serializer_class=DaySerializer)
    def take_back(self, request: Request, pk: int) -> Response:
        """Let the run of a day be again that was left out; 409 where none was."""
        return self._on_day(remote_batches.take_back)

    def _on_day(self, act: Callable[[RemoteBatch, date, Actor], RemoteBatch]) -> Response:
        found = self.get_object()
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return self._switched(act(found, serializer.validated_data["day"], self.actor))

    def _switched(self, batch: RemoteBatch) -> Response:
        self.serializer_class = RemoteBatchSerializer
        return self.single(self._kept(batch), status.HTTP_200_OK)

    @extend_schema(responses=RemoteBatchRunSerializer(many=True))
    @action(detail=True, serializer_class=RemoteBatchRunSerializer, filterset_class=RunFilter, search_fields=())
    def runs(self, request: Request, pk: int) -> Response:
        """List what became of each time, the newest first."""
        batch = self.get_object()
        page = self.paginate_queryset(self.filter_queryset(batch.runs.all()))
        jobs = Job.objects.visible_to(request.user).filter(pk__in=[run.job_id for run in page if run.job_id])
        context = {**self.get_serializer_context(), "jobs": set(jobs.values_list("pk", flat=True))}
        return self.get_paginated_response(RemoteBatchRunSerializer(page, many=True, context=context).data)


batch_routes = resource("remote-batches", RemoteBatchViewSet, "remote-batch")
