"""How often each interface is polled, as a rule in Python and as the same rule in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.components.models import Category, ManagementInterface
from apps.core import options
from apps.drivers import registry
from apps.monitoring.services import presence

WATCHED = 60  # seconds between two polls of a component whose page is open
TWO_SPEED = (Category.UPS, Category.NETWORK, Category.COMPUTER)
WSMAN = "wsman"
BACK_OFF = (1, 1, 2, 4, 8)  # times the period after so many failures in a row; more failures: the last
LONGEST_BACK_OFF = 3600  # seconds, unless the period itself is longer
INVENTORY = 86400
INVENTORY_LEASE = 3600  # for which whoever claimed an inventory has time; then it is due once more


@dataclass(frozen=True, slots=True)
class Periods:
    """The periods in force, in seconds; 0 is "not polled"."""

    interval: int
    two_speed: int
    watched: tuple[int, ...]
    of_drivers: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]  # drivers that are not polled in the background
    two_speed_longest: int  # the slower of the two speeds

    @classmethod
    def now(cls) -> "Periods":
        """Read options, sessions and open pages."""
        name = "loginOtherPcPollingTime" if presence.anybody_signed_in() else "logoutOtherPcPollingTime"
        return cls(
            interval=options.get("MONITORING_INTERVAL"),
            two_speed=options.get(name),
            watched=tuple(presence.watched()),
            of_drivers=tuple(
                (spec.name, int(spec.period.total_seconds())) for spec in registry.specs().values() if spec.period
            ),
            left_out=() if options.get("MONITORING_WSMAN_CHECK") else (WSMAN,),
            two_speed_longest=max(options.get("loginOtherPcPollingTime"), options.get("logoutOtherPcPollingTime")),
        )

    def of(self, interface: ManagementInterface) -> int:
        """Give the period of one interface, without back-off; its component must be loaded."""
        if interface.driver in self.left_out:
            return 0
        if interface.component_id in self.watched:
            return WATCHED
        if interface.component.category in TWO_SPEED:
            return self.two_speed
        return dict(self.of_drivers).get(interface.driver, self.interval)

    def longest(self, interface: ManagementInterface) -> int:
        """Give the period that one interface has while nobody looks; its component must be loaded."""
        if interface.component.category in TWO_SPEED:
            return self.two_speed_longest
        return dict(self.of_drivers).get(interface.driver, self.interval)

    def sql(self) -> tuple[str, list[Any]]:
        """Give the period with back-off as an SQL expression over the interface ``i`` and its component ``c``."""
        cases: list[str] = []
        params: list[Any] = []

        def case(column: str, values: Sequence[Any], seconds: int) -> None:
            if values:
                cases.append(f"WHEN {column} IN ({', '.join(['%s'] * len(values))}) THEN {_backed_off(seconds)}")
                params.extend(values)

        case("i.driver", self.left_out, 0)
        case("c.id", self.watched, WATCHED)
        case("c.category", [str(category) for category in TWO_SPEED], self.two_speed)
        for driver, seconds in self.of_drivers:
            case("i.driver", [driver], seconds)
        return f"CASE {' '.join(cases)} ELSE {_backed_off(self.interval)} END", params


def _backed_off(period: int) -> str:
    """Give the period by the number of failures in a row as SQL; all numbers are our own."""
    steps = [min(period * times, max(period, LONGEST_BACK_OFF)) for times in BACK_OFF]
    whens = " ".join(f"WHEN {failures} THEN {seconds}" for failures, seconds in enumerate(steps[:-1]))
    return f"(CASE i.failures {whens} ELSE {steps[-1]} END)"


def seconds_of(column: str) -> str:
    """Give a moment as seconds since 1970, in the database's own words."""
    if connection.vendor == "sqlite":
        return f"((julianday({column}) - 2440587.5) * 86400.0)"
    return f"CAST(EXTRACT(EPOCH FROM {column}) AS double precision)"


def moment_of(seconds: str) -> str:
    """Give seconds since 1970 as a moment, as Django writes it."""
    if connection.vendor == "sqlite":
        return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', {seconds}, 'unixepoch')"
    return f"to_timestamp({seconds})"


def whole(number: str) -> str:
    """Cut the fraction off a positive number."""
    return f"CAST({number} AS INTEGER)" if connection.vendor == "sqlite" else f"floor({number})"
