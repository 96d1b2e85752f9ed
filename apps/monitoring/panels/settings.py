"""What is set of a component's monitoring: how often it is asked, when it counts as lost, and its own limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.components.models import Category
from apps.components.pages.look import Look
from apps.core import options, scoping
from apps.drivers import registry
from apps.monitoring import panels
from apps.monitoring.models import Liveness
from apps.monitoring.services.periods import TWO_SPEED, WSMAN, Periods
from apps.monitoring.services.readings import USER, SensorView


@dataclass(frozen=True, slots=True)
class Interval:
    """How often one interface is asked, and why so."""

    label: str
    address: str
    seconds: int  # 0: not at all
    why: Promise | str
    next_at: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class OptionLine:
    """An option of the whole portal that counts here."""

    label: Promise | str
    value: str
    name: str


@dataclass(frozen=True, slots=True)
class WatchingPanel:
    """How it is watched; the options are changed for all components together."""

    intervals: Sequence[Interval]
    addresses: Sequence[str]
    options: Sequence[OptionLine]
    may_set: bool


@dataclass(frozen=True, slots=True)
class OwnLimitsPanel:
    """The limits that users set in place of the device's."""

    sensors: Sequence[SensorView]
    device: int  # sensors with limits of the device's own
    total: int
    may_set: bool


OPTIONS = (
    "MONITORING_INTERVAL", "loginOtherPcPollingTime", "logoutOtherPcPollingTime", "access_lost_retries",
    "sample_retention", "hourly_retention", "daily_retention",
)  # fmt: skip


def watching(look: Look) -> WatchingPanel:
    """Give how often the interfaces are asked and which addresses are pinged."""
    periods = Periods.now()
    # Somebody looks at it now, which alone makes it quick; what is told is what holds without him.
    quiet = replace(periods, watched=())
    specs = registry.specs()
    intervals = []
    for row in look.interfaces:
        row.component = look.component
        spec = specs.get(row.driver)
        label = _(spec.label) if spec else row.driver
        polled = row.enabled and not look.component.unmanaged
        seconds = quiet.of(row) if polled else 0
        why = _why(look, row.driver, enabled=row.enabled, own=bool(spec and spec.period))
        intervals.append(Interval(label, row.address, seconds, why, row.next_poll_at if polled else None, row.failures))
    pinged = Liveness.objects.filter(component=look.component).order_by("pk").values_list("address", flat=True)
    lines = [OptionLine(one.label, _value(one), one.name) for one in map(options.find, OPTIONS)]
    return WatchingPanel(intervals, list(pinged), lines, scoping.may(look.request.user, "settings"))


def _why(look: Look, driver: str, *, enabled: bool, own: bool) -> Promise | str:
    if look.component.unmanaged:
        return _("It is set to not managed.")
    if not enabled:
        return _("This way of managing is not enabled.")
    if driver == WSMAN and not options.get("MONITORING_WSMAN_CHECK"):
        return _("Monitoring through WS-Man is switched off.")
    if Category(look.component.category) in TWO_SPEED:
        return _("Interval of UPSs, network devices and other computers.")
    return _("Interval of this way of managing.") if own else _("Interval of all components.")


def _value(option: options.Option) -> str:
    value = options.get(option.name)
    return f"{value} {option.unit}" if option.unit else str(value)


def own_limits(look: Look) -> OwnLimitsPanel | None:
    """Give the sensors whose limits somebody set; None where nothing was measured yet."""
    found = panels.views(look)
    if not found:
        return None
    own = [view for view in found if view.limits_source == USER]
    device = sum(view.limits_source is not None for view in found) - len(own)
    return OwnLimitsPanel(own, device, len(found), look.may("components"))
