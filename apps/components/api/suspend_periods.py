"""The API resource of suspend periods, with their occurrences."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components.models import Component, SuspendPeriod, SuspendPeriodQuerySet
from apps.components.services import suspend_periods
from apps.components.services.suspend_periods import Saved
from apps.components.suspend_views import applying_to, near
from apps.core.api import ScopedModelViewSet
from apps.core.api_fields import Flag, Nothing, Reference, Text
from apps.core.api_filters import FlagFilter, IdFilter
from apps.core.api_rules import RuleFields, WallTime, on_the_wall, pattern_of, rule_body
from apps.core.recurrence import Repeat, Rule, instant, wall, zone_named
from apps.core.recurring import check_year
from apps.groups.models import Group

A_WHILE, LONGEST_LOOK = timedelta(days=31), timedelta(days=366)
RANGE = [
    OpenApiParameter("from", datetime, description="Occurrences that are not over then; now, without it"),
    OpenApiParameter("to", datetime, description="Occurrences that begin before; 31 days after ``from``, without it"),
]


class OccurrenceSerializer(serializers.Serializer[Any]):
    """One time at which a period is in force."""

    period = serializers.IntegerField()
    name = serializers.CharField()
    component = serializers.IntegerField(allow_null=True)
    group = serializers.IntegerField(allow_null=True)
    day = serializers.DateField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class SpanSerializer(serializers.Serializer[SuspendPeriod]):
    """The occurrence that is in force or comes next."""

    starts_at = serializers.DateTimeField(source="upcoming_from")
    ends_at = serializers.DateTimeField(source="upcoming_until", allow_null=True)


class ReplacedSerializer(serializers.Serializer[SuspendPeriod]):
    """A component's own period that went because its group has the same now."""

    name = serializers.CharField()
    component = serializers.IntegerField(source="component_id")


class SuspendPeriodSerializer(RuleFields):
    """A pause of a component or of everything below a group; see ``docs/user/suspend-periods.md``."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=200)
    component = Reference(queryset=Component.objects.all(), required=False, allow_null=True)
    group = Reference(queryset=Group.objects.all(), required=False, allow_null=True)
    enabled = Flag(required=False)
    ends_at = WallTime(required=False, allow_null=True)
    ended_early = serializers.DictField(child=serializers.DateTimeField(), read_only=True)
    in_force = serializers.BooleanField(read_only=True)
    next = SpanSerializer(read_only=True, allow_null=True)
    replaced = ReplacedSerializer(many=True, read_only=True)
    created_by = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that there is one target, and make the rule of what was sent and what is there."""
        present: SuspendPeriod | None = self.instance
        if present is None:
            self._check_target(attrs)
        elif any(name in attrs and attrs[name] != getattr(present, name) for name in ("component", "group")):
            raise exceptions.ValidationError({"group": [_("Whom it suspends cannot be changed: make another one.")]})
        rule = self._rule(attrs, present.rule if present is not None else None)
        return {name: attrs[name] for name in ("name", "enabled", "component", "group") if name in attrs} | {
            "rule": rule
        }

    def _check_target(self, attrs: dict[str, Any]) -> None:
        component, group = attrs.get("component"), attrs.get("group")
        if (component is None) == (group is None):
            raise exceptions.ValidationError({"group": [_("Give either a component or a group.")]})

    def _rule(self, sent: dict[str, Any], present: Rule | None) -> Rule:
        name, zone = self.zone_of(sent, present)
        walls = {key: on_the_wall(sent[key], zone) for key in ("starts_at", "ends_at") if key in sent}
        now = timezone.now().replace(microsecond=0)
        pattern = pattern_of(sent, present)
        if present is None and "starts_at" not in sent and pattern["repeat"] is Repeat.ONCE:
            ends = walls.get("ends_at")
            return suspend_periods.from_now(now, instant(ends, zone) if ends is not None else None, name)
        first = walls.get("starts_at") or (present.first if present is not None else wall(now, zone))
        before = present.first + present.length if present is not None and present.length is not None else None
        end = walls.get("ends_at", before)
        return Rule(zone=name, first=first, length=end - first if end is not None else None, **pattern)

    def to_representation(self, instance: SuspendPeriod) -> dict[str, Any]:
        """Give the columns by the names of the API."""
        rule = instance.rule
        zone = zone_named(rule.zone)
        end = rule.first + rule.length if rule.length is not None else None
        replaced = self.context["view"].replaced
        return {
            "id": instance.pk,
            "name": instance.name,
            "component": instance.component_id,
            "group": instance.group_id,
            "enabled": instance.enabled,
            **rule_body(rule),
            "ends_at": end.replace(tzinfo=zone).isoformat() if end is not None else None,
            "ended_early": dict(instance.cut),
            "in_force": instance.in_force,
            "next": SpanSerializer(instance).data if instance.upcoming_from is not None and instance.enabled else None,
            "replaced": ReplacedSerializer(replaced, many=True).data,
            "created_by": instance.created_by_name,
            "created_at": serializers.DateTimeField().to_representation(instance.created_at),
        }


