"""What a simulated server is made of: its sensors, its parts, and what of them moves with load and power."""

from collections.abc import Iterator

from apps.simulators.bmc.faults import Fault
from apps.simulators.bmc.sensors import REDUNDANCY, SPECIFIC, Limits, Moment, Reader, Sensor, Severity

IDLE_WATTS, FULL_WATTS, STANDBY_WATTS = 112.0, 388.0, 9.0
PROCESSOR_WARNS, PROCESSOR_FAILS = 85, 92  # °C
FANS, DRIVES = 6, 4
FAILED_FAN, FAILED_DRIVE, FAILED_SUPPLY = 2, 3, 2

_TEMPERATURE, _VOLTAGE, _FAN, _INTRUSION, _PROCESSOR = 0x01, 0x02, 0x04, 0x05, 0x07
_SUPPLY, _POWER_UNIT, _OTHER_UNITS, _MEMORY, _DRIVE = 0x08, 0x09, 0x0B, 0x0C, 0x0D
_LOG, _INTERRUPT, _START, _SHUTDOWN, _ACPI, _WATCHDOG, _BATTERY = 0x10, 0x13, 0x1D, 0x20, 0x22, 0x23, 0x29
_DEGREES, _VOLTS, _WATTS, _RPM = 1, 4, 6, 18
_CPU, _BOARD, _PSU, _BACKPLANE, _CHASSIS, _COOLING, _DIMM, _CELL, _INLET = 3, 7, 10, 15, 23, 29, 32, 40, 55
_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING


def _processor(above: float) -> Reader:
    def read(moment: Moment) -> float | None:
        if not moment.on:
            return None
        too_hot = 56.0 if Fault.OVER_TEMPERATURE in moment.faults and above == 0 else 0.0
        return moment.processor + above + too_hot

    return read


def _memory(moment: Moment) -> float | None:
    return 33.0 + 14.0 * moment.load + moment.wave if moment.on else None


def _fan(number: int) -> Reader:
    def read(moment: Moment) -> float | None:
        if not moment.on:
            return None
        if Fault.FAN_STOPPED in moment.faults:
            return 0.0 if number == FAILED_FAN else 12_600.0
        faster = 4_000.0 if Fault.OVER_TEMPERATURE in moment.faults else 0.0
        return 4_200.0 + 5_600.0 * moment.load + 90.0 * moment.wave + 25.0 * number + faster

    return read


def _voltage(nominal: float) -> Reader:
    def read(moment: Moment) -> float | None:
        return nominal * (1.004 - 0.006 * moment.load + 0.001 * moment.wave) if moment.on else None

    return read


def _supply(number: int) -> Reader:
    """Give the input of one of two power supplies, which share the load while both are well."""

    def read(moment: Moment) -> float | None:
        alone = bool(moment.faults & {Fault.PSU_FAILED, Fault.POWER_LOST})
        if number == FAILED_SUPPLY:
            return 0.0 if alone else moment.watts * 0.49
        return moment.watts if alone else moment.watts * 0.51

    return read


def _supply_state(number: int) -> Reader:
    def read(moment: Moment) -> float:
        bits = 0x01
        if number == FAILED_SUPPLY:
            bits |= 0x02 if Fault.PSU_FAILED in moment.faults else 0
            bits |= 0x08 if Fault.POWER_LOST in moment.faults else 0
        return bits

    return read


def _redundant(*spoil: Fault) -> Reader:
    def read(moment: Moment) -> float | None:
        return 0x02 if moment.faults & frozenset(spoil) else 0x01

    return read


def _drive(number: int) -> Reader:
    def read(moment: Moment) -> float | None:
        if not moment.on:
            return None
        return 0x03 if number == FAILED_DRIVE and Fault.DRIVE_FAILED in moment.faults else 0x01

    return read


def _measuring() -> Iterator[Sensor]:
    yield Sensor(
        1,
        "Inlet Temp",
        _TEMPERATURE,
        _INLET,
        1,
        lambda moment: moment.inlet,
        unit=_DEGREES,
        signed=True,
        limits=Limits(5, 0, 38, 42),
    )
    for number in (1, 2):
        hot = Limits(upper_warning=PROCESSOR_WARNS, upper_critical=PROCESSOR_FAILS)
        read = _processor(3.0 * (number - 1))
        yield Sensor(
            1 + number, f"CPU{number} Temp", _TEMPERATURE, _CPU, number, read, unit=_DEGREES, signed=True, limits=hot
        )
    hot = Limits(upper_warning=80, upper_critical=85)
    yield Sensor(4, "DIMM Temp", _TEMPERATURE, _DIMM, 1, _memory, unit=_DEGREES, signed=True, limits=hot)
    for number in range(1, FANS + 1):
        slow = Limits(lower_warning=1_500, lower_critical=1_000)
        yield Sensor(9 + number, f"Fan{number}", _FAN, _COOLING, number, _fan(number), unit=_RPM, step=100, limits=slow)
    for place, (name, nominal, step, exponent) in enumerate(
        (("P12V", 12.0, 6, -2), ("P5V", 5.0, 25, -3), ("P3V3", 3.3, 16, -3), ("P1V05", 1.05, 8, -3))
    ):
        near = Limits(nominal * 0.94, nominal * 0.92, nominal * 1.06, nominal * 1.08)
        read = _voltage(nominal)
        yield Sensor(
            20 + place,
            name,
            _VOLTAGE,
            _BOARD,
            1,
            read,
            unit=_VOLTS,
            step=step,
            exponent=exponent,
            limits=near,
        )
    low = Limits(lower_warning=2.6, lower_critical=2.4)
    yield Sensor(24, "VBAT", _VOLTAGE, _CELL, 1, lambda _: 3.04, unit=_VOLTS, step=16, exponent=-3, limits=low)
    for number in (1, 2):
        name = f"PSU{number} Input"
        yield Sensor(29 + number, name, _OTHER_UNITS, _PSU, number, _supply(number), unit=_WATTS, step=4)
    yield Sensor(32, "Total Power", _OTHER_UNITS, _CHASSIS, 1, lambda moment: moment.watts, unit=_WATTS, step=4)
    yield Sensor(
        33, "CPU Usage", _OTHER_UNITS, _CPU, 1, lambda moment: moment.load * 100 if moment.on else None, percent=True
    )


