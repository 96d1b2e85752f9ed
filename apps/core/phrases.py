"""Sentences that are stored in English with their parameters and translated when somebody reads them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext

WORD_PLACES = frozenset({"what", "part", "sensor"})  # places filled with words of ours, or names that we may know


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English sentence with ``%(name)s`` places and what fills them; ``str()`` gives it in the active language.

    A sentence without parameters is shown as it is when no translation is known, so a device's own words stay; so are
    the words in the places of ``WORD_PLACES``. What fills any other place is data and is not translated.
    """

    text: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        translated = gettext(self.text) if self.text else ""
        try:
            return translated % self._filled() if self.params else translated
        except (KeyError, ValueError, TypeError):
            return translated

    def _filled(self) -> dict[str, str]:
        return {
            name: gettext(value) if name in WORD_PLACES and isinstance(value, str) and value else value
            for name, value in self.params.items()
        }

    def __bool__(self) -> bool:
        return bool(self.text)

    def dumps(self) -> str:
        """Write it for the database: plain text where there are no parameters."""
        if not self.params:
            return self.text
        return json.dumps([self.text, dict(self.params)], ensure_ascii=False)

    @classmethod
    def loads(cls, stored: str) -> "Phrase":
        """Read what ``dumps`` wrote; anything else is plain text."""
        if stored.startswith('["') and stored.endswith("}]"):
            try:
                text, params = json.loads(stored)
            except ValueError:
                return cls(stored)
            return cls(text, params)
        return cls(stored)
