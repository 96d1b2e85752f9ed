"""The sensor data records of a simulated controller, made once for all machines alike (IPMI 2.0 §43)."""

import struct
from collections.abc import Iterator, Sequence

from apps.simulators.bmc.sensors import Sensor

OWN_ADDRESS = 0x20
_VERSION = 0x51
_FULL, _COMPACT, _EVENT_ONLY, _FRU, _CONTROLLER = 0x01, 0x02, 0x03, 0x11, 0x12
_LINEAR = 0
# With a limit that can be passed comes an event, for going below the lower and above the upper ones.
_EVENT_OF_LIMIT = {0: 0, 1: 2, 2: 4, 3: 7, 4: 9, 5: 11}


def record(number: int, kind: int, body: bytes) -> bytes:
    """Put a record's head before its body."""
    return struct.pack("<HBBB", number, _VERSION, kind, len(body)) + body


def limit_events(mask: int) -> int:
    """Give the events, by bit, of the limits that a mask names."""
    return sum(1 << event for place, event in _EVENT_OF_LIMIT.items() if mask >> place & 1)


def _name(text: str) -> bytes:
    data = text.encode("latin-1")[:16]
    return bytes((0xC0 | len(data),)) + data


def _key(sensor: Sensor) -> bytes:
    return bytes((OWN_ADDRESS, 0, sensor.number))


def _full(sensor: Sensor) -> bytes:
    """A sensor that measures (§43.1)."""
    mask, limits = sensor.first_limits()
    events = limit_events(mask)
    capabilities = 0x68 if mask else 0x40  # re-arms itself; limits can be read and set; events one by one
    units = (0x80 if sensor.signed else 0x00) | (0x01 if sensor.percent else 0x00)
    m = struct.pack("<BB", sensor.step & 0xFF, sensor.step >> 2 & 0xC0)
    nominal = sensor.raw(_usual(sensor))
    highest, lowest = (0x7F, 0x80) if sensor.signed else (0xFF, 0x00)
    in_record = bytes(limits[place] for place in (5, 4, 3, 2, 1, 0))
    return b"".join(
        (
            _key(sensor),
            bytes((sensor.entity, sensor.instance, 0x7F, capabilities, sensor.kind, sensor.reading_type)),
            struct.pack("<HH", events | (mask & 0x07) << 12, events | (mask & 0x38) << 9),
            bytes((mask, mask)),  # limits that can be read, and set
            bytes((units, sensor.unit, 0, _LINEAR)),
            m,
            bytes((0, 0, 0, (sensor.exponent & 0x0F) << 4)),
            bytes((0x07, nominal, highest, lowest, highest, lowest)),
            in_record,
            bytes((2, 2, 0, 0, 0)),  # hysteresis up and down
            _name(sensor.name),
        )
    )


def _usual(sensor: Sensor) -> float:
    own = sensor.limits
    if own.upper_warning is not None and own.lower_warning is not None:
        return (own.upper_warning + own.lower_warning) / 2
    return 0.0 if own.upper_warning is None else own.upper_warning / 2


def _compact(sensor: Sensor) -> bytes:
    """A sensor of states (§43.2)."""
    return b"".join(
        (
            _key(sensor),
            bytes((sensor.entity, sensor.instance, 0x67, 0x40, sensor.kind, sensor.reading_type)),
            struct.pack("<HHH", sensor.asserts, sensor.deasserts, sensor.states),
            bytes((0xC0, 0, 0, 1, 0, 0, 0)),  # no number; stands for itself alone; no hysteresis
            bytes((0, 0, 0, 0)),
            _name(sensor.name),
        )
    )


def _event_only(sensor: Sensor) -> bytes:
    """A sensor that cannot be read (§43.3)."""
    place = bytes((sensor.entity, sensor.instance, sensor.kind, sensor.reading_type, 1, 0, 0, 0))
    return _key(sensor) + place + _name(sensor.name)


def _fru(part: tuple[int, str, int, int]) -> bytes:
    """Where a part describes itself (§43.8)."""
    number, name, entity, instance = part
    return bytes((OWN_ADDRESS, number, 0x80, 0, 0, 0x10, 0, entity, instance, 0)) + _name(name)


def _controller(name: str) -> bytes:
    """The controller itself (§43.9): sensors, repository, log, parts and chassis are its own."""
    return bytes((OWN_ADDRESS, 0, 0x00, 0xBF, 0, 0, 0, 6, 1, 0)) + _name(name)


class Repository:
    """All records of a make of machine, and the number of the one behind each."""

    def __init__(self, sensors: Sequence[Sensor], parts: Sequence[tuple[int, str, int, int]], *, made_at: int) -> None:
        self.made_at = made_at
        found = list(_bodies(sensors, parts))
        self._records = [record(number, kind, body) for number, (kind, body) in enumerate(found, start=1)]
        self._answers = {
            number: (struct.pack("<H", number + 1 if number < len(found) else 0xFFFF), one)
            for number, one in enumerate(self._records, start=1)
        }

    def __len__(self) -> int:
        return len(self._records)

    def get(self, number: int) -> tuple[bytes, bytes] | None:
        """Give the number of the next record as two bytes, and this record; 0 is the first, 0xFFFF the last."""
        return self._answers.get({0: 1, 0xFFFF: len(self._records)}.get(number, number))


def _bodies(sensors: Sequence[Sensor], parts: Sequence[tuple[int, str, int, int]]) -> Iterator[tuple[int, bytes]]:
    yield _CONTROLLER, _controller("BMC")
    for sensor in sensors:
        if sensor.read is None:
            yield _EVENT_ONLY, _event_only(sensor)
        elif sensor.measures:
            yield _FULL, _full(sensor)
        else:
            yield _COMPACT, _compact(sensor)
    for part in parts:
        yield _FRU, _fru(part)
