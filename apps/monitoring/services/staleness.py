"""Tells which of what was measured last is too old to be believed."""

from datetime import datetime, timedelta

from django.utils import timezone

from apps.components.models import ManagementInterface
from apps.components.services import power_states
from apps.monitoring.services.periods import Periods

STALE_AFTER = 2.5  # periods
SHORTEST_STALE = timedelta(minutes=5)  # a page that is opened makes the period short at once, and nothing is old by it
# What ``is_stale`` looks at, from the last values of an interface.
DECIDES_STALENESS = (
    *("measured_at", "interface__driver", "interface__component_id", "interface__component__category"),
    *("interface__component__power_state", "interface__component__power_since"),
)


def is_stale(interface: ManagementInterface, measured_at: datetime, periods: Periods, now: datetime) -> bool:
    """Say whether a value is older than two and a half periods; what is not polled any more is stale after a while."""
    period = timedelta(seconds=periods.of(interface) * STALE_AFTER)
    is_old = now - measured_at > max(period, SHORTEST_STALE)
    return is_old or power_states.is_out_of_date(interface, measured_at)


def stale_before() -> datetime:
    """Give since when at least one interface of a component was measured if it is polled as seldom as any is.

    For many components at once; of each alone ``is_stale`` knows better.
    """
    periods = Periods.now()
    longest = max(periods.interval, periods.two_speed, *(seconds for _driver, seconds in periods.of_drivers), 0)
    return timezone.now() - max(timedelta(seconds=longest * STALE_AFTER), SHORTEST_STALE)
