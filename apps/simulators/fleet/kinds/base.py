"""What every simulated device has: a name, a course in time, faults, an SNMP engine, traps that all agents know."""

import hashlib
import uuid
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from typing import Any, ClassVar

from apps.protocols.snmp.ber import Oid, RawVarbind, Tag
from apps.simulators.fleet.course import DAY, Wave, between, last_start, wave
from apps.simulators.fleet.faults import Edge, Fault, FaultKind, Faults
from apps.simulators.fleet.plan import BadPlan, Plan, Spec, fault_of
from apps.simulators.fleet.shape import Seen, Shape
from apps.simulators.snmp_answers import View

MOMENT_LASTS = 0.1  # seconds for which what a device is at a moment is not worked out again
SYSTEM = "1.3.6.1.2.1.1"
STANDARD_TRAPS = "1.3.6.1.6.3.1.1.5"
COLD_START, AUTHENTICATION_FAILURE = 0, 4  # generic numbers of version 1 (RFC 1157 §4.1.6)
_TICKS = 100  # a second
_UPTIME_WRAP = 2**32

_shapes: dict[tuple[type, Hashable], Shape] = {}


@dataclass(frozen=True, slots=True)
class Trap:
    """One notification in the form of both versions: ``oid`` for version 2, the rest for version 1."""

    oid: Oid
    varbinds: tuple[RawVarbind, ...] = ()
    enterprise: Oid = ""
    generic: int = 6
    specific: int = 0


def vendor_trap(enterprise: Oid, specific: int, varbinds: Iterable[RawVarbind] = (), *, oid: Oid = "") -> Trap:
    """Make a trap of a vendor; its version 2 name follows from the two (RFC 3584 §3.1) unless the MIB's differs."""
    return Trap(oid or f"{enterprise}.0.{specific}", tuple(varbinds), enterprise, 6, specific)


class Moment:
    """A device at one moment; what is worked out is kept as long as the moment is."""

    def __init__(self, device: "Device", at: float) -> None:
        self.device = device
        self.at = at

    @cached_property
    def start(self) -> tuple[int, float]:
        """Give how often the device had started before, and when it did last."""
        device = self.device
        count, started = last_start(device.boots_every, self.at, device.seed)
        reboots = device.faults.of(FaultKind.REBOOT) if device.faults else []
        ends = [edge.at for one in reboots for edge in one.edges(started, self.at) if not edge.begins]
        return count + len(ends), max(ends, default=started)

    @property
    def started(self) -> float:
        """Give when the device started."""
        return self.start[1]

    @property
    def uptime(self) -> int:
        """Give the time since the start in hundredths of a second, as it wraps."""
        return int((self.at - self.started) * _TICKS) % _UPTIME_WRAP

    def fault(self, kind: FaultKind, part: int | None = None) -> Fault | None:
        """Give the fault of a kind that holds now."""
        return self.device.faults.now(kind, self.at, part) if self.device.faults else None

    @cached_property
    def load(self) -> float:
        """Give how busy the device is, from 0 to 1."""
        if fault := self.fault(FaultKind.HIGH_LOAD):
            return fault.size
        return min(self.device.load.at(self.at), 0.99)

    @cached_property
    def room(self) -> float:
        """Give the temperature of the air around the device in °C."""
        return self.device.room.at(self.at)

    @cached_property
    def temperature(self) -> float:
        """Give the temperature inside in °C: it follows the load with a delay."""
        load = self.device.load.over(900, self.at - 120)
        fault = self.fault(FaultKind.HOT)
        if fault is None:
            return self.room + 4 + 14 * load
        warmed = min(1.0, (self.at - (fault.begun(self.at) or self.at)) / 90)  # it does not get hot at once
        return self.room + 4 + 14 * load + fault.size * max(0.6, warmed)


