"""What pages of rows that happen by a rule share: the preview of what comes next, and the day that is meant."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.utils import timezone

from apps.core.recurrence import Occurrence, Rule
from apps.core.recurring import check_rule, in_words
from apps.core.rule_forms import RuleForm

UPCOMING = 8


def upcoming(
    rule: Rule, shown: Callable[[Occurrence, Rule], dict[str, Any]], most: int = UPCOMING
) -> list[dict[str, Any]]:
    """Give what comes next by a rule, as a page shows it."""
    return [shown(one, rule) for one in islice(rule.following(timezone.now()), most)]


def preview(
    form: RuleForm,
    faults: Sequence[object],
    shown: Callable[[Occurrence, Rule], dict[str, Any]],
    *,
    lasts: bool = True,
    most: int = UPCOMING,
) -> dict[str, Any]:
    """Give what ``schedules/_preview.html`` shows of a form: what is wrong with its times, else what comes next."""
    context: dict[str, Any] = {"faults": [str(one) for one in faults], "zone": str(timezone.get_current_timezone())}
    if faults:
        return context
    try:
        rule = form.rule
        check_rule(rule, lasts=lasts)
    except ValidationError as error:
        return {**context, "faults": error.messages}
    return {**context, "rule": rule, "in_words": in_words(rule), "upcoming": upcoming(rule, shown, most)}


def posted_day(request: HttpRequest) -> date:
    """Give the day of the occurrence that a form names; 404 where it names none."""
    try:
        return date.fromisoformat(request.POST.get("day", ""))
    except ValueError as error:
        raise Http404 from error
