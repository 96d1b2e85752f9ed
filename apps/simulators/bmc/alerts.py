"""Tells events to alert destinations as traps (IPMI 2.0 §17; Platform Event Trap Format 1.0)."""

import asyncio
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from apps.protocols.snmp.notification import encode_trap_v1
from apps.protocols.snmp.vocabulary import Tag
from apps.simulators.bmc import hardware, settings
from apps.simulators.bmc.machine import Event
from apps.simulators.bmc.settings import Destination

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

TRAP_PORT = 162
ENTERPRISE = "1.3.6.1.4.1.3183.1.1"
_CONTENT = f"{ENTERPRISE}.1"
_EPOCH = 883_612_800  # 1998-01-01
_BY_IPMI, _ENGLISH, _END = 0x20, 0x19, 0xC1
_MAKER, _SYSTEM = 119, 0x0F21
_DEASSERTED = 0x80
_ON, _ENABLED = 0x80, 0x08
_UNDER_WAY, _DONE, _NO_ANSWER = 0x04, 0x01, 0x02  # what Alert Immediate tells


class Alerts:
    """The alerts of one controller, and those that wait for an acknowledgement."""

    def __init__(self, controller: "Controller", port: int = TRAP_PORT) -> None:
        self.port = port
        self.status = 0
        self._controller = controller
        self._number = 0
        self._waiting: dict[int, asyncio.TimerHandle] = {}

    def tell(self, event: Event) -> None:
        """Send an event where the filters and policies want it."""
        kept = self._controller.settings
        if event.entry is not None:
            kept.last_processed = int.from_bytes(event.entry[:2], "little")
        if not kept.pef[settings.PEF_CONTROL][0] & 0x01 or not kept.pef[settings.PEF_ACTIONS][0] & 0x01:
            return
        matching = [one for one in kept.filters if matches(one, event)]
        if not matching:
            return
        severity = max(one[3] for one in matching) or event.severity
        for policy in dict.fromkeys(one[2] & 0x0F for one in matching if one[1] & 0x01):
            for destination in self._destinations(policy):
                self._send(destination, self._content(event, severity))

    def _destinations(self, policy: int) -> Iterator[Destination]:
        kept = self._controller.settings
        for entry in kept.policies:
            if entry[0] >> 4 == policy and entry[0] & _ENABLED and entry[1] & 0x0F < len(kept.destinations):
                yield kept.destinations[entry[1] & 0x0F]

    def send_now(self, which: int, event: bytes) -> None:
        """Send one alert to a destination; of an event as Alert Immediate describes it, or of the end of a log."""
        if event:
            _, _, kind, number, direction_and_type, *data = event
        else:
            kind, number, direction_and_type, *data = hardware.EVENT_LOG.kind, 70, 0x6F, 0x02, 0xFF, 0xFF
        told = self._controller.machine.event(kind, number, direction_and_type, (data[0], data[1], data[2]), None)
        self._send(self._controller.settings.destinations[which], self._content(told, told.severity))

    def _content(self, event: Event, severity: int) -> tuple[int, bytes]:
        """Give the specific number of a trap, and what it holds behind its number."""
        sensor, own = event.sensor, self._controller.machine
        specific = sensor.kind << 16 | sensor.reading_type << 8
        specific |= event.offset | (0 if event.asserted else _DEASSERTED)
        held = struct.pack(
            ">IhBBBBBBB8sBIHB",
            max(0, own.log.now() - _EPOCH),
            0,
            _BY_IPMI,
            _BY_IPMI,
            severity,
            0x20,
            sensor.number,
            sensor.entity,
            sensor.instance,
            bytes(event.data),
            _ENGLISH,
            _MAKER,
            _SYSTEM,
            _END,
        )
        return specific, held

    def _send(self, destination: Destination, content: tuple[int, bytes]) -> None:
        if not int(destination.address):
            return
        self._number = self._number % 0xFFFF + 1
        number, (specific, held) = self._number, content
        controller = self._controller
        octets = controller.machine.uuid.bytes + number.to_bytes(2, "big") + held
        trap = encode_trap_v1(
            controller.settings.community,
            ENTERPRISE,
            specific=specific,
            agent_address=controller.address,
            uptime=max(0, int((controller.machine.clock() - controller.started_at) * 100)),
            varbinds=[(_CONTENT, Tag.OCTET_STRING, octets)],
        )
        self._carry(number, trap, destination, destination.retries)

    def _carry(self, number: int, trap: bytes, destination: Destination, left: int) -> None:
        controller = self._controller
        self._waiting.pop(number, None)
        if not controller.is_silent:
            controller.send(trap, (str(destination.address), self.port))
        if not destination.wants_acknowledgement:
            self.status = _DONE
            return
        self.status = _UNDER_WAY
        loop = asyncio.get_running_loop()
        if left:
            again = loop.call_later(destination.timeout, self._carry, number, trap, destination, left - 1)
        else:
            again = loop.call_later(destination.timeout, self._give_up, number)
        self._waiting[number] = again

    def _give_up(self, number: int) -> None:
        self._waiting.pop(number, None)
        self.status = _NO_ANSWER

    def acknowledged(self, number: int) -> None:
        """Somebody has heard of an alert: it is not repeated."""
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            waiting.cancel()
            self.status = _DONE

    @property
    def waiting(self) -> int:
        """How many alerts nobody has acknowledged yet that should be."""
        return len(self._waiting)

    def close(self) -> None:
        """Repeat nothing any more."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()


def matches(entry: bytes | bytearray, event: Event) -> bool:
    """Whether a filter is meant for an event (§17.7): what is 0xFF in it fits all."""
    if not entry[0] & _ON:
        return False
    sensor = event.sensor
    told = sensor.reading_type | (0 if event.asserted else _DEASSERTED)
    for wanted, own in ((entry[4], 0x20), (entry[6], sensor.kind), (entry[7], sensor.number), (entry[8], told)):
        if wanted not in (0xFF, own):
            return False
    if not (entry[9] | entry[10] << 8) >> event.offset & 1:
        return False
    return all(_compare(value, *entry[at : at + 3]) for value, at in zip(event.data, (11, 14, 17), strict=True))


def _compare(value: int, looked_at: int, exact: int, wanted: int) -> bool:
    """Bits that are exact have to be as wanted; of the others one has to be."""
    same = ~((value & looked_at) ^ wanted) & 0xFF
    return same & exact == exact and (exact == 0xFF or bool(same & ~exact & 0xFF))
