"""The tags and filters of every page: icons, states, times, quantities and small drawings; built into all templates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select, Textarea
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.portal import drawings, phrasing
from apps.portal.context_processors import PRODUCT_NAME
from apps.portal.icons import SPRITE
from apps.portal.phrasing import STATES

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon of the sprite: ``{% icon "server" "ic-sm" %}``; it says nothing to a screen reader."""
    return _use("ic", name, extra)


@register.simple_tag
def state(word: Any, extra: str = "") -> SafeString:
    """Draw the glyph of a status, a severity or a job's state: ``{% state component.status %}``."""
    look = STATES.get(str(word), STATES["unknown"])
    css = f"sti jb st-{look.code}" if look.icon else f"sti st-{look.code}"
    return _use(css, look.icon or f"st-{look.code}", extra)


@register.simple_tag
def state_word(word: Any) -> str:
    """Write a state in the reader's language: ``{% state_word job.state %}``."""
    return phrasing.word_of(word)


@register.simple_tag
def status(word: Any, label: str = "") -> SafeString:
    """Show a state the way rows do, glyph, colour and word: ``{% status component.status %}``."""
    text = label or phrasing.word_of(word)
    return format_html('<span class="st {}">{}{}</span>', state_class(word), state(word), text)


@register.simple_tag
def pill(word: Any, label: str = "") -> SafeString:
    """Show a small coloured label: ``{% pill "critical" %}``, or with words of your own as second argument."""
    return format_html('<span class="pill {}">{}</span>', state_class(word), label or phrasing.word_of(word))


@register.filter
def state_class(word: Any) -> str:
    """Give the class that sets the three colours of a state: ``st-c``."""
    return f"st-{STATES.get(str(word), STATES['unknown']).code}"


@register.filter
def ago(when: datetime | None, nothing: str = "") -> SafeString:
    """Write how long ago something was, with the full time in its title; without a time "not yet"."""
    if when is None:
        return _nothing(nothing or _("not yet"))
    text = phrasing.ago(timezone.now() - when)
    full = phrasing.moment(when)
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', when.isoformat(), full, text)


@register.filter
def moment(when: datetime | None, nothing: str = "") -> SafeString:
    """Write a full time in the reader's zone: ``2026-11-23 13:25:10 JST``; without a time "not yet"."""
    if when is None:
        return _nothing(nothing or _("not yet"))
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), phrasing.moment(when))


@register.filter
def duration(value: timedelta | float | None) -> str | SafeString:
    """Write a time span from a timedelta or from seconds: ``84 d 3 h``, ``2 min 13 s``."""
    if value is None:
        return _nothing(_("not measured"))
    return phrasing.duration(value)


@register.filter
def quantity(value: float | None, unit: str = "") -> str | SafeString:
    """Write a measured value with its unit: ``1.2 GiB``, ``940 Mbit/s``, ``41 %``; None is "not measured"."""
    if value is None:
        return _nothing(_("not measured"))
    return phrasing.quantity(value, unit)


@register.filter(name="bytes")
def bytes_(value: float | None) -> str | SafeString:
    """Write a size in bytes with binary prefixes."""
    return quantity(value, "B")


@register.simple_tag
def sparkline(values: Sequence[float | None], limit: float | None = None) -> SafeString:
    """Draw a short course of values; None leaves a gap. Colour it by a state class around it."""
    return drawings.sparkline(values, limit)


@register.simple_tag
def range_bar(
    value: float | None,
    lower_critical: float | None = None,
    lower_warning: float | None = None,
    upper_warning: float | None = None,
    upper_critical: float | None = None,
) -> SafeString:
    """Draw where a value stands between its limits; nothing without a value or any limit."""
    return drawings.range_bar(value, lower_critical, lower_warning, upper_warning, upper_critical)


@register.simple_tag
def stacked_bar(parts: Sequence[tuple[str, int]], label: str = "", total: int | None = None) -> SafeString:
    """Draw shares of a whole, (state word, number) each; with a label it is an image of that name, else decoration."""
    shares = [(STATES.get(str(word), STATES["unknown"]).code, number) for word, number in parts]
    return drawings.stacked_bar(shares, label, total)


@register.simple_tag
def origin(look: Any, *interface_ids: int | None) -> SafeString:
    """Say by which way of managing a value came, where the component of a ``Look`` has several."""
    known = getattr(look, "origins", {})
    labels = [(full, short) for pk in interface_ids if pk in known for short, full in (known[pk],)]
    return format_html_join(" ", '<span class="tag" title="{}">{}</span>', labels)


@register.simple_tag
def product_name() -> str:
    """Give the name of the product, also to pages that have no frame."""
    return PRODUCT_NAME


@register.simple_tag
def percent(part: float, whole: float) -> int:
    """Give a whole percentage, rounded down so that 100 means all; 0 of 0 is 100."""
    return int(part * 100 / whole) if whole else 100


@register.filter
def control(field: BoundField) -> SafeString:
    """Render a form's control with our classes; Django adds aria-invalid and aria-describedby."""
    widget = field.field.widget
    css = ""
    if isinstance(widget, Textarea):
        css = "area"
    elif isinstance(widget, (RadioSelect, CheckboxSelectMultiple, CheckboxInput)):
        css = ""
    elif isinstance(widget, Select):
        css = "inp" if widget.allow_multiple_selected else "sel inp"
    else:
        css = "inp"
    classes = f"{widget.attrs.get('class', '')} {css}".strip()
    shown = field.as_widget(attrs={"class": classes} if classes else None)
    return shown + field.as_hidden(only_initial=True) if field.field.show_hidden_initial else shown


@register.filter
def control_kind(field: BoundField) -> str:
    """Say how a control stands beside its label: ``check`` (box first), ``choices`` (a group) or ``line``."""
    widget = field.field.widget
    if isinstance(widget, (RadioSelect, CheckboxSelectMultiple)):
        return "choices"
    return "check" if isinstance(widget, CheckboxInput) else "line"


@register.inclusion_tag("includes/_chart.html")
def chart(url: str, label: str, height: int = 180) -> dict[str, Any]:
    """Draw what a URL gives as JSON: ``{% chart url "Load" %}``; see docs/develop/pages.md.

    Where the URL ends in ``chart.json``, ``chart.csv`` beside it is offered as a file.
    """
    file = url.replace("/chart.json", "/chart.csv", 1) if "/chart.json" in url else ""
    return {"url": url, "label": label, "height": height, "file": file}


def _use(css: str, name: str, extra: str) -> SafeString:
    classes = f"{css} {extra}".strip()
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static(str(SPRITE)), name
    )


def _nothing(text: str) -> SafeString:
    return format_html('<span class="mut">{}</span>', text)
