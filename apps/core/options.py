"""Typed options with ranges: declared by each app, set in one place, read everywhere within five seconds.

Where an environment variable of the same meaning is set, it wins and the option is read-only.
"""

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis.exceptions import RedisError

from apps.core import audit
from apps.core.actors import Actor
from apps.core.models import AuditEntry, OptionValue
from apps.core.registries import Registry
from apps.core.writes import turn

GENERAL = gettext_lazy("General")
WORDS_OF_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
SETTING = ("option.set", "option.reset")  # acts
READ_AGAIN = 600  # seconds for which reading a secret is one act
FRESH = 3.0  # seconds that a process trusts what it read; set() in the same process is seen at once


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of the whole portal. ``also`` are single values allowed outside the range (0 for "off")."""

    name: str
    type: type
    default: Any
    label: Promise | str
    help: Promise | str = ""
    section: Promise | str = GENERAL
    minimum: int | float | None = None
    maximum: int | float | None = None
    also: tuple[int, ...] = ()
    choices: tuple[str, ...] = ()
    unit: Promise | str = ""
    environment: str = ""
    secret: bool = False  # its value is told only to those who may set it; audit and support bundle say that it is set
    check: Callable[[Any], None] | None = None  # raises ValidationError
    changed: Callable[[], None] | None = None  # called after it was set, where something has to know at once
    warn: Callable[[Any], str] | None = None  # says what is unwise about a value that is allowed
    restart: bool = False  # what is set takes effect when the portal is started anew, not within seconds

    @property
    def read_only(self) -> bool:
        """Say whether the environment decides it."""
        return bool(self.environment and os.environ.get(self.environment))

    @property
    def in_words(self) -> str:
        """Say what it may be to somebody who is about to set it."""
        if self.type is bool:
            return _("on or off")
        if self.type is list:
            return _("any number, with commas between")
        if self.choices:
            return _("one of: %(choices)s") % {"choices": ", ".join(self.choices)}
        if self.minimum is None or self.maximum is None:
            return _("a number") if self.type in {int, float} else _("a text")
        words = {"low": _counted(self.minimum), "high": _counted(self.maximum), "also": ", ".join(map(str, self.also))}
        return (_("%(also)s, or %(low)s to %(high)s") if self.also else _("%(low)s to %(high)s")) % words

    def warning(self, value: Any) -> str:
        """Say what is unwise about a value; nothing when it is sensible."""
        return self.warn(value) if self.warn is not None else ""

    def clean(self, raw: Any) -> Any:
        """Turn what somebody typed or sent into a valid value; raises ValidationError with a clear sentence."""
        value = self._typed(raw)
        if self.choices and value not in self.choices:
            raise ValidationError(_("Choose one of: %(choices)s.") % {"choices": ", ".join(self.choices)})
        if self.type in {int, float} and value not in self.also:
            low, high = self.minimum, self.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                raise ValidationError(self._range_sentence())
        if self.check is not None:
            self.check(value)
        return value

    def _range_sentence(self) -> str:
        if self.also:
            return _("Enter %(also)s, or a number from %(low)s to %(high)s.") % {
                "also": ", ".join(map(str, self.also)),
                "low": self.minimum,
                "high": self.maximum,
            }
        return _("Enter a number from %(low)s to %(high)s.") % {"low": self.minimum, "high": self.maximum}

    def _typed(self, raw: Any) -> Any:
        if self.type is bool:
            if isinstance(raw, bool):
                return raw
            if isinstance(raw, str) and raw.lower() in WORDS_OF_TRUTH:
                return WORDS_OF_TRUTH[raw.lower()]
            raise ValidationError(_("Enter true or false."))
        if self.type is int:
            if isinstance(raw, int) and not isinstance(raw, bool):
                return raw
            if isinstance(raw, str) and WHOLE_NUMBER.fullmatch(raw.strip()):
                return int(raw)
            raise ValidationError(_("Enter a whole number."))
        if self.type is list:
            if isinstance(raw, str):
                return [word.strip() for word in raw.split(",") if word.strip()]
            if isinstance(raw, list) and all(isinstance(word, str) for word in raw):
                return raw
            raise ValidationError(_("Enter a list of texts."))
        if not isinstance(raw, str):
            raise ValidationError(_("Enter a text."))
        return raw


registry: Registry[Option] = Registry("option")
_values: dict[str, Any] = {}
_read_at = -FRESH


def declare(*options: Option) -> None:
    """Make options known; called from an app's ``ready()``."""
    for option in options:
        registry.add(option.name.lower(), option)


