"""What may be wrong with a simulated machine or with its controller."""

from enum import StrEnum


class Fault(StrEnum):
    """The first ones are the controller's, the others the machine's: those show in sensors, in the log and as traps."""

    SILENT = "silent"  # answers nothing
    SLOW = "slow"  # answers after ``Controller.slowness`` seconds
    SESSION_FULL = "session-full"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105
    DIES = "dies"  # answers ``Controller.lasts`` further commands, then nothing
    LOST_BY_CHANGE = "lost-by-change"  # takes a change of its LAN or of who comes in, and answers nobody any more
    BUSY = "busy"  # takes no setting at the moment, and says so
    SLOW_TO_TAKE = "slow-to-take"  # takes settings with success, and has them ``Controller.takes_in`` seconds later
    PSU_FAILED = "psu-failed"
    FAN_STOPPED = "fan-stopped"
    OVER_TEMPERATURE = "over-temperature"
    DRIVE_FAILED = "drive-failed"
    POWER_LOST = "power-lost"  # one of two lines
