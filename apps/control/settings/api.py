"""The API resources of settings: of one component, and the same values for many."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components.models import Component, ManagementInterface
from apps.control.settings import differences, services, values
from apps.control.settings.addresses import own_address, own_addresses
from apps.control.settings.services import Difference
from apps.core.api import Accepted, Conflict, ScopedViewSet, accepted
from apps.core.api_fields import LARGEST_ID, Anything, Flag, Nothing, Strict, Whole
from apps.core.api_filters import is_dry, refuse_unknown_parameters
from apps.core.errors import Conflict as Refused
from apps.core.models import Job
from apps.drivers.contract import Setting, SettingSection

MOST = 1_000  # components of one order
DRY_RUN = OpenApiParameter("dry_run", bool, description="Only say what would change; nothing is written.")


class SettingSerializer(serializers.Serializer[Any]):
    """One setting. The value of a secret is always null: it is only written."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, as people read it
    kind = serializers.ChoiceField(("text", "number", "switch", "choice", "address", "secret"))
    value = Anything()
    choices = serializers.ListField(child=serializers.CharField())
    minimum = serializers.IntegerField(allow_null=True)
    maximum = serializers.IntegerField(allow_null=True)
    longest = serializers.IntegerField(allow_null=True)
    writable = serializers.BooleanField()
    connection = serializers.CharField(help_text="What of the portal's own connection hangs on it; empty: nothing.")


class SectionSerializer(serializers.Serializer[Any]):
    """Settings of one subject."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, as people read it
    settings = SettingSerializer(many=True)


class SettingsSerializer(serializers.Serializer[Any]):
    """What a component was set to when it was read last; without ``read_at`` it was never read."""

    component = serializers.IntegerField()
    interface = serializers.IntegerField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    may_reset = serializers.BooleanField()
    may_restart = serializers.BooleanField()
    awaits_restart = serializers.BooleanField(help_text="Something that was changed counts only after a restart.")
    other_managers = serializers.ListField(
        child=serializers.CharField(), help_text="Where it reports to besides this portal."
    )
    sections = SectionSerializer(many=True)


class WishSerializer(Strict):
    """What is to be set: ``{"network.gateway": "192.0.2.1"}``. What is not named stays as it is."""

    settings = serializers.DictField(child=Anything(), allow_empty=False)
    restart = Flag(default=False, help_text="Restart a controller that says that a change counts only then.")


class OfManySerializer(Strict):
    """Many components; ``expect``: nothing begins unless so many of them change."""

    components = serializers.ListField(
        child=Whole(min_value=1, max_value=LARGEST_ID), allow_empty=False, max_length=MOST
    )
    restart = Flag(default=False, help_text="Restart a controller that says that a change counts only then.")
    expect = Whole(required=False, min_value=0)


class WishOfManySerializer(OfManySerializer, WishSerializer):
    """The same settings for many components; ``expect``: nothing begins unless so many of them change."""


class ReportSerializer(OfManySerializer):
    """Components whose controllers are to send their alerts to this portal; ``expect`` as for other settings."""


class ChangeSerializer(serializers.Serializer[Any]):
    """One setting that would change; of a secret both values are null."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, as people read it
    before = Anything()
    after = Anything()


class CautionSerializer(serializers.Serializer[Any]):
    """What has to be known before: ``critical`` may cut the portal off."""

    state = serializers.CharField()
    text = serializers.CharField()


class DifferenceSerializer(serializers.Serializer[Any]):
    """What would change on one component, or why nothing can."""

    component = serializers.IntegerField()
    changes = ChangeSerializer(many=True)
    cautions = CautionSerializer(many=True)
    lacking = serializers.ListField(child=serializers.CharField())
    why_not = serializers.CharField(allow_null=True)


class DifferencesSerializer(serializers.Serializer[Any]):
    """What would change."""

    differences = DifferenceSerializer(many=True)


