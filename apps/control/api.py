"""The API resource of operations: one order for one component or many, answered with its job."""

from collections.abc import Sequence
from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components.models import Component
from apps.control.api_batches import batch_routes
from apps.control.operations import OPERATIONS
from apps.control.services.ordering import Preview, forces_many, operate, preview
from apps.control.settings.api import routes as settings_routes
from apps.core.api import Accepted, ScopedViewSet, accepted
from apps.core.api_fields import LARGEST_ID, Flag, Reference, Strict, Whole
from apps.core.api_filters import is_dry
from apps.groups.models import Group

MOST = 10_000  # components of one order
DRY_RUN = OpenApiParameter("dry_run", bool, description="Only say what would be reached and touched.")


class OperationSerializer(Strict):
    """An order. It is for ``components`` or for those of a ``group``, with ``include_subgroups`` also those below it.

    Arguments: ``power`` ``{action: on, off, shutdown, cycle, reset, reboot or nmi}``; ``boot`` ``{device: none, pxe,
    disk, cd, usb, setup or diagnostic, once: true, uefi: null}``; ``lamp`` ``{lit: true, seconds: null}``; ``wake``
    ``{port: 9 or 10101}``; ``cap`` ``{watts: 50 to 100000, or null for no cap}``; ``collect`` and ``clear_log`` have
    none. With ``expect``, nothing begins unless there are so many targets; who forces more than ten machines (``off``,
    ``cycle``, ``reset``, ``nmi``) has to give it.
    """

    operation = serializers.ChoiceField(sorted(OPERATIONS))
    arguments = serializers.DictField(required=False)
    components = serializers.ListField(child=Whole(min_value=1, max_value=LARGEST_ID), required=False, max_length=MOST)
    group = Reference(queryset=Group.objects.all(), required=False)
    include_subgroups = Flag(default=False)
    expect = Whole(required=False, min_value=0)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check what only the whole tells: for whom it is, and whether the arguments make sense."""
        named = "components" in attrs
        if named == ("group" in attrs):
            raise serializers.ValidationError({"components": [_("Name components or a group, not both.")]})
        if named and not attrs["components"]:
            raise serializers.ValidationError({"components": [_("Name at least one component.")]})
        try:
            OPERATIONS[attrs["operation"]].clean(attrs.get("arguments", {}))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"arguments": error.messages}) from error
        return attrs


class TargetSerializer(serializers.Serializer[Any]):
    """One component that would be ordered; ``interface`` is the way, null where the order goes past all of them."""

    component = serializers.IntegerField()
    name = serializers.CharField()
    interface = serializers.IntegerField(allow_null=True)
    power_state = serializers.CharField(help_text="on or off, as it was seen last; empty: not known.")
    power_seen_at = serializers.DateTimeField(allow_null=True)


class SkippedSerializer(serializers.Serializer[Any]):
    """One component that cannot do it, or of which another manager has the controller: ``why`` says it."""

    component = serializers.IntegerField()
    name = serializers.CharField()
    why = serializers.CharField(help_text="Empty: none of its ways of managing can do this.")


class ConsequenceSerializer(serializers.Serializer[Any]):
    """What the order would touch besides its targets, the worst first."""

    state = serializers.CharField()
    text = serializers.CharField()
    detail = serializers.CharField()


class OperationPreviewSerializer(serializers.Serializer[Any]):
    """What an order would reach and touch; ``expect`` is the number that it has to confirm, null where it need not."""

    total = serializers.IntegerField()
    targets = TargetSerializer(many=True)
    skipped = SkippedSerializer(many=True)
    consequences = ConsequenceSerializer(many=True)
    expect = serializers.IntegerField(allow_null=True)


class OperationViewSet(ScopedViewSet):
    """Orders to devices."""

    queryset = Component.objects.all()
    serializer_class = OperationSerializer
    filter_backends = ()

    @extend_schema(
        request=OperationSerializer, parameters=[DRY_RUN], responses={202: Accepted, 200: OperationPreviewSerializer}
    )
    def create(self, request: Request) -> Response:
        """Order one operation of one component or many; a job with a step for each carries it out, at most once.

        With ``dry_run`` only say what would be reached and touched; nothing begins.
        """
        dry = is_dry(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        told = serializer.validated_data
        name, arguments, components = told["operation"], told.get("arguments", {}), self._targets(told)
        if dry:
            return Response(_preview(preview(name, arguments, components, self.actor)))
        if "expect" not in told and forces_many(name, arguments, len(components)):
            sentence = _("Give the number of components that are forced: they are %(number)d.")
            raise exceptions.ValidationError({"expect": [sentence % {"number": len(components)}]})
        job = operate(name, arguments, components, self.actor, expect=told.get("expect"))
        return accepted(job, request)

    def _targets(self, told: dict[str, Any]) -> Sequence[Component]:
        """Give the components that are meant; those that the caller may not see do not exist."""
        visible = self.get_queryset().select_related("group")
        if "group" in told:
            group = cast(Group, told["group"])
            groups = Group.objects.all().tree().subtree(group.pk) if told["include_subgroups"] else {group.pk}
            found = list(visible.filter(group__in=groups).order_by("name", "pk"))
            if not found:
                raise exceptions.ValidationError({"group": [_("There is no component in this group.")]})
            return found
        wanted = list(dict.fromkeys(told["components"]))
        rows = visible.in_bulk(wanted)
        missing = [pk for pk in wanted if pk not in rows]
        if missing:
            sentence = _("There is no component with the id %(id)s.")
            raise exceptions.ValidationError({"components": [sentence % {"id": pk} for pk in missing[:20]]})
        return [rows[pk] for pk in wanted]


def _preview(found: Preview) -> dict[str, Any]:
    total = len(found.targets) + len(found.skipped)
    return {
        "total": total,
        "targets": [
            {
                "component": one.pk,
                "name": str(one),
                "interface": found.ways[one.pk],
                "power_state": one.power_state,
                "power_seen_at": one.power_seen_at,
            }
            for one in found.targets
        ],
        "skipped": [
            {"component": one.pk, "name": str(one), "why": str(found.refused.get(one.pk, ""))} for one in found.skipped
        ],
        "consequences": [{"state": one.state, "text": str(one.title), "detail": one.detail} for one in found.touched],
        "expect": total if found.wants_number else None,
    }


routes: list[URLPattern] = [
    *settings_routes,
    *batch_routes,
    path("operations/", OperationViewSet.as_view({"post": "create"}), name="operation-list"),
]