class SuspendPeriodFilter(django_filters.FilterSet):
    """Which periods. With ``include_inherited`` also those that a component or group has from the groups above it.

    ``from`` and ``to`` keep those that have an occurrence in that time.
    """

    id = IdFilter()
    name = django_filters.CharFilter()
    component = IdFilter(method="of_component")
    group = IdFilter(method="of_group")
    include_inherited = FlagFilter(method="nothing")
    enabled = FlagFilter()
    in_force = FlagFilter()
    time_zone = django_filters.CharFilter()
    repeat = django_filters.MultipleChoiceFilter(choices=[(word.value, word.value) for word in Repeat])
    created_by = django_filters.CharFilter(field_name="created_by_name")

    def of_component(self, rows: SuspendPeriodQuerySet, name: str, value: Any) -> SuspendPeriodQuerySet:
        """Keep those of a component."""
        return self._of(rows, Component, name, value)

    def of_group(self, rows: SuspendPeriodQuerySet, name: str, value: Any) -> SuspendPeriodQuerySet:
        """Keep those of a group."""
        return self._of(rows, Group, name, value)

    def _of(self, rows: SuspendPeriodQuerySet, model: type[Any], name: str, value: Any) -> SuspendPeriodQuerySet:
        if not self.form.cleaned_data.get("include_inherited"):
            return rows.filter(**{name: int(value)})
        target = model.objects.visible_to(self.request.user).filter(pk=int(value)).first()
        return rows.filter(pk__in=applying_to(target).values("pk")) if target is not None else rows.none()

    def nothing(self, rows: Any, name: str, value: Any) -> Any:
        """Leave it to another filter."""
        return rows

    def filter_queryset(self, queryset: Any) -> Any:
        """Filter by columns, then by the rules of what is left."""
        found = super().filter_queryset(queryset)
        start, end = (self.form.cleaned_data.get(name) for name in ("from", "to"))
        if start is None and end is None:
            return found
        return found.filter(pk__in=[row.pk for row in found if _happens(row.rule, start, end)])


# Words that Python keeps for itself cannot stand in the class.
SuspendPeriodFilter.base_filters["from"] = django_filters.IsoDateTimeFilter(method="nothing")
SuspendPeriodFilter.base_filters["to"] = django_filters.IsoDateTimeFilter(method="nothing")


def _happens(rule: Rule, start: datetime | None, end: datetime | None) -> bool:
    earliest = instant(rule.first, zone_named(rule.zone)) - timedelta(days=2)
    found = rule.current_or_next(start or earliest)
    return found is not None and (end is None or found.start < end)


