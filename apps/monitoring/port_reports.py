"""Packs what a device says of its ports, and makes rates from two such reports."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.drivers.contract import PortsReport, PortState

COUNTERS = ("in_octets", "out_octets", "in_packets", "out_packets", "in_errors", "out_errors", "in_discards",
            "out_discards")  # fmt: skip
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class PortView:
    """One port as it was last, with its rates since the poll before; None is "not measured"."""

    index: int
    name: str
    description: str
    alias: str
    mac_address: str | None
    state: PortState
    speed: int | None  # bit/s
    rates: Mapping[str, float | None]  # per second, by the names of COUNTERS
    totals: Mapping[str, int | None]
    state_since: float | None  # seconds since 1970

    @property
    def in_rate(self) -> float | None:
        """Give what comes in, in bit/s."""
        octets = self.rates["in_octets"]
        return None if octets is None else octets * 8

    @property
    def out_rate(self) -> float | None:
        """Give what goes out, in bit/s."""
        octets = self.rates["out_octets"]
        return None if octets is None else octets * 8


def pack(report: PortsReport) -> bytes:
    """Pack a report: zlib of JSON with one list for each port."""
    rows = [
        (
            port.index,
            port.name,
            port.description,
            port.alias,
            port.mac_address,
            port.state,
            port.speed,
            port.counter_bits,
            port.last_change.total_seconds() if port.last_change is not None else None,
            port.in_octets,
            port.out_octets,
            port.in_packets,
            port.out_packets,
            port.in_errors,
            port.out_errors,
            port.in_discards,
            port.out_discards,
        )
        for port in report.ports
    ]
    uptime = report.uptime.total_seconds() if report.uptime is not None else None
    return zlib.compress(json.dumps([uptime, rows], separators=(",", ":")).encode(), _LEVEL)


def views(packed: bytes, at: float, previous: bytes | None, previous_at: float | None) -> list[PortView]:
    """Read the last report, with rates since the previous one where nothing was reset in between."""
    uptime, rows = json.loads(zlib.decompress(packed))
    before: dict[int, list[Any]] = {}
    seconds = 0.0
    if previous is not None and previous_at is not None:
        earlier_uptime, earlier_rows = json.loads(zlib.decompress(previous))
        seconds = at - previous_at
        if seconds >= 1 and not (uptime is not None and earlier_uptime is not None and uptime < earlier_uptime):
            before = {row[0]: row for row in earlier_rows}
    return [_view(row, before.get(row[0]), seconds, at) for row in rows]


def _view(row: list[Any], before: list[Any] | None, seconds: float, at: float) -> PortView:
    index, name, description, alias, mac_address, state, speed, bits, age = row[:9]
    totals = dict(zip(COUNTERS, row[9:], strict=True))
    earlier = dict(zip(COUNTERS, before[9:], strict=True)) if before else {}
    rates = {
        counter: _rate(
            totals[counter],
            earlier.get(counter),
            seconds,
            bits if counter.endswith(("octets", "packets")) else 32,
            speed / 8 if speed and counter.endswith("octets") else None,
        )
        for counter in COUNTERS
    }
    since = at - age if age is not None else None
    return PortView(index, name, description, alias, mac_address, PortState(state), speed, rates, totals, since)


def _rate(now: int | None, before: int | None, seconds: float, bits: int, fastest: float | None) -> float | None:
    if now is None or before is None:
        return None
    increase = now - before
    if increase < 0:
        increase += 2**bits
        if increase > 2 ** (bits - 1):
            return None  # more than half its range in one step: it was set back, not wrapped
    rate = increase / seconds
    return None if fastest and rate > fastest * 1.1 else rate
