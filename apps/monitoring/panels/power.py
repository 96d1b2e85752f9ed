"""The power of a component: what it draws now, over a range, and what its cap achieves."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise

from apps.components.pages.look import Look
from apps.drivers.contract import Quantity
from apps.monitoring import panels, windows
from apps.monitoring.panels import LABELS, Chart, Charts
from apps.monitoring.services import power
from apps.monitoring.services.power import Drawn, Over
from apps.monitoring.windows import NAMES, RANGES, Window


@dataclass(frozen=True, slots=True)
class PowerPanel:
    """What the card shows; ``over`` is None where nothing was measured in the range."""

    drawn: Drawn
    over: Over | None
    window: Window

    @property
    def range_name(self) -> Promise | str:
        """Name the range."""
        return NAMES[self.window.word]


def has_power(look: Look) -> bool:
    """Say whether anything measures its power."""
    return panels.drawn_by(look) is not None


def chart(look: Look) -> Charts | None:
    """Give the chart of the meter; None where only parts are measured."""
    drawn = panels.drawn_by(look)
    if drawn is None or drawn.sensor is None:
        return None
    word = _window(look).word
    url = f"{reverse('monitoring:chart', args=[look.component.pk, drawn.sensor.id])}?range={word}"
    ranges = [(name, label, name == word) for name, (label, _length) in RANGES.items()]
    return Charts([Chart(url, drawn.sensor.label, LABELS[Quantity.POWER], drawn.interface_id)], ranges, drawn.sensor)


def numbers(look: Look) -> PowerPanel | None:
    """Give the numbers over the range that the address names."""
    drawn = panels.drawn_by(look)
    if drawn is None:
        return None
    window = _window(look)
    return PowerPanel(drawn, power.over(look.component, drawn, window.start, window.end), window)


def _window(look: Look) -> Window:
    asked = look.request.GET.get("range", "")
    return windows.ending_now(asked if asked in RANGES else windows.USUAL)