class _SettingsViewSet(ScopedViewSet):
    queryset = Component.objects.all()
    serializer_class = SettingsSerializer
    filter_backends = ()
    reading = writing = services.PERMISSION

    def _wish(self, request: Request, kind: type[Strict]) -> dict[str, Any]:
        serializer = kind(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _carry_out(self, components: Sequence[Component], told: dict[str, Any]) -> Response:
        try:
            found = services.differ(components, told["settings"])
        except DjangoValidationError as error:
            raise exceptions.ValidationError({"settings": error.message_dict}) from error
        unknown = [one.lacking for one in found if one.why_not is None]
        nowhere = set(told["settings"]).intersection(*unknown) if unknown else set()
        if nowhere:
            sentence = _("There is no setting of this name.")
            raise exceptions.ValidationError({"settings": {name: [sentence] for name in sorted(nowhere)}})
        return self._order_of(found, told)

    def _order_of(self, found: Sequence[Difference], told: dict[str, Any]) -> Response:
        """Have differences carried out by a job, or only tell them."""
        if self._is_dry():
            return Response({"differences": [_difference(one) for one in found]})
        if len(found) == 1 and found[0].why_not is not None:
            raise Conflict(str(found[0].why_not))
        order = services.propose(found, self.actor)
        job = services.apply(order, self.actor, told.get("expect"), restart=told["restart"])
        return accepted(job, self.request)

    def _is_dry(self) -> bool:
        return is_dry(self.request)


class ComponentSettingsViewSet(_SettingsViewSet):
    """The settings of one component's controller."""

    @extend_schema(responses=SettingsSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Give what it was set to when it was read last."""
        refuse_unknown_parameters(request, self)
        component = self._component()
        interface = services.interfaces_of([component]).get(component.pk)
        return Response(_settings(component, interface))

    @extend_schema(request=WishSerializer, parameters=[DRY_RUN], responses={202: Accepted, 200: DifferencesSerializer})
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named, by a job; with ``dry_run`` only say what would change."""
        component = self._component()
        return self._carry_out([component], self._wish(request, WishSerializer))

    @extend_schema(request=Nothing, responses={202: Accepted})
    def read(self, request: Request, pk: int) -> Response:
        """Read its settings now, by a job."""
        component = self._component()
        return self._order(request, lambda: services.read([component], self.actor))

    @extend_schema(request=Nothing, responses={202: Accepted})
    def restart(self, request: Request, pk: int) -> Response:
        """Restart its controller now, by a job; the machine itself runs on."""
        component = self._component()
        return self._order(request, lambda: services.restart(component, self.actor))

    @extend_schema(request=Nothing, responses={202: Accepted})
    def reset(self, request: Request, pk: int) -> Response:
        """Set its controller back to what it came with, by a job; it may not be reached afterwards."""
        component = self._component()
        return self._order(request, lambda: services.reset(component, self.actor))

    def _order(self, request: Request, order: Callable[[], Job]) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)
        try:
            return accepted(order(), request)
        except Refused as error:
            raise Conflict(str(error)) from error

    def _component(self) -> Component:
        component: Component = self.get_object()
        self.require(component.group_id)
        return component


class SettingsJobViewSet(_SettingsViewSet):
    """The same settings for many components: one alone first, then a few at a time."""

    @extend_schema(
        request=WishOfManySerializer, parameters=[DRY_RUN], responses={202: Accepted, 200: DifferencesSerializer}
    )
    def create(self, request: Request) -> Response:
        """Set them by one job; with ``dry_run`` only say what would change on each."""
        told = self._wish(request, WishOfManySerializer)
        return self._carry_out(self._components(told["components"]), told)

    @extend_schema(
        request=ReportSerializer, parameters=[DRY_RUN], responses={202: Accepted, 200: DifferencesSerializer}
    )
    def report(self, request: Request) -> Response:
        """Have their controllers send alerts to this portal; with ``dry_run`` only say what would change on each.

        The address is that of the option ``report_address``, else the one by which the portal reaches each of them. It
        is written where it stands already (a controller keeps the MAC address with it), else into an empty place.
        """
        told = self._wish(request, ReportSerializer)
        components = self._components(told["components"])
        try:
            found = services.report_to(components, own_address)
        except DjangoValidationError as error:
            raise Conflict(error.messages[0]) from error
        return self._order_of(found, told)

    def _components(self, ids: Sequence[int]) -> list[Component]:
        """Give those that are named, if all of them are seen and may be set."""
        wanted = list(dict.fromkeys(ids))
        rows = Component.objects.visible_to(self.request.user).select_related("group").in_bulk(wanted)
        missing = [pk for pk in wanted if pk not in rows]
        if missing:
            sentence = _("There is no component with the id %(id)s.")
            raise exceptions.ValidationError({"components": [sentence % {"id": pk} for pk in missing[:20]]})
        components = [rows[pk] for pk in wanted]
        for component in components:
            self.require(component.group_id)
        return components


def _settings(component: Component, interface: ManagementInterface | None) -> dict[str, Any]:
    snapshot = services.snapshot_of(interface)
    report = values.load(snapshot.report if snapshot is not None else {})
    return {
        "component": component.pk,
        "interface": interface.pk if interface is not None else None,
        "read_at": snapshot.read_at if snapshot is not None else None,
        "may_reset": report.may_reset,
        "may_restart": report.may_restart,
        "awaits_restart": report.awaits_restart,
        "other_managers": differences.others(report, own_addresses(interface)) if interface is not None else [],
        "sections": [
            {
                "name": section.name,
                "label": _(section.label),
                "settings": [_setting(section, one) for one in section.settings],
            }
            for section in report.sections
        ],
    }


def _setting(section: SettingSection, one: Setting) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": str(values.title(section, one)),
        "kind": one.kind.value,
        "value": one.value,
        "choices": [choice.value for choice in one.choices],
        "minimum": one.minimum,
        "maximum": one.maximum,
        "longest": one.longest,
        "writable": one.writable,
        "connection": one.carries.value,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "component": one.component.pk,
        "changes": [
            {
                "name": change.name,
                "label": str(change.label),
                "before": change.before,
                "after": None if change.secret else change.after,
            }
            for change in one.changes
        ],
        "cautions": [{"state": caution.state, "text": str(caution.text)} for caution in one.cautions],
        "lacking": list(one.lacking),
        "why_not": None if one.why_not is None else str(one.why_not),
    }


routes: list[URLPattern] = [
    path(
        "components/<int:pk>/settings/",
        ComponentSettingsViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="component-settings",
    ),
    path(
        "components/<int:pk>/settings/read/",
        ComponentSettingsViewSet.as_view({"post": "read"}),
        name="component-settings-read",
    ),
    path(
        "components/<int:pk>/settings/restart/",
        ComponentSettingsViewSet.as_view({"post": "restart"}),
        name="component-settings-restart",
    ),
    path(
        "components/<int:pk>/settings/reset/",
        ComponentSettingsViewSet.as_view({"post": "reset"}),
        name="component-settings-reset",
    ),
    path("settings-jobs/", SettingsJobViewSet.as_view({"post": "create"}), name="settings-job-list"),
    path("settings-jobs/report/", SettingsJobViewSet.as_view({"post": "report"}), name="settings-job-report"),
]