class SuspendPeriodViewSet(ScopedModelViewSet):
    """When components are suspended: still collected from, their alerts kept and marked, and nobody told."""

    queryset = SuspendPeriod.objects.select_related("component", "group")
    serializer_class = SuspendPeriodSerializer
    filterset_class = SuspendPeriodFilter
    search_fields = ("name",)
    writing = "suspend"
    replaced: Sequence[SuspendPeriod] = ()

    def group_of(self, found: SuspendPeriod) -> int | None:
        """Give the group in which a permission is needed to change it."""
        return found.group_in_charge

    def perform_create(self, serializer: Any) -> SuspendPeriod:
        """Plan a period."""
        sent = serializer.validated_data
        target = sent.get("component") or sent["group"]
        self.require(target.group_id if isinstance(target, Component) else target.pk)
        made = suspend_periods.create(target, sent["name"], sent["rule"], self.actor, sent.get("enabled", True))
        return self._kept(made)

    def perform_update(self, serializer: Any) -> None:
        """Change a period."""
        sent = serializer.validated_data
        found: SuspendPeriod = serializer.instance
        rule = sent["rule"] if sent["rule"] != replace(found.rule, cut={}) else None
        saved = suspend_periods.change(found, self.actor, name=sent.get("name"), rule=rule, enabled=sent.get("enabled"))
        self._kept(saved)

    def _kept(self, saved: Saved) -> SuspendPeriod:
        self.replaced = saved.replaced
        found: SuspendPeriod = self.get_queryset().get(pk=saved.period.pk)
        return found

    def perform_destroy(self, found: SuspendPeriod) -> None:
        """Forget a period; what it suspended is told again."""
        suspend_periods.remove(found, self.actor)

    @extend_schema(request=None, responses=SuspendPeriodSerializer)
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def end(self, request: Request, pk: int) -> Response:
        """End the occurrence that is in force now, and only that."""
        ended = suspend_periods.end_early(self.get_object(), self.actor)
        self.serializer_class = SuspendPeriodSerializer
        return self.single(self.get_queryset().get(pk=ended.pk))

    @extend_schema(parameters=RANGE, responses=OccurrenceSerializer(many=True))
    @action(detail=True, filterset_class=None, filter_backends=(), query_parameters=RANGE, url_path="occurrences")
    def its_occurrences(self, request: Request, pk: int) -> Response:
        """List the times at which a period is in force, also those to come."""
        return self._listed([self.get_object()])

    @extend_schema(operation_id="suspend_periods_all_occurrences", responses=OccurrenceSerializer(many=True))
    @action(detail=False)
    def occurrences(self, request: Request) -> Response:
        """List the times at which periods that are enabled and match the filters are in force."""
        start, end = _range(request)
        found: QuerySet[SuspendPeriod] = self.filter_queryset(self.get_queryset())
        return self._listed(near(found.filter(enabled=True), start, end))  # type: ignore[arg-type]  # it is ours

    def _listed(self, periods: Iterable[SuspendPeriod]) -> Response:
        start, end = _range(self.request)
        found = [
            {
                "period": period.pk,
                "name": period.name,
                "component": period.component_id,
                "group": period.group_id,
                "day": one.day,
                "starts_at": one.start,
                "ends_at": one.end,
            }
            for period in periods
            for one in period.rule.between(start, end)
        ]
        found.sort(key=lambda one: (one["starts_at"], one["period"]))
        page = self.paginate_queryset(found)
        return self.get_paginated_response(OccurrenceSerializer(page, many=True).data)


def _range(request: Request) -> tuple[datetime, datetime]:
    """Give the time that is asked for; raises a 400 naming what is wrong with it."""
    start = _moment(request, "from") or timezone.now()
    end = _moment(request, "to") or start + A_WHILE
    if not start <= end <= start + LONGEST_LOOK:
        raise exceptions.ValidationError({"to": [_("Enter a time at most 366 days after the first one.")]})
    return start, end


def _moment(request: Request, name: str) -> datetime | None:
    raw = request.query_params.get(name, "")
    if not raw:
        return None
    try:
        found = parse_datetime(raw.replace(" ", "+"))  # a plus sign that nobody escaped
    except ValueError:
        found = None
    if found is None:
        raise exceptions.ValidationError({name: [_("Enter a date and a time, such as 2026-11-22T22:00Z.")]})
    try:
        check_year(found)
    except ValidationError as error:
        raise exceptions.ValidationError({name: error.messages}) from error
    return found if timezone.is_aware(found) else timezone.make_aware(found)
