"""The small shell on the serial console of a simulated machine: what it answers to what somebody typed."""

import textwrap
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apps.simulators.bmc.machine import Machine

Answer = Callable[[Machine, str, Sequence[str]], str]
_MEMORY = 64 * 1024**2  # KiB


def answer(machine: Machine, user: str, words: Sequence[str]) -> str:
    """Give what is written to a command; a command that changes the machine's power does so."""
    name, *rest = words
    known = _COMMANDS.get(name)
    return known(machine, user, rest) if known else f"-bash: {name}: command not found\n"


def version(machine: Machine) -> str:
    """Give what the system greets with."""
    return f"Linux {machine.name} {machine.product.kernel} #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n"


def _uname(machine: Machine, user: str, words: Sequence[str]) -> str:
    match words:
        case []:
            return "Linux\n"
        case ["-r"]:
            return f"{machine.product.kernel}\n"
        case ["-n"]:
            return f"{machine.name}\n"
    return version(machine)


def _date(machine: Machine, user: str, words: Sequence[str]) -> str:
    return f"{datetime.fromtimestamp(machine.clock(), UTC):%a %b %e %H:%M:%S UTC %Y}\n"


def _uptime(machine: Machine, user: str, words: Sequence[str]) -> str:
    up, now = int(machine.uptime), datetime.fromtimestamp(machine.clock(), UTC)
    days = f"{up // 86400} days, " if up >= 86400 else ""
    return f" {now:%H:%M:%S} up {days}{up // 3600 % 24}:{up // 60 % 60:02},  1 user,  load {machine.load:.2f}\n"


def _free(machine: Machine, user: str, words: Sequence[str]) -> str:
    used = int(_MEMORY * (0.2 + 0.3 * machine.load))
    return f"{'':<8}{'total':>12}{'used':>12}{'free':>12}\n{'Mem:':<8}{_MEMORY:>12}{used:>12}{_MEMORY - used:>12}\n"


def _sensors(machine: Machine, user: str, words: Sequence[str]) -> str:
    told = machine.measure_at(machine.clock())
    return f"coretemp-isa-0000\nPackage id 0:  +{told.processor:.1f} C\n\ninlet:         +{told.inlet:.1f} C\n"


def _file(machine: Machine, user: str, words: Sequence[str]) -> str:
    match words:
        case ["/etc/os-release"]:
            return f'PRETTY_NAME="{machine.product.system}"\n'
        case ["/etc/hostname"]:
            return f"{machine.name}\n"
        case [name, *_]:
            return f"cat: {name}: No such file or directory\n"
    return ""


def _who(machine: Machine, user: str, words: Sequence[str]) -> str:
    return f"{user:<8} ttyS0        {datetime.fromtimestamp(machine.clock(), UTC):%Y-%m-%d %H:%M}\n"


def _identity(machine: Machine, user: str, words: Sequence[str]) -> str:
    number = 0 if user == "root" else 1000
    return f"uid={number}({user}) gid={number}({user}) groups={number}({user})\n"


def _restart(machine: Machine, user: str, words: Sequence[str]) -> str:
    machine.restart()
    return ""


def _shut_down(machine: Machine, user: str, words: Sequence[str]) -> str:
    machine.shut_down()
    return ""


def _help(machine: Machine, user: str, words: Sequence[str]) -> str:
    return textwrap.fill("  ".join(sorted([*_COMMANDS, "exit"])), 60) + "\n"


_COMMANDS: dict[str, Answer] = {
    "cat": _file,
    "clear": lambda machine, user, words: "\033[2J\033[H",
    "date": _date,
    "dmesg": lambda machine, user, words: f"[    0.000000] Linux version {machine.product.kernel}\n",
    "echo": lambda machine, user, words: " ".join(words) + "\n",
    "free": _free,
    "help": _help,
    "hostname": lambda machine, user, words: f"{machine.name}\n",
    "id": _identity,
    "ls": lambda machine, user, words: "",
    "poweroff": _shut_down,
    "pwd": lambda machine, user, words: "/root\n" if user == "root" else f"/home/{user}\n",
    "reboot": _restart,
    "sensors": _sensors,
    "uname": _uname,
    "uptime": _uptime,
    "who": _who,
    "whoami": lambda machine, user, words: f"{user}\n",
}
