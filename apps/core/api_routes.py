"""The API resources of the core: jobs with their steps, and options; the audit has a file of its own."""

from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core import jobs, options, scoping
from apps.core.api import Accepted, Conflict, PortalViewSet, Reads, ScopedReadOnlyViewSet, accepted, resource, sent
from apps.core.api_fields import Anything, Nothing, Phrased, Strict
from apps.core.api_filters import IdFilter
from apps.core.models import Job, JobState, JobStep, StepCode, StepStage, StepState
from apps.core.options import Option


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job with its counts."""

    steps_url = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by_name")
    consequences = serializers.ListField(child=Phrased(), read_only=True)

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "total",
            "finished",
            "failed",
            "skipped",
            "consequences",
            "steps_url",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_steps_url(self, job: Job) -> str:
        """Give the address of the steps."""
        url: str = reverse("job-steps", args=[job.pk], request=self.context.get("request"))
        return url


class StepSerializer(serializers.ModelSerializer[JobStep]):
    """One target of a job and how it ended."""

    message = Phrased(read_only=True)
    remedy = Phrased(read_only=True)

    class Meta:
        model = JobStep
        fields = (
            "id",
            "component",
            "interface",
            "target",
            "state",
            "stage",
            "code",
            "message",
            "remedy",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class JobFilter(django_filters.FilterSet):
    """Which jobs."""

    id = IdFilter()
    state = django_filters.MultipleChoiceFilter(choices=JobState.choices)
    kind = django_filters.CharFilter()
    created_by = django_filters.CharFilter(field_name="created_by_name")


class StepFilter(django_filters.FilterSet):
    """Which steps."""

    id = IdFilter()
    component = IdFilter()
    interface = IdFilter()
    target = django_filters.CharFilter()
    state = django_filters.MultipleChoiceFilter(choices=StepState.choices)
    stage = django_filters.MultipleChoiceFilter(choices=StepStage.choices)
    code = django_filters.MultipleChoiceFilter(choices=StepCode.choices)


class JobViewSet(ScopedReadOnlyViewSet):
    """Jobs that the user started or that have a target where he may look."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    filterset_class = JobFilter
    search_fields = ("title", "kind", "created_by_name")

    def paginate_queryset(self, queryset: Any) -> Any:
        """Cut out a page, whose jobs count what the user may see."""
        page = super().paginate_queryset(queryset)
        return jobs.as_seen(page, self.request.user) if self.action == "list" else page

    def single(self, found: Any, code: int = 200, **headers: str) -> Response:
        """Give one job that counts what the user may see."""
        etag = self.etag_of(found)
        body = self.get_serializer(*jobs.as_seen([found], self.request.user)).data
        return Response(body, status=code, headers={"ETag": etag, **headers})

    @extend_schema(responses=StepSerializer(many=True))
    @action(detail=True, filterset_class=StepFilter, search_fields=("target",))
    def steps(self, request: Request, pk: int) -> Response:
        """Give the steps that the user may see; all of them when the job is his own."""
        job = self.get_object()
        rows = job.steps.all()
        if job.created_by_id not in scoping.owners(request.user):
            rows = rows.visible_to(request.user)
        found: QuerySet[JobStep] = self.filter_queryset(rows)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(StepSerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: Accepted})
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def cancel(self, request: Request, pk: int) -> Response:
        """Stop a job: what waits is cancelled, what runs ends by itself."""
        job = self.get_object()
        if not jobs.may_cancel(request.user, job):
            raise exceptions.PermissionDenied
        if not jobs.cancel(job, self.actor):
            raise Conflict(_("This job has ended already."))
        return accepted(job, request)


class OptionSerializer(serializers.Serializer[Option]):
    """An option with its value and what it may be."""

    id = serializers.CharField(source="name")
    name = serializers.CharField()
    label = Phrased()  # type: ignore[assignment]  # named as in the API, which hides an attribute of the base
    help = Phrased()
    section = Phrased()
    unit = Phrased()
    type = serializers.CharField(source="type.__name__")
    value = serializers.SerializerMethodField("value_in_force")
    warning = serializers.SerializerMethodField()
    default = serializers.JSONField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    also = serializers.ListField(child=serializers.IntegerField())
    choices = serializers.ListField(child=serializers.CharField())
    # Named as in the API, which hides an attribute of the base.
    read_only = serializers.BooleanField()  # type: ignore[assignment]
    environment = serializers.CharField()

    def value_in_force(self, option: Option) -> Any:
        """Give the value that is in force."""
        return options.get(option.name)

    def get_warning(self, option: Option) -> str:
        """Say what is unwise about it."""
        return option.warning(options.get(option.name))


class OptionValueSerializer(Strict):
    """The value that an option is to have."""

    value = Anything()


class OptionViewSet(Reads, PortalViewSet):
    """The settings of the whole portal."""

    serializer_class = OptionSerializer
    reading = writing = "settings"
    lookup_field = "name"
    lookup_value_converter = "str"
    filter_backends = ()
    query_parameters = (
        OpenApiParameter("q", str, description="Words of the option's name and label"),
        OpenApiParameter("name", str),
    )

    def get_queryset(self) -> Any:
        """Give every declared option by name, as far as it is asked for."""
        words = self.request.query_params.get("q", "").casefold().split()
        name = self.request.query_params.get("name", "").casefold()
        found = [one for one in options.all_options() if name in {"", one.name.casefold()}]
        return [one for one in found if all(word in f"{one.name} {one.label}".casefold() for word in words)]

    def get_object(self) -> Option:
        """Give the option of this name, in any letter case."""
        try:
            return options.find(self.kwargs["name"])
        except KeyError as error:
            raise Http404 from error

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request) -> Response:
        """Give the options."""
        page = self.paginate_queryset(self.get_queryset())
        options.note_reading(page, self.actor)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one option."""
        option = self.get_object()
        options.note_reading([option], self.actor)
        return Response(self.get_serializer(option).data)

    @extend_schema(request=OptionValueSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set the value: ``{"value": …}``."""
        option = self.get_object()
        sent = OptionValueSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        if option.read_only:
            raise Conflict(_("%(variable)s in the environment decides this option.") % {"variable": option.environment})
        try:
            options.set_value(option.name, sent.validated_data["value"], self.actor)
        except ValidationError as error:
            raise exceptions.ValidationError({"value": error.messages}) from error
        return Response(self.get_serializer(option).data)

    @extend_schema(request=Nothing)
    @action(detail=True, methods=["post"])
    def reset(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set it back to its default."""
        option = self.get_object()
        Nothing(data=sent(request)).is_valid(raise_exception=True)
        if option.read_only:
            raise Conflict(_("%(variable)s in the environment decides this option.") % {"variable": option.environment})
        try:
            options.reset(option.name, self.actor)
        except ValidationError as error:
            raise Conflict(" ".join(error.messages)) from error
        return Response(self.get_serializer(option).data)


options_list = OptionViewSet.as_view({"get": "list"})
option_detail = OptionViewSet.as_view({"get": "retrieve", "patch": "partial_update"})
option_reset = OptionViewSet.as_view({"post": "reset"})

routes: list[URLPattern] = [
    *resource("jobs", JobViewSet),
    path("options/", options_list, name="option-list"),
    path("options/<str:name>/", option_detail, name="option-detail"),
    path("options/<str:name>/reset/", option_reset, name="option-reset"),
]