def _discrete() -> Iterator[Sensor]:
    for number in (1, 2):
        yield Sensor(
            39 + number,
            f"PSU{number} Status",
            _SUPPLY,
            _PSU,
            number,
            _supply_state(number),
            reading_type=SPECIFIC,
            asserts=0x0A,
            deasserts=0x0A,
            states=0x0B,
            severities=((1, _CRITICAL), (3, _CRITICAL)),
        )
    for number, name, kind, spoil in (
        (42, "PSU Redundancy", _SUPPLY, (Fault.PSU_FAILED, Fault.POWER_LOST)),
        (43, "Fan Redundancy", _FAN, (Fault.FAN_STOPPED,)),
    ):
        yield Sensor(
            number,
            name,
            kind,
            _CHASSIS,
            1,
            _redundant(*spoil),
            reading_type=REDUNDANCY,
            asserts=0x02,
            deasserts=0x02,
            states=0x03,
            severities=((1, _WARNING),),
        )
    for number in range(1, DRIVES + 1):
        yield Sensor(
            49 + number,
            f"Drive {number}",
            _DRIVE,
            _BACKPLANE,
            number,
            _drive(number),
            reading_type=SPECIFIC,
            asserts=0x02,
            deasserts=0x02,
            states=0x03,
            severities=((1, _CRITICAL),),
        )
    for number in (1, 2):
        yield Sensor(
            59 + number,
            f"CPU{number} Status",
            _PROCESSOR,
            _CPU,
            number,
            lambda moment: 0x80 if moment.on else None,
            reading_type=SPECIFIC,
            asserts=0x02,
            states=0x83,
        )
    yield Sensor(
        62,
        "Intrusion",
        _INTRUSION,
        _CHASSIS,
        1,
        lambda moment: 0x01 if moment.opened else 0x00,
        reading_type=SPECIFIC,
        asserts=0x01,
        deasserts=0x01,
        states=0x01,
        severities=((0, _WARNING),),
    )
    yield Sensor(
        63,
        "ACPI State",
        _ACPI,
        _CHASSIS,
        1,
        lambda moment: 0x01 if moment.on else 0x40,
        reading_type=SPECIFIC,
        asserts=0x41,
        states=0x41,
    )
    yield Sensor(
        64, "Memory", _MEMORY, _DIMM, 1, lambda moment: 0x40 if moment.on else None, reading_type=SPECIFIC, states=0x43
    )


EVENT_LOG = Sensor(70, "Event Log", _LOG, 6, 1, None, reading_type=SPECIFIC, asserts=0x34, states=0x34)
INTERRUPT = Sensor(
    71,
    "NMI",
    _INTERRUPT,
    _BOARD,
    1,
    None,
    reading_type=SPECIFIC,
    asserts=0x01,
    states=0x01,
    severities=((0, _CRITICAL),),
)
START = Sensor(72, "System Start", _START, _CHASSIS, 1, None, reading_type=SPECIFIC, asserts=0xFF, states=0xFF)
SHUTDOWN = Sensor(73, "OS Stop", _SHUTDOWN, _CHASSIS, 1, None, reading_type=SPECIFIC, asserts=0x0F, states=0x0F)
WATCHDOG = Sensor(
    74,
    "Watchdog",
    _WATCHDOG,
    _BOARD,
    1,
    None,
    reading_type=SPECIFIC,
    asserts=0x0F,
    states=0x0F,
    severities=((0, _WARNING), (1, _CRITICAL), (2, _CRITICAL), (3, _CRITICAL)),
)

READ = (*_measuring(), *_discrete())
SENSORS: tuple[Sensor, ...] = (*READ, EVENT_LOG, INTERRUPT, START, SHUTDOWN, WATCHDOG)
BY_NUMBER = {sensor.number: sensor for sensor in SENSORS}

# Number, name, entity and its instance: the parts that describe themselves.
PARTS = (
    (0, "Server", _CHASSIS, 1),
    (1, "PSU1", _PSU, 1),
    (2, "PSU2", _PSU, 2),
    (3, "DIMM A1", _DIMM, 1),
    (4, "DIMM B1", _DIMM, 2),
    (5, "Array controller", 11, 1),
)
