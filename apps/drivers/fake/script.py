"""The values of a fake device: functions of its address, its seed and the number of the contact alone."""

import hashlib
import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.drivers.contract import (
    Fact,
    IdentityFacts,
    InventoryItem,
    InventoryKind,
    Limits,
    Neighbour,
    Port,
    PortsReport,
    PortState,
    PowerDrawn,
    Quantity,
    Reading,
    Sensor,
    State,
    StateKind,
    Status,
)

_GIGABIT = 1_000_000_000
_POLL = timedelta(seconds=60)  # a fake device believes that a minute passes between two contacts
_BORN = datetime(2026, 1, 1, tzinfo=UTC)
_DISK_LIMITS = Limits(upper_warning=90, upper_critical=95)
_FULLY_THROTTLED = 160.0  # W, below which nothing can be saved
_HEAT_LIMITS = Limits(upper_warning=42, upper_critical=47)


@dataclass(frozen=True, slots=True)
class FakeDevice:
    """One device at its n-th contact; the same arguments always give the same values."""

    address: str
    seed: int
    script: str
    contact: int
    sensors: int
    ports: int

    def _digest(self, what: str) -> bytes:
        return hashlib.sha256(f"{self.address}|{self.seed}|{what}".encode()).digest()

    def share(self, what: str) -> float:
        """Give a number from 0 to 1 that belongs to this device and this word."""
        return int.from_bytes(self._digest(what)[:4], "big") / 0xFFFFFFFF

    def _wave(self, what: str) -> float:
        return 0.5 + 0.5 * math.sin(2 * math.pi * (self.share(what) + self.contact / 144))

    def identity(self) -> IdentityFacts:
        """Give a name, a UUID and a serial number that no other address has."""
        return IdentityFacts(
            name=f"fake-{self.address}".replace(":", "-"),
            uuid=str(uuid.UUID(bytes=self._digest("uuid")[:16], version=4)),
            serial_number=self._digest("serial").hex()[:10].upper(),
            manufacturer="Fake",
            model=f"F{1 + int(self.share('model') * 3)}00",
            operating_system="Linux 6.1.0",
            agent_version="1.0",
            mac_addresses=tuple(self._mac(index) for index in range(1, self.ports + 1)),
            up_since=_BORN,
        )

    def _mac(self, index: int) -> str:
        return b"".join((b"\x02", self._digest(f"mac{index}")[:5])).hex(":")

    def readings(self) -> Iterator[Reading]:
        """Give CPU, memory, a disk, a temperature and as many more as were asked for."""
        cpu = 95.0 + 4 * self._wave("cpu") if self.script == "busy" else 5 + 60 * self._wave("cpu")
        yield Reading(Sensor("cpu", "CPU load", Quantity.CPU, "%"), round(cpu, 3))
        yield Reading(Sensor("memory", "Memory", Quantity.MEMORY, "%"), round(30 + 40 * self._wave("memory"), 3))
        disk = 80.0 + self.contact if self.script == "filling" else 20 + 50 * self.share("disk")
        yield Reading(Sensor("storage.1", "/", Quantity.STORAGE, "%", _DISK_LIMITS), round(min(disk, 100.0), 3))
        heat = 21 + 6 * self._wave("heat")
        inlet = Sensor("temperature.1", "Inlet temperature", Quantity.TEMPERATURE, "°C", _HEAT_LIMITS)
        yield Reading(inlet, round(heat, 3))
        for place in range(1, self.sensors + 1):
            sensor = Sensor(f"sensor.{place}", f"Sensor {place}", Quantity.OTHER, "")
            yield Reading(sensor, round(100 * self._wave(f"sensor{place}"), 3))

    def facts(self) -> Iterator[Fact]:
        """Tell of a failing fan in the script *ailing*, of the second port in *unplugged*."""
        if self.script == "unplugged":
            yield Fact("if.2.down", Status.WARNING, "The network port %(port)s is down", {"port": "eth1"})
        if self.script == "ailing":
            yield Fact("fan.2", Status.WARNING, "%(part)s fails", {"part": "Fan 2"})

    def states(self) -> Iterator[State]:
        """Give two fans, of which the second fails in the script *ailing*."""
        yield State("fan.1", "Fan 1", StateKind.COOLING, ("Running",))
        if self.script == "ailing":
            yield State("fan.2", "Fan 2", StateKind.COOLING, ("Failure detected",), Status.WARNING)
        else:
            yield State("fan.2", "Fan 2", StateKind.COOLING, ("Running",))

    def neighbours(self) -> Iterator[Neighbour]:
        """Give a switch at the first port."""
        if self.ports:
            yield Neighbour(
                local_port="eth0",
                port_index=1,
                chassis_id=self._mac(255),
                chassis_id_kind="mac-address",
                port_id="1/0/1",
                port_id_kind="interface-name",
                system_name="fake-switch",
                capabilities=("bridge",),
            )

    def drawn(self, *, on: bool, cap: int | None = None) -> PowerDrawn:
        """Give the watts of a machine that is on or off; under a cap it draws that much, but never below 160 W."""
        limit = float(cap) if cap is not None else None
        if not on:
            return PowerDrawn(4.0, cap=limit)
        wanted = round(150 + 100 * self._wave("drawn"))
        watts = wanted if limit is None else min(wanted, max(limit, _FULLY_THROTTLED))
        return PowerDrawn(
            float(watts),
            minimum=150.0,
            average=200.0,
            maximum=250.0,
            over=timedelta(days=1),
            cap=limit,
            throttled=None if limit is None else watts < wanted,
        )

    def inventory(self) -> Iterator[InventoryItem]:
        """List a system, a processor and a disk."""
        identity = self.identity()
        yield InventoryItem(InventoryKind.SYSTEM, "system", identity.name or "", details={"Model": identity.model})
        yield InventoryItem(InventoryKind.PROCESSOR, "processor.1", "Fake CPU", details={"Logical processors": 4})
        yield InventoryItem(InventoryKind.STORAGE, "storage.1", "/", details={"Size (bytes)": 10**12})

    def port_report(self) -> PortsReport:
        """Give ports whose counters grow by the same amount from contact to contact."""
        found = tuple(
            Port(
                index=index,
                name=f"eth{index - 1}",
                description=f"Fake port {index}",
                alias="",
                mac_address=self._mac(index),
                state=PortState.DOWN if self.script == "unplugged" and index == 2 else PortState.UP,
                speed=_GIGABIT,
                type=6,
                counter_bits=64,
                in_octets=self.contact * 1_000_000 * index,
                out_octets=self.contact * 500_000 * index,
                in_packets=self.contact * 1_000 * index,
                out_packets=self.contact * 500 * index,
                in_errors=0,
                out_errors=0,
                in_discards=0,
                out_discards=0,
            )
            for index in range(1, self.ports + 1)
        )
        return PortsReport(found, _POLL * self.contact)
