"""The statistics of one component: the sensors that somebody chooses over a window of time, as charts and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.components.pages.look import Look
from apps.drivers.contract import Quantity
from apps.monitoring import panels, windows
from apps.monitoring.charting import BEFORE, MOST_LINES
from apps.monitoring.models import Sensor
from apps.monitoring.panels import LABELS
from apps.monitoring.services import history
from apps.monitoring.services.history import Summary
from apps.monitoring.services.readings import SensorView
from apps.monitoring.services.trends import Forecast, forecast
from apps.monitoring.windows import NAMES, Window

MOST_CHOSEN = 64


@dataclass(frozen=True, slots=True)
class Pick:
    """The sensors of one quantity to choose from."""

    kind: Quantity
    label: Promise | str
    sensors: Sequence[tuple[SensorView, bool]]  # the sensor, whether it is chosen
    chosen: int


@dataclass(frozen=True, slots=True)
class LinesChart:
    """One chart with all chosen sensors of a quantity, or as many as can be told apart."""

    label: str
    url: str
    csv: str


@dataclass(frozen=True, slots=True)
class NumbersRow:
    """The numbers of one sensor over the window; no summary where nothing was measured."""

    sensor: SensorView
    summary: Summary | None
    forecast: Forecast | None  # of disks


@dataclass(frozen=True, slots=True)
class StatisticsPanel:
    """All of the tab."""

    picks: Sequence[Pick]
    charts: Sequence[LinesChart]
    rows: Sequence[NumbersRow]
    window: Window
    compare: bool
    ranges: Sequence[tuple[str, Promise | str, bool]]
    wrong: dict[str, str] | None
    asked: dict[str, str]
    too_many: bool


def statistics(look: Look) -> StatisticsPanel:
    """Give the tab; without a choice the sensors that say most are chosen."""
    query = look.request.GET
    window, wrong = windows.forgiving(query)
    compare = query.get("compare") == BEFORE
    found = panels.views(look)
    wanted = set(query.getlist("sensor"))
    chosen = [view for view in found if str(view.id) in wanted] or panels.telling(look)
    shown = chosen[:MOST_CHOSEN]
    return StatisticsPanel(
        picks=_picks(found, {view.id for view in shown}),
        charts=_charts(look, shown, window, compare=compare),
        rows=_rows(shown, window),
        window=window,
        compare=compare,
        ranges=[(word, name, word == window.word) for word, name in NAMES.items()],
        wrong={"field": wrong.field, "sentence": _(wrong.sentence)} if wrong else None,
        asked={"from": query.get("from", ""), "to": query.get("to", "")},
        too_many=len(chosen) > MOST_CHOSEN,
    )


def _picks(found: Sequence[SensorView], chosen: set[int]) -> list[Pick]:
    picks = []
    for kind, label in LABELS.items():
        sensors = [(view, view.id in chosen) for view in found if view.kind is kind]
        if sensors:
            picks.append(Pick(kind, label, sensors, sum(ticked for _view, ticked in sensors)))
    return picks


def _charts(look: Look, shown: Sequence[SensorView], window: Window, *, compare: bool) -> list[LinesChart]:
    groups: dict[tuple[Quantity, str], list[SensorView]] = {}
    for view in shown:
        groups.setdefault((view.kind, view.unit), []).append(view)
    base = reverse("monitoring:component-chart", args=[look.component.pk])
    charts = []
    for (kind, unit), views in groups.items():
        for start in range(0, len(views), MOST_LINES):
            part = views[start : start + MOST_LINES]
            named: dict[str, Any] = {"sensor": [view.id for view in part], **window.query}
            if compare:
                named["compare"] = BEFORE
            name = part[0].label if len(part) == 1 else str(LABELS[kind])
            url = f"{base}?{urlencode(named, doseq=True)}"
            charts.append(LinesChart(f"{name} ({unit})" if unit else name, url, url.replace(".json", ".csv", 1)))
    return charts


def _rows(shown: Sequence[SensorView], window: Window) -> list[NumbersRow]:
    sensors = list(Sensor.objects.filter(pk__in=[view.id for view in shown]).select_related("interface__component"))
    found = history.summaries(sensors, window.start, window.end)
    rows = []
    for view in shown:
        summary = found.get(view.id)
        told = forecast(summary.trend) if summary and view.kind is Quantity.STORAGE and view.unit == "%" else None
        rows.append(NumbersRow(view, summary, told))
    return rows