def find(name: str) -> Option:
    """Give the option of that name, in any letter case; KeyError when there is none."""
    return registry.get(name.lower())


def get(name: str) -> Any:
    """Give the value that is in force."""
    option = find(name)
    if option.read_only:
        return option.clean(os.environ[option.environment])
    _refresh()
    return _values.get(option.name, option.default)


def set_value(name: str, raw: Any, actor: Actor) -> Any:
    """Set an option; raises KeyError, ValidationError. Gives the value as it was stored."""
    option = _settable(name)
    value = option.clean(raw)
    with turn():
        before = get(option.name)
        row, _made = OptionValue.objects.update_or_create(
            name=option.name,
            defaults={"value": value, "changed_at": timezone.now(), "changed_by_name": actor.name},
        )
        _keep(option, row, "option.set", before, actor)
    forget()
    return value


def reset(name: str, actor: Actor) -> Any:
    """Set an option back to its default, which it gives; raises KeyError, ValidationError."""
    option = _settable(name)
    with turn():
        row = OptionValue.objects.select_for_update().filter(name=option.name).first()
        if row is None:
            return option.default
        option.clean(option.default)  # another option may have moved meanwhile
        OptionValue.objects.filter(name=option.name).delete()
        _keep(option, OptionValue(name=option.name, value=option.default), "option.reset", row.value, actor)
    forget()
    return option.default


def _settable(name: str) -> Option:
    option = find(name)
    if option.read_only:
        raise ValidationError(
            _("%(variable)s in the environment decides this option.") % {"variable": option.environment}
        )
    return option


def _keep(option: Option, row: OptionValue, action: str, before: Any, actor: Actor) -> None:
    old, new = (audit.CHANGED, audit.CHANGED) if option.secret else (before, row.value)
    audit.record(actor, action, row, before={"value": old}, after={"value": new})
    if option.changed is not None:
        transaction.on_commit(option.changed)


def history(option: Option) -> QuerySet[AuditEntry]:
    """Give what the audit knows of an option, newest first."""
    about = AuditEntry.objects.filter(object_type=OptionValue._meta.label_lower, object_id=option.name)
    return about.filter(action__in=SETTING).newest_first()


def note_reading(shown: Iterable[Option], actor: Actor) -> None:
    """Keep that somebody was shown secrets that were set: once in ten minutes, however often his page asks."""
    for option in shown:
        if option.secret and get(option.name) != option.default and _is_new(actor, option.name):
            with turn():
                audit.record(actor, "option.read", name=option.name)


def _is_new(actor: Actor, name: str) -> bool:
    try:
        return bool(cache.add(f"audit:read:{name}:{actor.name}:{actor.address}", True, timeout=READ_AGAIN))
    except (RedisError, OSError):
        return True


def stored() -> dict[str, OptionValue]:
    """Give the rows of all options that were set, by name."""
    return {row.name: row for row in OptionValue.objects.all()}


def all_options() -> Iterable[Option]:
    """Give every declared option by name."""
    return sorted(registry, key=lambda option: option.name.lower())


def sections() -> dict[str, list[Option]]:
    """Give every declared option by its section, in the order in which they were declared."""
    found: dict[str, list[Option]] = {}
    for option in registry:
        found.setdefault(str(option.section), []).append(option)
    return found


def shown(value: Any) -> str:
    """Write a value as somebody types it."""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def warnings() -> list[tuple[Option, str]]:
    """Give the options whose value in force is unwise, with the reason."""
    return [(option, text) for option in all_options() if (text := option.warning(get(option.name)))]


def forget() -> None:
    """Make this process read the options again."""
    global _read_at
    _read_at = -FRESH


def _refresh() -> None:
    global _values, _read_at
    if time.monotonic() - _read_at >= FRESH:
        _values = dict(OptionValue.objects.values_list("name", "value"))
        _read_at = time.monotonic()


def _counted(number: float) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
