"""The JSON shapes of components and their interfaces."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from apps.components.models import Category, Component, InventoryItem, StatusCause
from apps.components.services.drafts import (
    MOST_INTERFACES,
    NewInterface,
    clean_alert_addresses,
    clean_interface,
    clean_uuid,
    told,
    usable_credentials,
)
from apps.core.actors import Actor
from apps.core.api_fields import Anything, Flag, Phrased, Reference, Strict, Text, Uuid, Whole
from apps.core.phrases import in_words
from apps.core.problems import WHOLE
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
    power_actions = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        allow_null=True,
        help_text="The power orders that the device offers by this way; null: it has not said so, all may be tried.",
    )
    identity = Anything(read_only=True, help_text="What the device said of itself by this way of managing.")


@extend_schema_field(InterfaceSerializer(many=True))
class InterfaceList(serializers.Field[Any, Any, Any, Any]):
    """All interfaces of a component; every fault names ``interfaces`` and says of which one."""

    def to_representation(self, value: Any) -> list[Any]:
        """Give them in their order."""
        return [InterfaceSerializer(row).data for row in value.all()]

    def to_internal_value(self, data: Any) -> list[NewInterface]:
        """Check each wholly, so that one answer names all faults; what is left out of one that is there stays."""
        if not isinstance(data, list):
            raise exceptions.ValidationError(_("Enter a list of interfaces."))
        if len(data) > MOST_INTERFACES:
            raise exceptions.ValidationError(_("Enter at most %(count)s.") % {"count": MOST_INTERFACES})
        component = self.parent.instance
        present = {row.pk: row for row in component.interfaces.all()} if component is not None else {}
        bodies = [InterfaceSerializer(data=item) for item in data]
        faults = [_shape(body) for body in bodies]
        sent = [_well_formed(body, item) for body, item in zip(bodies, data, strict=True)]
        actor = Actor.of(self.context["request"])
        named = [one.get("credential_id") for one in sent]
        credentials = usable_credentials([*named, *(row.credential_id for row in present.values())], actor)
        full, wrong = [], []
        for number, (one, bad) in enumerate(zip(sent, faults, strict=True), start=1):
            row = present.get(one.get("id", 0))
            now = {name: getattr(row, name) for name in NewInterface.__dataclass_fields__} if row is not None else {}
            if "id" not in one and not bad.keys() & {"id", WHOLE}:
                missing = [name for name in ("driver", "address") if name not in one and name not in bad]
                bad |= {name: [_("This field is required.")] for name in missing}
            kept = {name: value for name, value in now.items() if PUBLIC.get(name, name) not in bad}
            found = clean_interface({**kept, **one}, credentials, present)[1]
            for name, texts in found.items():
                bad.setdefault(PUBLIC.get(name, name), []).extend(texts)
            wrong += [told(number, text, name) for name, texts in bad.items() for text in texts]
            if not bad:
                full.append(NewInterface(**{**now, **one}))
        if wrong:
            raise exceptions.ValidationError(wrong)
        return full


PUBLIC = {"credential_id": "credential"}


def _of_field(clean: Callable[[Any], Any], value: Any) -> Any:
    """Clean a value; of a fault by field, give the sentences alone, because the serializer names the field again."""
    try:
        return clean(value)
    except DjangoValidationError as error:
        raise exceptions.ValidationError(error.messages) from error


def _shape(body: InterfaceSerializer) -> dict[str, list[str]]:
    body.is_valid()
    return {name: [str(fault) for fault in faults] for name, faults in body.errors.items()}


def _well_formed(body: InterfaceSerializer, item: Any) -> dict[str, Any]:
    """Give the values of the fields that have no fault of shape."""
    if not body.errors:
        return dict(body.validated_data)
    if not isinstance(item, Mapping):
        return {}
    good = {key: value for key, value in item.items() if key in body.fields and key not in body.errors}
    again = InterfaceSerializer(data=good)
    return dict(again.validated_data) if again.is_valid() else {}


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
    power_state = serializers.CharField(read_only=True, help_text="on or off, by its controller; empty: nobody told.")
    power_since = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When it was seen to become so, if it was."
    )
    restart_cause = serializers.CharField(
        read_only=True, help_text="Why it last started, by its controller, in English; empty: nobody told."
    )
    last_seen_at = serializers.DateTimeField(read_only=True)
    interfaces = InterfaceList(required=False)

    def validate_uuid(self, value: UUID | None) -> UUID | None:
        """Refuse what identifies nothing, beside all other faults."""
        return _of_field(clean_uuid, value)

    def validate_alert_addresses(self, value: list[str]) -> list[str]:
        """Refuse what is no address, beside all other faults."""
        return _of_field(clean_alert_addresses, value)

    def to_representation(self, instance: Component) -> dict[str, Any]:
        """Leave out a parent that the caller may not see."""
        shown: dict[str, Any] = super().to_representation(instance)
        parent = instance.parent
        if parent is not None and parent.group_id not in self.context["scope"]:
            shown["parent"] = None
        return shown


class InventorySerializer(serializers.ModelSerializer[InventoryItem]):
    """One part of a device."""

    status = serializers.CharField(read_only=True, help_text="A status, or nothing of a part that has none.")
    details = serializers.SerializerMethodField()
    same_as = serializers.ListField(
        child=serializers.IntegerField(), read_only=True, help_text="The same part as other interfaces list it."
    )

    class Meta:
        model = InventoryItem
        fields = ("id", "interface", "kind", "key", "name", "status", "details", "same_as", "read_at")
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_details(self, row: InventoryItem) -> dict[str, Any]:
        """Give the details, and why a section could not be read in the caller's language."""
        return {label: in_words(value) if isinstance(value, str) else value for label, value in row.details.items()}


class SplitSerializer(Strict):
    """The interface that leaves, and what its own component is to be called; without a name it is called after both."""

    interface = Whole(min_value=1)
    name = Text(max_length=200, required=False, allow_blank=True)


class JoinSerializer(Strict):
    """The registration that goes."""

    def get_fields(self) -> dict[str, Any]:
        """Name the field with the word that Python keeps for itself."""
        return {"with": Reference(queryset=Component.objects.all())}


class ShownSerializer(serializers.Serializer[Any]):
    """A certificate: its SHA-256 in hexadecimal, and what it says of itself where that is known."""

    fingerprint = serializers.CharField()
    subject = serializers.CharField()
    not_before = serializers.DateTimeField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)


class CertificatesSerializer(serializers.Serializer[Any]):
    """The certificate that an interface's device is known by, and the one that it shows now; ``error``: why none."""

    interface = serializers.IntegerField()
    known = ShownSerializer(allow_null=True)
    shown = ShownSerializer(allow_null=True)
    differs = serializers.BooleanField()
    error = Phrased(allow_null=True)


class AcceptSerializer(Strict):
    """The new certificate that is to be accepted, by the fingerprint that was looked at."""

    interface = Whole()
    fingerprint = Text(max_length=64, min_length=64)
