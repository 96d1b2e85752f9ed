"""Model fields of our own: encrypted JSON, and phrases that are translated when they are shown."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.expressions import Combinable

from apps.core import secrets
from apps.core.phrases import Phrase

if TYPE_CHECKING:
    JsonText = models.TextField[Mapping[str, Any], Mapping[str, Any]]
    PhraseText = models.TextField[Phrase | str | Combinable, Phrase]
else:
    JsonText = PhraseText = models.TextField


class EncryptedJSONField(JsonText):
    """A JSON value that is encrypted in the database and plain in Python; never searched, never serialised."""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Decrypt a stored value."""
        return None if value is None else json.loads(secrets.decrypt(value))

    def get_prep_value(self, value: Any) -> str | None:
        """Encrypt a value for the database."""
        return None if value is None else secrets.encrypt(json.dumps(value))

    def to_python(self, value: Any) -> Any:
        """Take any JSON value as it is."""
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """Refuse to be dumped."""
        raise TypeError("secrets are never serialised")


class PhraseField(PhraseText):
    """A Phrase: stored as its English text with its parameters, shown in the reader's language."""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Phrase | None:
        """Read a stored phrase."""
        return None if value is None else Phrase.loads(value)

    def to_python(self, value: Any) -> Any:
        """Accept a phrase or plain text."""
        return value if value is None or isinstance(value, Phrase) else Phrase.loads(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        """Write a phrase or plain text."""
        if value is None:
            return None
        return value.dumps() if isinstance(value, Phrase) else str(value)

    def value_from_object(self, obj: models.Model) -> Any:
        """Give forms the text in the reader's language."""
        value = super().value_from_object(obj)
        return str(value) if isinstance(value, Phrase) else value
