"""Which network ports of a device do not count in its status: pure functions over what a poll gave."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from apps.drivers.contract import Fact
from apps.monitoring.judging import Snapshot

Exclusions = frozenset[tuple[str, str]]
"""MAC addresses, each with the name of the one port that is meant; no name stands for all ports of the address."""

NONE: Exclusions = frozenset()
_PORT_KEY = re.compile(r"if\.(\d+)\.")


class Port(Protocol):
    """What is looked at in a port."""

    @property
    def index(self) -> int:
        """Give its number."""

    @property
    def name(self) -> str:
        """Give its name."""

    @property
    def mac_address(self) -> str | None:
        """Give its address."""


def is_excluded(port: Port, exclusions: Exclusions) -> bool:
    """Say whether a port is one of those; one without a MAC address never is."""
    mac = port.mac_address
    return mac is not None and ((mac, "") in exclusions or (mac, port.name) in exclusions)


def indexes(ports: Iterable[Port], exclusions: Exclusions) -> frozenset[int]:
    """Give the numbers of the excluded ports."""
    return frozenset(port.index for port in ports if is_excluded(port, exclusions)) if exclusions else frozenset()


def counted_facts(facts: Iterable[Fact], excluded: frozenset[int]) -> tuple[Fact, ...]:
    """Leave out what is said of excluded ports."""
    return tuple(fact for fact in facts if port_of(fact.key) not in excluded)


def counted_readings(readings: Snapshot, excluded: frozenset[int]) -> Snapshot:
    """Keep all values, but let those of excluded ports break no limit."""
    if not excluded or not readings.breaches:
        return readings
    counted = tuple(breach for breach in readings.breaches if port_of(breach.sensor.key) not in excluded)
    return replace(readings, breaches=counted)


def port_of(key: str) -> int | None:
    """Give the number of the port that a sensor or a fact belongs to."""
    found = _PORT_KEY.match(key)
    return int(found[1]) if found else None


def of(component_id: int, exclusions: Mapping[int, Exclusions]) -> Exclusions:
    """Give the exclusions of one component among those of many."""
    return exclusions.get(component_id, NONE)
