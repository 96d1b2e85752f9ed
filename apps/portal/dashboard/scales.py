"""What the heat map can be coloured by: the status, or a quantity cut into five steps that never move."""

from bisect import bisect_right
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.portal import phrasing

STATUS = "status"
NONE, OLD = "none", "old"  # instead of a step: not measured, or measured too long ago


@dataclass(frozen=True, slots=True)
class Scale:
    """A quantity of components and where its steps meet; the steps are the same for every fleet and every day."""

    name: str
    label: Promise | str
    column: str  # of Component
    unit: str
    bounds: tuple[float, ...]

    def step(self, value: float) -> int:
        """Give the step of a value, from 1."""
        return bisect_right(self.bounds, value) + 1

    @property
    def steps(self) -> range:
        """Give the numbers of the steps."""
        return range(1, len(self.bounds) + 2)

    @property
    def high(self) -> float:
        """Give where the two highest steps begin: what a large fleet shows."""
        return self.bounds[-2]

    def words(self, step: int) -> str:
        """Write what a step holds."""
        if step == 1:
            return _("below %(value)s") % {"value": phrasing.quantity(self.bounds[0], self.unit)}
        if step > len(self.bounds):
            return _("%(value)s and more") % {"value": phrasing.quantity(self.bounds[-1], self.unit)}
        low, high = self.bounds[step - 2 : step]
        return f"{phrasing.quantity(low)}–{phrasing.quantity(high, self.unit)}"


SCALES = {
    # ASHRAE recommends 18 to 27 °C at the inlet and allows up to 32 °C (class A1)
    "temperature": Scale("temperature", gettext_lazy("Temperature"), "temperature", "°C", (18, 23, 27, 32)),
    "load": Scale("load", gettext_lazy("CPU load"), "cpu", "%", (20, 40, 60, 80)),
    "power": Scale("power", gettext_lazy("Power"), "power", "W", (50, 150, 300, 600)),
}
COLOURS: dict[str, Promise | str] = {
    STATUS: gettext_lazy("Status"),
    **{name: scale.label for name, scale in SCALES.items()},
}
