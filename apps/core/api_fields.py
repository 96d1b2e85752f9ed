"""Fields of the API that take a JSON value for what it is: no number for a text, no "yes" for true, no unknown key."""

from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from apps.core import scoping
from apps.core.forms import LARGEST_ID as LARGEST_ID


class Text(serializers.CharField):
    """A text and nothing else."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers, which would be read as texts."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number that the database can hold, and nothing else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": -LARGEST_ID, "max_value": LARGEST_ID, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Refuse texts, fractions and booleans."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false and nothing else."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse what merely looks like a truth value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Uuid(serializers.UUIDField):
    """A UUID as a text."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse numbers."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


@extend_schema_field({})
class Anything(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value; the service says what it may be."""

    def to_internal_value(self, data: Any) -> Any:
        """Take it as it is."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Give it as it is."""
        return value


@extend_schema_field(str)
class Phrased(serializers.Field[Any, Any, str, Any]):
    """A stored phrase, read in the caller's language."""

    def to_representation(self, value: Any) -> str:
        """Give the text."""
        return str(value)


class Reference(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a row that the caller may see; what he may not see does not exist."""

    def get_queryset(self) -> QuerySet[Any]:
        """Give the rows that the caller may see."""
        return cast(scoping.Scoped, super().get_queryset()).visible_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Model:
        """Refuse what is no id, and ids of nothing."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("incorrect_type", data_type=type(data).__name__)
        if not 0 < data <= LARGEST_ID:
            self.fail("does_not_exist", pk_value=data)
        found: Model = super().to_internal_value(data)
        return found


class KnownKeys:
    """Lets a serializer refuse keys it does not know; those that are only read may be sent back, unread."""

    def to_internal_value(self: Any, data: Any) -> Any:
        """Check the keys, then the values; faults of both are told together."""
        wrong: dict[str, Any] = {}
        if isinstance(data, Mapping):
            wrong = {str(key): [_("There is no such field.")] for key in data if key not in self.fields}
        try:
            cleaned = super().to_internal_value(data)  # type: ignore[misc]  # of the serializer it is mixed into
        except (exceptions.ValidationError, DjangoValidationError) as error:
            detail = getattr(error, "detail", None)
            raise exceptions.ValidationError({**(detail if isinstance(detail, dict) else {}), **wrong}) from error
        if wrong:
            raise exceptions.ValidationError(wrong)
        return cleaned


class Strict(KnownKeys, serializers.Serializer[Any]):
    """A body in which every key is known."""


class Nothing(Strict):
    """The body of an order that has nothing to say: none, or an empty object."""
