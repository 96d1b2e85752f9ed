"""From discrete sensors and the chassis to states and facts."""

from collections.abc import Iterator, Sequence

from apps.drivers.bmc.kinds import KINDS
from apps.drivers.bmc.readings import name_of
from apps.drivers.bmc.words import SPECIFIC_CODE, UNKNOWN_STATE, meaning
from apps.drivers.contract import NOT_MEASURED, POWER_OFF, WORST_FIRST, Fact, State, StateKind, Status
from apps.protocols.ipmi.chassis import ChassisStatus
from apps.protocols.ipmi.measuring import Measured
from apps.protocols.ipmi.records import THRESHOLD

_PASSED = {0: 0, 1: 2, 2: 4, 3: 7, 4: 9, 5: 11}  # bit of a limit that is passed (§35.14): the event that says so
_PROCESSOR, _THROTTLED = (0x07, SPECIFIC_CODE), 10  # IPMI 2.0 §42.2
_FIRMWARE, _PROGRESS = (0x0F, SPECIFIC_CODE), 2
START_NAME = "Start of the machine"
START_WORDS = {"progress": "Firmware progress", "done": "Power-on self test done", "off": "Powered off"}
_NOTHING = "Nothing reported"


def states(measured: Sequence[Measured], *, powered: bool | None) -> list[State]:
    """Give what every discrete sensor says, in the controller's order."""
    return [
        *(_state(one, powered) for one in measured if not one.record.measures),
        *_start([one for one in measured if _kind(one) == _FIRMWARE], powered),
    ]


def _start(firmware: Sequence[Measured], powered: bool | None) -> Iterator[State]:
    """Say how far the machine has started, where a sensor of its firmware tells."""
    told = [one for one in firmware if one.available]
    if powered is False and firmware:
        yield State("post", START_NAME, StateKind.OTHER, (START_WORDS["off"],))
    elif told:
        at_work = any(_PROGRESS in one.states for one in told)
        yield State("post", START_NAME, StateKind.OTHER, (START_WORDS["progress" if at_work else "done"],))


def _state(one: Measured, powered: bool | None) -> State:
    record = one.record
    name = name_of(record)
    kind = KINDS.get(record.sensor_type, StateKind.OTHER)
    if not one.available:
        words: tuple[str, ...] = (POWER_OFF if powered is False else NOT_MEASURED,)
        return State(record.key, name, kind, words, Status.UNKNOWN)
    told = sorted(_told(one), key=lambda found: WORST_FIRST[found[1]])
    if not told:
        return State(record.key, name, kind, (_NOTHING,))
    return State(record.key, name, kind, tuple(word for word, _ in told), told[0][1])


def _told(one: Measured) -> Iterator[tuple[str, Status]]:
    places = one.states
    if one.record.reading_type == THRESHOLD:
        places = frozenset(_PASSED[place] for place in one.states if place in _PASSED)
    for place in sorted(places):
        found = meaning(one.record.sensor_type, one.record.reading_type, place)
        yield found or (UNKNOWN_STATE, Status.NORMAL)


def throttled(measured: Sequence[Measured]) -> bool | None:
    """Say whether a processor slows itself down; None where no sensor of a processor tells of itself."""
    told = [one for one in measured if _kind(one) == _PROCESSOR]
    known = [one for one in told if one.available]
    return any(_THROTTLED in one.states for one in known) if known else None


def _kind(one: Measured) -> tuple[int, int]:
    return one.record.sensor_type, one.record.reading_type


def chassis_facts(chassis: ChassisStatus) -> list[Fact]:
    """Give what is wrong with the chassis by the controller's own word."""
    found = (
        (chassis.overload, Fact("chassis.overload", Status.CRITICAL, "The power supply is overloaded")),
        (chassis.power_fault, Fact("chassis.power-fault", Status.CRITICAL, "The main power has a fault")),
        (
            chassis.control_fault,
            Fact("chassis.power-control", Status.CRITICAL, "The controller could not switch the power as ordered"),
        ),
        (
            chassis.interlock,
            Fact("chassis.interlock", Status.WARNING, "The power is off because a cover is open (interlock)"),
        ),
        (chassis.intrusion, Fact("chassis.intrusion", Status.WARNING, "The chassis has been opened")),
        (chassis.drive_fault, Fact("chassis.drive", Status.CRITICAL, "A drive has failed")),
        (chassis.cooling_fault, Fact("chassis.cooling", Status.CRITICAL, "Cooling or a fan has failed")),
    )
    return [fact for holds, fact in found if holds]
