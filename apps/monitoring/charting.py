"""What a chart shows: some lines over a window of time, and maybe the same over the time before; as JSON and as CSV."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.core.csv_file import csv_response
from apps.drivers.contract import Limits
from apps.monitoring.models import Sensor
from apps.monitoring.services import history, limits
from apps.monitoring.services.fleet_history import Course
from apps.monitoring.services.history import Point
from apps.monitoring.windows import Window

MOST_LINES = 8  # more cannot be told apart
BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``measured`` says of a fleet how many components each point stands on."""

    name: str
    step: int
    points: Sequence[Point]
    measured: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class ChartData:
    """All that one chart shows, in one unit."""

    name: str
    unit: str
    window: Window
    lines: Sequence[Line]
    before: Sequence[Line] = ()
    limits: Limits | None = None

    def as_json(self) -> JsonResponse:
        """Answer as the script in the page wants it; times are seconds since 1970."""
        return JsonResponse(
            {
                "name": self.name,
                "unit": self.unit,
                "from": self.window.start.timestamp(),
                "to": self.window.end.timestamp(),
                "lines": [_line(line) for line in self.lines],
                "before": [_line(line) for line in self.before],
                "limits": asdict(self.limits) if self.limits else None,
            }
        )

    def as_csv(self, request: HttpRequest) -> StreamingHttpResponse:
        """Answer with a file of the same values."""
        day = f"{timezone.localtime(self.window.end):%Y%m%d-%H%M}"
        words = slugify(self.name) or "chart"
        return csv_response(request, f"{words[:60]}-{day}", self._rows())

    def _rows(self) -> Iterator[Sequence[Any]]:
        fleet = any(line.measured is not None for line in self.lines)
        head = [_("Time"), _("Name"), _("Unit"), _("Lowest"), _("Mean"), _("Highest")]
        yield [*head, _("Measured components")] if fleet else head
        for line in self.lines:
            yield from _cells(line, line.name, self.unit)
        for line in self.before:
            yield from _cells(line, _("%(name)s (the time before)") % {"name": line.name}, self.unit)


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "step": line.step,
        "points": [[point.at.timestamp(), *point[1:]] for point in line.points],
        "measured": line.measured,
    }


def _cells(line: Line, name: str, unit: str) -> Iterator[Sequence[Any]]:
    for place, point in enumerate(line.points):
        row = [point.at, name, unit, *point[1:]]
        yield row if line.measured is None else [*row, line.measured[place]]


def of_sensors(sensors: Sequence[Sensor], window: Window, *, compare: bool = False, name: str = "") -> ChartData:
    """Give the chart of some sensors of one unit; that of one sensor has its limits."""
    found = history.several(sensors, window.start, window.end)
    before = history.several(sensors, window.before.start, window.before.end, found[0].step) if compare else []
    return ChartData(
        name=name or sensors[0].label,
        unit=sensors[0].unit,
        window=window,
        lines=[Line(series.sensor.label, series.apart, series.points) for series in found],
        before=[Line(series.sensor.label, series.apart, series.points) for series in before],
        limits=limits.in_force(sensors[0]) if len(sensors) == 1 else None,
    )


def of_course(name: str, unit: str, window: Window, course: Course, before: Course | None) -> ChartData:
    """Give the chart of a fleet's course."""
    return ChartData(
        name=name,
        unit=unit,
        window=window,
        lines=[Line(name, course.step, course.points, course.measured)],
        before=[Line(name, before.step, before.points, before.measured)] if before is not None else [],
    )


def ids_of(words: Sequence[str]) -> list[int] | None:
    """Read the numbers of rows from an address, each once; None where one is none or there are too many."""
    if not words or len(words) > MOST_LINES or any(not re.fullmatch(r"[0-9]{1,18}", word) for word in words):
        return None
    return list(dict.fromkeys(map(int, words)))
