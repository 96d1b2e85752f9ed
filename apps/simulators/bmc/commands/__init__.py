"""The commands of a simulated controller, by subject; importing this registers them all."""

from apps.simulators.bmc.commands import (
    about,
    chassis,
    dcmi,
    lan,
    log,
    payloads,
    pef,
    people,
    repository,
    sensors,
    watchdog,
)
from apps.simulators.bmc.commands.registry import COMMANDS, GROUP, Asked, Refused, Work

__all__ = [
    "COMMANDS",
    "GROUP",
    "Asked",
    "Refused",
    "Work",
    "about",
    "chassis",
    "dcmi",
    "lan",
    "log",
    "payloads",
    "pef",
    "people",
    "repository",
    "sensors",
    "watchdog",
]
