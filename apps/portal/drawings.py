"""Small drawings inside pages: SVG made of attributes alone, so that the content security policy needs no exception."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

SPARK_WIDTH, SPARK_HEIGHT = 96, 20
RANGE_WIDTH = 170


def sparkline(values: Sequence[float | None], limit: float | None = None) -> SafeString:
    """Draw values from left to right; a None is a gap, fewer than two values are nothing to draw."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return mark_safe("")
    scale = [*known, limit] if limit is not None else known
    low, span = min(scale), (max(scale) - min(scale)) or 1.0
    step = SPARK_WIDTH / (len(values) - 1)

    def height(value: float) -> float:
        return round(SPARK_HEIGHT - 2 - (value - low) / span * (SPARK_HEIGHT - 4), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((round(index * step, 1), height(value)))
    lines, areas = [], []
    for run in filter(None, runs):
        line = "M" + "L".join(f"{x} {y}" for x, y in run)
        lines.append(line)
        areas.append(f"{line}L{run[-1][0]} {SPARK_HEIGHT}L{run[0][0]} {SPARK_HEIGHT}Z")
    mark = mark_safe("")
    if limit is not None:
        mark = format_html('<line x1="0" x2="{}" y1="{}" y2="{}"/>', SPARK_WIDTH, height(limit), height(limit))
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="ar" d="{}"/>{}<path d="{}"/></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        "".join(areas),
        mark,
        "".join(lines),
    )


def range_bar(
    value: float | None,
    lower_critical: float | None,
    lower_warning: float | None,
    upper_warning: float | None,
    upper_critical: float | None,
) -> SafeString:
    """Draw the zones that the limits make and the value's place among them."""
    limits = [x for x in (lower_critical, lower_warning, upper_warning, upper_critical) if x is not None]
    if value is None or not limits:
        return mark_safe("")
    low, high = min([*limits, value]), max([*limits, value])
    if lower_critical is None and lower_warning is None:
        low = min(low, 0.0)
    margin = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    if lower_critical is not None or lower_warning is not None or low < 0:
        low -= margin
    high += margin
    if upper_warning is None and upper_critical is None:
        high += (high - low) * 0.5  # so that the good side, which has no end, has room

    def place(number: float) -> float:
        return round((number - low) / (high - low) * RANGE_WIDTH, 1)

    zones: list[tuple[str, float, float]] = [("tr", 0.0, float(RANGE_WIDTH))]
    if lower_warning is not None:
        zones.append(("f-w", 0.0, place(lower_warning)))
    if lower_critical is not None:
        zones.append(("f-c", 0.0, place(lower_critical)))
    if upper_warning is not None:
        zones.append(("f-w", place(upper_warning), float(RANGE_WIDTH)))
    if upper_critical is not None:
        zones.append(("f-c", place(upper_critical), float(RANGE_WIDTH)))
    drawn = format_html_join(
        "",
        '<rect class="{}" x="{}" y="5" width="{}" height="4"/>',
        ((css, start, round(end - start, 1)) for css, start, end in zones if end > start),
    )
    at = min(RANGE_WIDTH - 4.0, max(0.0, place(value) - 1.5))
    return format_html(
        '<svg class="rng" viewBox="0 0 {} 14" aria-hidden="true">{}'
        '<rect class="cur" x="{}" y="1" width="3" height="12" rx="1.5"/></svg>',
        RANGE_WIDTH,
        drawn,
        at,
    )


def stacked_bar(shares: Sequence[tuple[str, int]], label: str, total: int | None = None) -> SafeString:
    """Draw the shares side by side over a grey ground; the whole is the total, else their sum."""
    whole = max(total or 0, sum(number for _code, number in shares)) or 1
    position, bars = 0, []
    for code, number in shares:
        if number > 0:
            bars.append((code if code in "nicwusa" else "u", position, number))
            position += number
    drawn = format_html_join("", '<rect class="f-{}" x="{}" width="{}" height="6"/>', bars)
    voice = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="sbar" viewBox="0 0 {} 6" preserveAspectRatio="none" {}>'
        '<rect class="f-bg" width="{}" height="6"/>{}</svg>',
        whole,
        voice,
        whole,
        drawn,
    )