class Device:
    """One simulated device. A kind says what it shows (``build``) and what it sends (``traps``)."""

    kind: ClassVar[str] = ""
    moment_class: ClassVar[type[Moment]] = Moment
    object_id: Oid = "0.0"
    description: str = ""
    services: ClassVar[int] = 72
    usual_boots: ClassVar[float] = 45.0  # days between two starts, about
    parts: ClassVar[frozenset[FaultKind]] = frozenset()  # the kinds of faults that strike one part

    def __init__(self, spec: Spec, plan: Plan) -> None:
        self.spec, self.plan = spec, plan
        self.seed = f"{plan.seed}/{spec.name}"
        self.name = spec.name
        self.address = IPv4Address(spec.address)
        self.faults = Faults()
        self.boots_every = (spec.boots_every or self.usual_boots * between(0.6, 1.6, "boots", self.seed)) * DAY
        self.load: Wave = wave(0.12, self.seed, "load", daily=0.3, noise=0.4)
        self.room: Wave = wave(23.0, plan.seed, spec.place, "room", daily=0.05, noise=0.02, peak=15.0)
        self._moment: Moment | None = None

    def finish(self) -> None:
        """Take over what the plan says is wrong; the device is connected by now."""
        for entry in self.spec.faults:
            self.add_fault(fault_of(entry, self.plan.since))

    def add_fault(self, fault: Fault) -> Fault:
        """Let something be wrong; raises ``BadPlan`` when this kind of device cannot have it."""
        if fault.kind in self.parts:
            fault.part = self.part_of(fault.kind, fault.part)
        elif not self.can_have(fault.kind):
            raise BadPlan(f"{self.name} is a {self.kind}: it cannot be {fault.kind}")
        self.faults.all.append(fault)
        self._moment = None
        return fault

    def can_have(self, kind: FaultKind) -> bool:
        """Say whether a kind of fault makes sense here."""
        return not kind.is_controllers and kind not in {
            FaultKind.ON_BATTERY,
            FaultKind.BATTERY_WORN,
            FaultKind.SELF_TEST,
            FaultKind.DISK_FULL,
            FaultKind.LINK_DOWN,
        }

    def part_of(self, kind: FaultKind, part: int) -> int:
        """Give the part that a fault strikes; 0 asks for one that suits. Raises ``BadPlan``."""
        return part

    @property
    def is_troubled(self) -> bool:
        """Say whether anything is, was or will be wrong with it, or with what it is connected to."""
        return bool(self.faults)

    # --- what it is -------------------------------------------------------------------------------------------------
    def when(self, at: float) -> Moment:
        """Give the device at a moment."""
        kept = self._moment
        if kept is None or not kept.at <= at < kept.at + MOMENT_LASTS:
            kept = self._moment = self.moment_class(self, at)
        return kept

    def forget_moment(self) -> None:
        """Work out everything again, because something else changed."""
        self._moment = None

    def structure(self) -> Hashable:
        """Give what tells the shapes of two devices of this kind apart."""
        return ()

    @property
    def shape(self) -> Shape:
        """Give the objects that it shows; devices of one make share them."""
        key = (type(self), self.structure())
        if key not in _shapes:
            shape = Shape()
            self.build(shape)
            _shapes[key] = shape
        return _shapes[key]

    def view(self, at: float) -> View:
        """Give what it shows at a moment."""
        return Seen(self.shape, self.when(at), self.own_shape)

    def own_shape(self) -> Shape | None:
        """Give the objects that no other device has: below 1.0."""
        return None

    def build(self, shape: Shape) -> None:
        """Add what this kind of device shows."""
        text, number = Tag.OCTET_STRING, Tag.INTEGER
        shape.live(f"{SYSTEM}.1.0", text, lambda m, _: m.device.description.encode())
        shape.live(f"{SYSTEM}.2.0", Tag.OBJECT_IDENTIFIER, lambda m, _: m.device.object_id)
        shape.live(f"{SYSTEM}.3.0", Tag.TIME_TICKS, lambda m, _: m.uptime)
        shape.live(f"{SYSTEM}.4.0", text, lambda m, _: m.device.plan.contact.encode())
        shape.live(f"{SYSTEM}.5.0", text, lambda m, _: m.device.full_name.encode())
        shape.live(f"{SYSTEM}.6.0", text, lambda m, _: m.device.spec.place.encode())
        shape.fixed(f"{SYSTEM}.7.0", number, self.services)

    @property
    def full_name(self) -> str:
        """Give the name with its domain."""
        return f"{self.name}.{self.plan.domain}"

    @cached_property
    def serial_number(self) -> str:
        """Give a serial number of its own."""
        return f"SIM{int(between(0, 36**8, 'serial', self.seed)):08d}"[:11]

    @cached_property
    def uuid(self) -> uuid.UUID:
        """Give a hardware UUID of its own."""
        return uuid.UUID(bytes=hashlib.blake2b(f"uuid/{self.seed}".encode(), digest_size=16).digest(), version=4)

    def mac(self, number: int) -> bytes:
        """Give the MAC address of its interface of that number; locally administered, so that it is nobody's."""
        return b"\x02" + hashlib.blake2b(f"mac/{self.seed}/{number}".encode(), digest_size=5).digest()

    @cached_property
    def engine_id(self) -> bytes:
        """Give its SNMP engine id: an enterprise's, made of the IPv4 address (RFC 3411 §5)."""
        return b"\x80\x00\x1f\x88\x01" + self.address.packed

    # --- what it sends ----------------------------------------------------------------------------------------------
    def happenings(self, after: float, until: float) -> list[tuple[float, Trap]]:
        """Give what it sends within a stretch of time, in order."""
        if not self.faults:
            return []
        found = []
        for edge in self.faults.edges(after, until):
            at = edge.at
            is_away = self.faults.now(FaultKind.DEAD, at) or self.faults.now(FaultKind.REBOOT, at)
            if edge.fault.kind is not FaultKind.REBOOT and is_away:
                continue
            found += [(at, trap) for trap in self.traps(edge, self.moment_class(self, at))]
        return found

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Give the traps that a fault sends as it begins or ends."""
        if edge.fault.kind is FaultKind.REBOOT and not edge.begins:
            return [self.generic(COLD_START)]
        if edge.fault.kind is FaultKind.INTRUDER:
            return [self.generic(AUTHENTICATION_FAILURE)]
        return []

    def generic(self, number: int, varbinds: Iterable[RawVarbind] = ()) -> Trap:
        """Make one of the traps that every agent knows; in version 1 its enterprise is the device's own."""
        return Trap(f"{STANDARD_TRAPS}.{number + 1}", tuple(varbinds), self.object_id, number)
