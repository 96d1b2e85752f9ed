"""Where a demonstration stands: its folder, ports and loopback addresses, so that several run beside each other.

This is read while the settings are made: it knows no Django. What somebody sets in the environment wins. A database or
broker that the environment names belongs to a real portal: a demonstration never touches either.
"""

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

FIRST_PORT, PORTS_EACH, BLOCKS = 21200, 10, 20
FIRST_NETWORK = 100  # 127.100.0.0/16 and those that follow
TCP = frozenset({"ESM_HTTP_PORT", "ESM_CLASSIC_PORT", "ESM_EVENT_PORT"})
VARIABLES = ("ESM_HTTP_PORT", "ESM_CLASSIC_PORT", "ESM_TRAP_PORT", "ESM_FLEET_PORT", "ESM_EVENT_PORT")
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "ESM_SECRETS_KEY_FILE")
ADDRESS = "127.0.0.1"  # its sign-in is known to everybody, so nobody else may reach it
NAME, PASSWORD = "demo", "show me the fleet"  # printed on its own sign-in page
STATE_FILE, STATE = "demo.json", "ESM_DEMO_STATE"


@dataclass(frozen=True, slots=True)
class State:
    """What a demonstration remembers in its data folder."""

    block: int = 0  # which ports and addresses it had last
    begun_at: float = 0.0  # when it was first started; the plan's faults count from then
    staged: bool = False  # the fleet is registered and its story told

    def keep(self, folder: Path) -> None:
        """Write it."""
        fresh = folder / f"{STATE_FILE}.new"
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(folder / STATE_FILE)


def kept(folder: Path) -> State:
    """Read what a folder remembers; a new one begins now."""
    try:
        return State(**json.loads((folder / STATE_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return State(begun_at=float(round(time.time())))


def current() -> State:
    """Give the state of the demonstration that this process belongs to."""
    return State(**json.loads(os.environ[STATE]))


def prepare(base: Path, environment: MutableMapping[str, str]) -> None:
    """Set the environment of a demonstration; the start of one looks for ports that are free."""
    for name in NOT_OURS:
        environment.pop(name, None)
    folder = Path(environment.get("ESM_DATA_DIR") or base / "var" / "demo").resolve()
    environment.update(ESM_DATA_DIR=str(folder), ESM_BIND=ADDRESS, ESM_ADMIN_NAME=NAME, ESM_ADMIN_PASSWORD=PASSWORD)
    if STATE not in environment:
        state = kept(folder)
        if sys.argv[1:2] == ["up"] and not _is_running(folder):
            state = replace(state, block=free_block(state.block, environment))
        environment[STATE] = json.dumps(asdict(state))
    for variable, port in ports(State(**json.loads(environment[STATE])).block).items():
        environment.setdefault(variable, str(port))


def ports(block: int) -> dict[str, int]:
    """Give the ports of a block by the variables that name them."""
    first = FIRST_PORT + block * PORTS_EACH
    return {variable: first + place for place, variable in enumerate(VARIABLES)}


def first_address(block: int) -> str:
    """Give the address of a block's first device."""
    return f"127.{FIRST_NETWORK + block}.0.1"


def free_block(wanted: int, environment: MutableMapping[str, str]) -> int:
    """Give the block that is wanted, else the first whose ports are free; the wanted one when none is.

    Ports that the environment names are not looked at: they were chosen on purpose, and the start names who holds them.
    """
    for block in (wanted, *(block for block in range(BLOCKS) if block != wanted)):
        mine = [(variable, port) for variable, port in ports(block).items() if variable not in environment]
        if all(_is_free(variable, port) for variable, port in mine):
            return block
    return wanted


def _is_free(variable: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if variable in TCP else socket.SOCK_DGRAM) as probe:
        if variable in TCP:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("" if variable == "ESM_FLEET_PORT" else ADDRESS, port))
        except OSError:
            return False
    return True


def _is_running(folder: Path) -> bool:
    """Say whether a portal holds the folder: then its start is refused anyway, and must not move anything."""
    try:
        lock = os.open(folder / "up.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
