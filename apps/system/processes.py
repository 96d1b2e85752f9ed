"""What the portal consists of while it runs: one entry per process, with its ports and what it waits for.

An app registers a process from ``AppConfig.ready()``; ``manage.py up`` builds the entries when it starts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


WEB_DESCRIPTORS = "ESM_WEB_FDS"  # the environment variable with the sockets of pages, API and classic mode
PULSE_LINE = b"GET /healthz HTTP/1.0\r\n"  # what the supervisor asks the web process, also where that speaks HTTPS


@dataclass(frozen=True)
class Port:
    """A port that a process listens on: ``number`` 0 lets the system choose."""

    label: "StrOrPromise"
    protocol: Literal["tcp", "udp"]
    number: int
    variable: str  # the environment variable that changes the number
    descriptors: str  # the environment variable that carries the opened sockets to the process
    binds: tuple[str, ...] = ()  # the addresses where it is opened, in place of those of ESM_BIND
    option: str = ""  # the option that changes the number, where the environment does not
    switch: str = ""  # the option that closes and opens it while the portal runs


@dataclass(frozen=True)
class Pulse:
    """How the supervisor finds out that a process still answers: to a question, it says anything at all."""

    address: tuple[str, int] | str  # of TCP, or the path of a Unix socket
    question: bytes


@dataclass(frozen=True)
class ProcessSpec:
    """One process: a program (``argv``), or a function that runs in a fork of the supervisor (``run``).

    ``argv`` is always given, because it is also the title that the operating system shows for the process. A process
    that runs ``once`` is a step of the start: what needs it waits until it ended well; if it fails, the start fails.
    """

    name: str
    argv: tuple[str, ...]
    run: Callable[[], object] | None = None
    needs: tuple[str, ...] = ()
    before: tuple[str, ...] = ()  # the processes that wait for this one, where they do not say so themselves
    ports: tuple[Port, ...] = ()
    raw_ping: bool = False  # gets ICMP sockets in ESM_PING_FDS where the supervisor may open them
    environment: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None  # asked every 0.1 s, must answer quickly; without it a start is enough
    once: bool = False
    foreground: bool = False  # shares the terminal: may ask, and its output is not prefixed
    as_user: bool = True  # runs as ESM_USER where the supervisor is root
    done: Callable[[], None] | None = None  # called in the supervisor when a step ended well
    role: "StrOrPromise" = ""  # what it does, in plain words
    pulse: Pulse | None = None  # without it, a process that hangs is not told from one that works


class ProcessRegistry:
    """The processes in the order they were registered; names are unique."""

    def __init__(self) -> None:
        self._builders: dict[str, Callable[[], ProcessSpec | None]] = {}

    def register(self, name: str, build: Callable[[], ProcessSpec | None]) -> None:
        """Add a process; ``build`` is called when the portal starts and gives None where there is nothing to run."""
        if name in self._builders:
            raise ValueError(f"process {name!r} is registered twice")
        self._builders[name] = build

    def build(self) -> list[ProcessSpec]:
        """Give the processes of this start, each after everything that it needs."""
        built = [spec for build in self._builders.values() if (spec := build()) is not None]
        return in_order(replace(spec, needs=(*spec.needs, *_waited_for(spec, built))) for spec in built)


def _waited_for(spec: ProcessSpec, others: Iterable[ProcessSpec]) -> tuple[str, ...]:
    return tuple(other.name for other in others if spec.name in other.before)


def in_order(specs: Iterable[ProcessSpec]) -> list[ProcessSpec]:
    """Sort so that each process stands after what it needs; otherwise the given order stays."""
    waiting = list(specs)
    names = {spec.name for spec in waiting}
    ordered: list[ProcessSpec] = []
    while waiting:
        placed = {spec.name for spec in ordered}
        ready = next((spec for spec in waiting if not (set(spec.needs) & names) - placed), None)
        if ready is None:
            raise ValueError("processes need each other in a circle: " + ", ".join(spec.name for spec in waiting))
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


registry = ProcessRegistry()
