"""The calendar: what is planned, by week, month or as a list, from every source that is registered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format, get_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.core import schedules, scoping
from apps.core.htmx import wants_part
from apps.core.recurrence import DAY, wall

VIEWS: dict[str, Promise | str] = {
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
    "agenda": gettext_lazy("Agenda"),
}
AGENDA = timedelta(days=14)
FIRST, LAST = date(2000, 1, 31), date(2100, 12, 1)


@dataclass(frozen=True, slots=True)
class Look:
    """What the address asks for: a view, and the days that it shows."""

    view: str
    day: date
    days: Sequence[date]
    title: str
    before: date
    after: date


def _look(request: HttpRequest, today: date) -> Look:
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "week"
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = today
    day = min(max(day, FIRST), LAST)
    begins_on = int(get_format("FIRST_DAY_OF_WEEK"))
    if view == "month":
        first = day.replace(day=1)
        days: Sequence[date] = schedules.month_of(day, begins_on)
        title = date_format(first, "YEAR_MONTH_FORMAT")
        return Look(view, day, days, title, first - DAY, (first + timedelta(days=31)).replace(day=1))
    if view == "agenda":
        days = [day + number * DAY for number in range(AGENDA.days)]
        return Look(view, day, days, _span(days), day - AGENDA, day + AGENDA)
    days = schedules.week_of(day, begins_on)
    return Look(view, day, days, _span(days), day - 7 * DAY, day + 7 * DAY)


def _span(days: Sequence[date]) -> str:
    return f"{date_format(days[0], 'DATE_FORMAT')} – {date_format(days[-1], 'DATE_FORMAT')}"


@require_safe
@vary_on_headers("HX-Request")
def calendar(request: HttpRequest) -> HttpResponse:
    """Show what is planned in the groups that the user may see."""
    zone, now = timezone.get_current_timezone(), timezone.now()
    today = wall(now, zone).date()
    look = _look(request, today)
    start, end = schedules.bounds(look.days, zone)
    entries = [entry for source in schedules.sources for entry in source.read(request.user, start, end)]
    context: dict[str, Any] = {
        "look": look,
        "views": [(word, label, word == look.view) for word, label in VIEWS.items()],
        "today": today,
        "zone": str(zone),
        "week_number": look.days[3].isocalendar().week,  # that of its middle, wherever it begins
        "weekdays": [WEEKDAYS_ABBR[day.weekday()] for day in look.days[:7]],
        "sources": [(source, source.soonest(request.user)) for source in schedules.sources],
        "may_add": [one for one in schedules.sources if _may_add(request.user, one)],
        "nothing": not entries,
    }
    if look.view == "month":
        context |= {"weeks": schedules.month(entries, look.days, zone), "month": look.day.month}
    elif look.view == "agenda":
        context["columns"] = [one for one in schedules.by_days(entries, look.days, zone) if one.items]
    else:
        context |= {
            "columns": schedules.week(entries, look.days, zone),
            "now_row": schedules.row_of(now, zone),
            "hours": range(0, 24, 2),
        }
    template = "schedules/_calendar.html" if wants_part(request) else "schedules/calendar.html"
    return render(request, template, context)


def _may_add(user: Any, source: schedules.Source) -> bool:
    return bool(source.add_url) and scoping.may_somewhere(user, source.add_permission)
