"""The fields of API bodies whose objects happen by a rule, read into a rule and written from one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from apps.core.api_fields import Strict, Text, Whole
from apps.core.recurrence import Repeat, Rule, days_named, wall, zone_named
from apps.core.recurring import MOST_EVERY, MOST_EXCEPTIONS, WEEKDAYS, check_year


@extend_schema_field(datetime)
class WallTime(serializers.Field[datetime, Any, Any, Any]):
    """A time of the body's own zone; one with an offset is converted into it."""

    def to_internal_value(self, data: Any) -> datetime:
        """Read it; the zone is known later."""
        try:
            found = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            found = None
        if found is None:
            raise exceptions.ValidationError(_("Enter a date and a time, such as 2026-11-22T22:00."))
        check_year(found)
        return found

    def to_representation(self, value: datetime) -> str:
        """Give it with the offset that its zone has then."""
        return value.isoformat()


@extend_schema_field({"type": "array", "items": {"type": "string"}, "maxItems": MOST_EXCEPTIONS})
class Days(serializers.Field[frozenset[date], Any, Any, Any]):
    """Days, and spans of days as ``2026-12-29/2027-01-03``; given as single days."""

    def to_internal_value(self, data: Any) -> frozenset[date]:
        """Read them."""
        if not isinstance(data, list) or len(data) > MOST_EXCEPTIONS:
            raise exceptions.ValidationError(_("Enter a list of at most %(count)s days.") % {"count": MOST_EXCEPTIONS})
        found: set[date] = set()
        for word in data:
            try:
                found.update(days_named(word if isinstance(word, str) else ""))
            except ValueError as error:
                sentence = _("%(word)s is not a day: write 2026-12-24, or 2026-12-29/2027-01-03 for several.")
                raise exceptions.ValidationError(sentence % {"word": str(word)[:40]}) from error
        return frozenset(found)

    def to_representation(self, value: Any) -> Any:
        """Give single days."""
        return sorted(day.isoformat() for day in value)


class RuleFields(Strict):
    """What a body says of when it happens; times without an offset are those of ``time_zone``."""

    time_zone = Text(max_length=60, required=False)
    starts_at = WallTime(required=False)
    repeat = serializers.ChoiceField(choices=[word.value for word in Repeat], required=False)
    every = Whole(min_value=1, max_value=MOST_EVERY, required=False)
    weekdays = serializers.ListField(child=serializers.ChoiceField(choices=WEEKDAYS), required=False)
    month_day = Whole(required=False, allow_null=True)
    nth = Whole(required=False, allow_null=True)
    last_day = serializers.DateField(required=False, allow_null=True)
    exceptions = Days(required=False)

    def zone_of(self, sent: Mapping[str, Any], present: Rule | None) -> tuple[str, ZoneInfo]:
        """Give the zone that a body is about: as sent, as before, or the caller's own."""
        own = getattr(self.context["request"].user, "time_zone", "") or "UTC"
        name = sent.get("time_zone", present.zone if present is not None else own)
        try:
            return name, zone_named(name)
        except ValueError as error:
            raise exceptions.ValidationError({"time_zone": [_("There is no such time zone.")]}) from error


def on_the_wall(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Give what the clock shows there at a moment; what was sent without an offset is that already."""
    return wall(moment, zone) if moment is not None and moment.tzinfo is not None else moment


def pattern_of(sent: Mapping[str, Any], present: Rule | None) -> dict[str, Any]:
    """Give how a rule repeats: as sent, as before, or once."""
    return {
        "repeat": Repeat(sent.get("repeat", present.repeat if present is not None else Repeat.ONCE)),
        "every": sent.get("every", present.every if present is not None else 1),
        "weekdays": _weekdays(sent.get("weekdays"), present),
        "month_day": sent.get("month_day", present.month_day if present is not None else None),
        "nth": sent.get("nth", present.nth if present is not None else None),
        "last_day": sent.get("last_day", present.last_day if present is not None else None),
        "exceptions": frozenset(sent.get("exceptions", present.exceptions if present is not None else ())),
    }


def _weekdays(sent: Sequence[str] | None, present: Rule | None) -> frozenset[int]:
    if sent is None:
        return present.weekdays if present is not None else frozenset()
    return frozenset(WEEKDAYS.index(word) for word in sent)


def rule_body(rule: Rule) -> dict[str, Any]:
    """Give a rule by the names of the API."""
    return {
        "time_zone": rule.zone,
        "starts_at": rule.first.replace(tzinfo=zone_named(rule.zone)).isoformat(),
        "repeat": rule.repeat.value,
        "every": rule.every,
        "weekdays": [WEEKDAYS[day] for day in sorted(rule.weekdays)],
        "month_day": rule.month_day,
        "nth": rule.nth,
        "last_day": rule.last_day.isoformat() if rule.last_day else None,
        "exceptions": sorted(day.isoformat() for day in rule.exceptions),
    }
