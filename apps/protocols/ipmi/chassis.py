"""Power, restart cause, boot device, lamp and power meter (IPMI 2.0 §28; DCMI 1.5 §6.6)."""

from dataclasses import dataclass

from apps.protocols.ipmi.session import CHASSIS, DCMI, OK, IpmiSession

OFF, ON, CYCLE, RESET, NMI, SOFT = 0, 1, 2, 3, 4, 5  # Chassis Control, §28.3

_GET_STATUS, _CONTROL, _IDENTIFY, _RESTART_CAUSE, _SET_BOOT, _GET_BOOT = 0x01, 0x02, 0x04, 0x07, 0x08, 0x09
_SET_IN_PROGRESS, _VALID_BITS, _BOOT_FLAGS = 0, 3, 5
_KEEP_WHATEVER_HAPPENS = 0x1F  # the override stays valid after a power-up, a reset, a watchdog, a minute
_FLAGS_VALID, _PERSISTENT, _UEFI = 0x80, 0x40, 0x20
_FOREVER = 0x01
_DCMI_GROUP = 0xDC
_POWER_READING, _POWER_LIMIT = 0x02, 0x03
_MEASURING = 0x40


@dataclass(frozen=True, slots=True)
class ChassisStatus:
    """What Get Chassis Status says (§28.2)."""

    on: bool
    overload: bool = False
    interlock: bool = False
    power_fault: bool = False
    control_fault: bool = False
    intrusion: bool = False
    drive_fault: bool = False
    cooling_fault: bool = False
    lamp: bool | None = None  # None: not told


@dataclass(frozen=True, slots=True)
class BootFlags:
    """A boot override: the device by its number in the standard; 0 is none."""

    device: int
    once: bool = True
    uefi: bool | None = None


@dataclass(frozen=True, slots=True)
class PowerReading:
    """What DCMI measured, in watts; no current value while nothing is measured, as of a machine that is off."""

    current: int | None
    minimum: int
    maximum: int
    average: int
    seconds: float


def chassis_status(data: bytes) -> ChassisStatus:
    """Decode the two to four bytes of the answer."""
    power, misc = data[0], data[2] if len(data) > 2 else 0
    return ChassisStatus(
        on=bool(power & 0x01),
        overload=bool(power & 0x02),
        interlock=bool(power & 0x04),
        power_fault=bool(power & 0x08),
        control_fault=bool(power & 0x10),
        intrusion=bool(misc & 0x01),
        drive_fault=bool(misc & 0x04),
        cooling_fault=bool(misc & 0x08),
        lamp=bool(misc & 0x30) if misc & 0x40 else None,
    )


async def read_status(session: IpmiSession) -> ChassisStatus:
    """Ask how the chassis is."""
    return chassis_status(await session.tell(CHASSIS, _GET_STATUS) or b"\x00")


async def control(session: IpmiSession, action: int) -> None:
    """Order a change of power, once."""
    await session.order(CHASSIS, _CONTROL, (action,))


async def read_restart_cause(session: IpmiSession) -> int | None:
    """Ask why the machine last started (§28.11); None where it is not told."""
    answer = await session.ask(CHASSIS, _RESTART_CAUSE)
    return answer.data[0] & 0x0F if answer.code == OK and answer.data else None


def boot_flags(data: bytes) -> BootFlags:
    """Decode parameter 5 of the boot options (§28.13): version, parameter, and five bytes."""
    if len(data) < 4 or data[1] & 0x80 or not data[2] & _FLAGS_VALID:
        return BootFlags(0)
    device = data[3] >> 2 & 0x0F
    if device == 0:
        return BootFlags(0)
    return BootFlags(device, not data[2] & _PERSISTENT, bool(data[2] & _UEFI))


async def read_boot(session: IpmiSession) -> BootFlags:
    """Ask for the boot override."""
    return boot_flags(await session.tell(CHASSIS, _GET_BOOT, (_BOOT_FLAGS, 0, 0)))


async def set_boot(session: IpmiSession, flags: BootFlags) -> None:
    """Set the boot override; the device 0 takes it away."""
    first = 0 if not flags.device else _FLAGS_VALID | (0 if flags.once else _PERSISTENT) | (_UEFI if flags.uefi else 0)
    await session.ask(CHASSIS, _SET_BOOT, (_SET_IN_PROGRESS, 1))  # not every controller knows it
    try:
        await session.ask(CHASSIS, _SET_BOOT, (_VALID_BITS, _KEEP_WHATEVER_HAPPENS))
        await session.tell(CHASSIS, _SET_BOOT, (_BOOT_FLAGS, first, flags.device << 2, 0, 0, 0))
    finally:
        await session.ask(CHASSIS, _SET_BOOT, (_SET_IN_PROGRESS, 0))


async def set_lamp(session: IpmiSession, seconds: int | None) -> None:
    """Light the lamp for 0 to 255 seconds, None: until it is put out; 0 puts it out (§28.5)."""
    await session.tell(CHASSIS, _IDENTIFY, (0, _FOREVER) if seconds is None else (seconds,))


def power_reading(data: bytes) -> PowerReading | None:
    """Decode an answer to Get Power Reading; None where it is none."""
    if len(data) < 18 or data[0] != _DCMI_GROUP:
        return None
    current, minimum, maximum, average = (int.from_bytes(data[at : at + 2], "little") for at in (1, 3, 5, 7))
    shown = current if data[17] & _MEASURING else None
    return PowerReading(shown, minimum, maximum, average, int.from_bytes(data[13:17], "little") / 1000)


async def read_power(session: IpmiSession) -> PowerReading | None:
    """Measure by DCMI; None where the controller does not know it."""
    answer = await session.ask(DCMI, _POWER_READING, (_DCMI_GROUP, 0x01, 0, 0))
    return power_reading(answer.data) if answer.code == OK else None


async def read_power_limit(session: IpmiSession) -> int | None:
    """Ask for the active limit in watts; None where there is none."""
    answer = await session.ask(DCMI, _POWER_LIMIT, (_DCMI_GROUP, 0, 0))
    if answer.code != OK or len(answer.data) < 6:
        return None
    return int.from_bytes(answer.data[4:6], "little") or None
