"""Sentences that are stored in English with their parameters and translated when somebody reads them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Union

from django.utils import timezone
from django.utils.translation import gettext

_NUMBERED = re.compile(r"(.+) (L?\d[\d.]*)")  # "Input voltage L1", "Fan 2": a word of ours, and which of several
WORD_PLACES = frozenset({"what", "part", "sensor"})  # places filled with words of ours, or names that we may know
TIME_PLACE = "moment"  # filled with a moment (ISO 8601, with its zone): shown as the time of day where the reader is


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English sentence with ``%(name)s`` places and what fills them; ``str()`` gives it in the active language.

    A sentence without parameters is shown as it is when no translation is known, so a device's own words stay; so are
    the words in the places of ``WORD_PLACES``. A place may hold a phrase. What else fills a place is data and is not
    translated.
    """

    text: str = ""
    params: Mapping[str, Union[str, "Phrase"]] = field(default_factory=dict)

    def __str__(self) -> str:
        translated = gettext(self.text) if self.text else ""
        try:
            return translated % self._filled() if self.params else translated
        except (KeyError, ValueError, TypeError):
            return translated

    def _filled(self) -> dict[str, Any]:
        return {name: _filled(name, value) for name, value in self.params.items()}

    def __bool__(self) -> bool:
        return bool(self.text)

    def dumps(self) -> str:
        """Write it for the database: plain text where there are no parameters and none could be seen in it."""
        if not self.params and not self.text.startswith('["'):
            return self.text
        return self.as_json()

    def as_json(self) -> str:
        """Write it as JSON, as it stands in the place of another phrase."""
        return json.dumps(self._as_json(), ensure_ascii=False)

    def _as_json(self) -> list[Any]:
        filled = {name: value._as_json() if isinstance(value, Phrase) else value for name, value in self.params.items()}
        return [self.text, filled]

    @classmethod
    def loads(cls, stored: str) -> "Phrase":
        """Read what ``dumps`` wrote; anything else is plain text."""
        if stored.startswith('["') and stored.endswith("}]"):
            try:
                text, params = json.loads(stored)
                return cls._from_json(text, params)
            except (ValueError, TypeError, AttributeError, RecursionError):
                return cls(stored)
        return cls(stored)

    @classmethod
    def _from_json(cls, text: str, params: Mapping[str, Any]) -> "Phrase":
        return cls(
            text, {name: cls._from_json(*value) if isinstance(value, list) else value for name, value in params.items()}
        )


def _filled(name: str, value: Union[str, "Phrase"]) -> Any:
    if not isinstance(value, str):
        return value
    if name == TIME_PLACE:
        return f"{timezone.localtime(datetime.fromisoformat(value)):%H:%M}"
    return gettext(value) if name in WORD_PLACES and value else value


def called(name: str) -> str:
    """Give what something is called in the active language: names of ours are translated, a device's own stay."""
    if not name:
        return ""
    translated = gettext(name)
    if translated == name and (numbered := _NUMBERED.fullmatch(name)):
        return f"{gettext(numbered[1])} {numbered[2]}"
    return translated


def in_words(text: str) -> str:
    """Give a text that may be a phrase as JSON in the active language; any other text as it is."""
    phrase = Phrase.loads(text)
    return str(phrase) if phrase.text != text else text
