"""The JSON shapes of components and their interfaces."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from apps.components.models import Category, Component, InventoryItem, ManagementInterface, StatusCause
from apps.components.services.drafts import NewInterface
from apps.core.api_fields import Anything, Flag, Phrased, Reference, Strict, Text, Uuid, Whole
from apps.groups.models import Group


class InterfaceSerializer(Strict):
    """One way of managing a component."""

    id = Whole(required=False)
    driver = Text(max_length=40, required=False)
    address = Text(max_length=253, required=False)
    port = Whole(min_value=1, max_value=65535, required=False, allow_null=True)
    credential = Whole(source="credential_id", required=False, allow_null=True)
    parameters = Anything(required=False)
    enabled = Flag(required=False)
    status = serializers.CharField(read_only=True)
    last_polled_at = serializers.DateTimeField(read_only=True)
    last_error = Phrased(read_only=True)


@extend_schema_field(InterfaceSerializer(many=True))
class InterfaceList(serializers.Field[Any, Any, Any, Any]):
    """All interfaces of a component; every fault names ``interfaces`` and says of which one."""

    def to_representation(self, value: Any) -> list[Any]:
        """Give them in their order."""
        return [InterfaceSerializer(row).data for row in value.all()]

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """Check the shape of each."""
        if not isinstance(data, list):
            raise exceptions.ValidationError(_("Enter a list of interfaces."))
        wrong, cleaned = [], []
        for number, item in enumerate(data, start=1):
            body = InterfaceSerializer(data=item)
            if body.is_valid():
                cleaned.append(dict(body.validated_data))
            for name, faults in body.errors.items():
                wrong += [
                    _("No. %(number)s: %(field)s: %(problem)s") % {"number": number, "field": name, "problem": fault}
                    for fault in faults
                ]
        if wrong:
            raise exceptions.ValidationError(wrong)
        return cleaned


class CauseSerializer(serializers.Serializer[StatusCause]):
    """One open reason for the status."""

    status = serializers.CharField()
    text = Phrased()
    # Named as in the API, which hides an attribute of the base.
    source = serializers.CharField()  # type: ignore[assignment]
    since = serializers.DateTimeField()


class ComponentSerializer(Strict):
    """A managed device; only ``name`` is needed to register one."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=200)
    alias = Text(max_length=200, required=False, allow_blank=True)
    category = serializers.ChoiceField(choices=Category.choices, required=False)
    group = Reference(queryset=Group.objects.all(), required=False)
    # Named as in the API, which hides an attribute of the base.
    parent = Reference(queryset=Component.objects.all(), required=False, allow_null=True)  # type: ignore[assignment]
    slot = Text(max_length=40, required=False, allow_blank=True)
    addresses = serializers.ListField(child=serializers.CharField(), read_only=True)
    alert_addresses = serializers.ListField(child=Text(max_length=45), required=False)
    uuid = Uuid(required=False, allow_null=True)
    serial_number = Text(max_length=100, required=False, allow_blank=True)
    manufacturer = Text(max_length=100, required=False, allow_blank=True)
    model = Text(max_length=200, required=False, allow_blank=True)
    status = serializers.CharField(read_only=True)
    causes = CauseSerializer(many=True, read_only=True)
    suspended = serializers.BooleanField(read_only=True)
    last_seen_at = serializers.DateTimeField(read_only=True)
    interfaces = InterfaceList(required=False)

    def to_representation(self, instance: Component) -> dict[str, Any]:
        """Leave out a parent that the caller may not see."""
        shown: dict[str, Any] = super().to_representation(instance)
        parent = instance.parent
        if parent is not None and parent.group_id not in self.context["scope"]:
            shown["parent"] = None
        return shown


class InventorySerializer(serializers.ModelSerializer[InventoryItem]):
    """One part of a device."""

    class Meta:
        model = InventoryItem
        fields = ("id", "interface", "kind", "key", "name", "status", "details", "read_at")
        read_only_fields = fields


class EventLogSerializer(serializers.Serializer[Any]):
    """One line of a device's own event log."""

    id = serializers.IntegerField()
    interface = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    severity = serializers.CharField()
    text = serializers.CharField()


class JoinSerializer(Strict):
    """The registration that goes."""

    def get_fields(self) -> dict[str, Any]:
        """Name the field with the word that Python keeps for itself."""
        return {"with": Reference(queryset=Component.objects.all())}


def full_interfaces(
    sent: Sequence[Mapping[str, Any]], present: Mapping[int, ManagementInterface]
) -> list[NewInterface]:
    """Fill what was left out: of an interface with its id from what it says now, of a new one from the defaults."""
    wrong: list[str] = []
    full: list[NewInterface] = []
    for number, item in enumerate(sent, start=1):
        row = present.get(item["id"]) if "id" in item else None
        if "id" in item and row is None:
            wrong.append(
                _("No. %(number)s: This component has no interface %(id)s.") % {"number": number, "id": item["id"]}
            )
        elif row is not None:
            now = {name: getattr(row, name) for name in NewInterface.__dataclass_fields__}
            full.append(NewInterface(**{**now, **item}))
        else:
            missing = [name for name in ("driver", "address") if name not in item]
            wrong += [
                _("No. %(number)s: %(field)s: This field is required.") % {"number": number, "field": name}
                for name in missing
            ]
            if not missing:
                full.append(NewInterface(**item))
    if wrong:
        raise exceptions.ValidationError({"interfaces": wrong})
    return full
