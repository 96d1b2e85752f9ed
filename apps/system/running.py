"""What runs of the portal, as far as it can be known, and the orders that change it; page, API and command call these.

What the supervisor says itself is live. Where it does not answer, what it wrote last is told with its age, and no
process of it counts as running: nobody knows.
"""

import logging
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import yaml
from django.conf import settings
from django.db import DatabaseError
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.core import audit
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.writes import turn
from apps.system import control, listening, workers
from apps.system.instance import LOST_AFTER, Instance, ProcessState, Restart
from apps.system.processes import Port, ProcessSpec, registry
from apps.system.supervisor import State

log = logging.getLogger(__name__)
UNKNOWN = "unknown"  # the state of what nobody vouches for


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port of a process: the number that it has, and the one that it gets at the next start where that differs."""

    port: Port
    number: int
    next_number: int
    is_open: bool | None  # None: not known

    @property
    def is_off(self) -> bool:
        """Say whether it is closed because somebody switched it off."""
        return bool(self.port.switch) and self.is_open is False

    @property
    def decided_by(self) -> str:
        """Give the variable of the environment that decides the number, where one does."""
        return self.port.variable if os.environ.get(self.port.variable) else ""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the portal, on this machine or another."""

    name: str
    role: Promise | str
    state: str
    order: int | None  # its place in the start; the stop goes the other way
    ports: Sequence[OpenPort]
    pid: int | None
    memory: int | None  # bytes, proportional set size; None: not measured
    cpu: float | None  # percent of one processor
    processes: int
    started_at: datetime | None
    restarts: int | None
    last_restart: Restart | None
    seen_at: datetime
    machine: str
    elsewhere: bool = False
    services: Sequence[str] = ()  # what the guide calls it

    @property
    def reason(self) -> str:
        """Say why it was started anew the last time."""
        return why(self.last_restart) if self.last_restart else ""

    @property
    def restarted_at(self) -> datetime | None:
        """Give when it was started anew the last time."""
        return _moment(self.last_restart.at) if self.last_restart else None

    @property
    def next_order(self) -> int:
        """Give a number to sort by."""
        return self.order or 0


@dataclass(frozen=True, slots=True)
class Running:
    """The whole of it."""

    pid: int | None  # of the supervisor
    since: datetime | None
    seen_at: datetime | None  # None: no supervisor ever ran on this data folder
    live: bool  # the supervisor answered just now
    processes: Sequence[Process] = field(default_factory=list)

    @property
    def pending(self) -> list[OpenPort]:
        """Give the ports that get another number at the next start."""
        return [port for process in self.processes for port in process.ports if port.number != port.next_number]

    @property
    def may_restart(self) -> bool:
        """Say whether there is somebody to give orders to."""
        return self.live


def why(restart: Restart) -> str:
    """Say why a process was started anew."""
    sentences = {
        "exit": _("It ended by itself with exit code %(detail)s."),
        "signal": _("It was ended by the signal %(detail)s."),
        "silent": _("It had not answered for %(detail)s s."),
        "ordered": _("Ordered by %(detail)s."),
    }
    return sentences.get(restart.reason, "%(detail)s") % {"detail": restart.detail}


def look() -> Running:
    """Give what runs now, as far as it can be known."""
    instance = Instance(settings.DATA_DIR)
    try:
        told = control.ask(settings.DATA_DIR, "status")
    except control.NotRunning:
        return _as_written(instance)
    states = {each["name"]: each for each in told["processes"]}
    now = datetime.now(UTC)
    found = [
        _process(spec, place, ProcessState.read(states[spec.name]), states[spec.name], now, told)
        for place, spec in enumerate(_specs(), start=1)
        if spec.name in states
    ]
    return Running(told["pid"], _moment(told["since"]), now, True, [*found, *_elsewhere(found)])


def _as_written(instance: Instance) -> Running:
    """Give what the supervisor wrote last: old, whether it is gone or only does not answer."""
    seen = instance.seen_at()
    if seen is None:
        return Running(None, None, None, False, _elsewhere([]))
    states = {state.name: state for state in instance.processes()}
    pid = instance.running_pid()
    fresh = pid is not None and time.time() - seen < LOST_AFTER
    at = _moment(seen)
    found = []
    for place, spec in enumerate(_specs(), start=1):
        if (state := states.get(spec.name)) is not None:
            told: dict[str, Any] = {"ports": instance.ports()} if fresh else {}
            found.append(_process(spec, place, state, {}, at, told, known=fresh))
    return Running(pid, None, at, False, [*found, *_elsewhere(found)])


def _specs() -> list[ProcessSpec]:
    return [spec for spec in registry.build() if not spec.once]


def _process(
    spec: ProcessSpec,
    place: int,
    state: ProcessState,
    used: dict[str, Any],
    seen_at: datetime,
    told: dict[str, Any],
    *,
    known: bool = True,
) -> Process:
    numbers, opened, asked = told.get("ports", {}), told.get("open"), listening.asked_for()
    return Process(
        name=spec.name,
        role=spec.role,
        state=state.state if known else UNKNOWN,
        order=place,
        ports=[
            OpenPort(
                port,
                (number := numbers.get(port.variable, port.number)),
                number if os.environ.get(port.variable) else asked[port.variable],
                port.variable in opened if opened is not None else None,
            )
            for port in spec.ports
        ],
        pid=state.pid if known else None,
        memory=used.get("memory"),
        cpu=used.get("cpu"),
        processes=used.get("processes", 0),
        started_at=_moment(state.started_at) if state.started_at and known and state.pid else None,
        restarts=state.restarts,
        last_restart=state.last_restart,
        seen_at=seen_at,
        machine=socket.gethostname(),
        services=_services().get(spec.name, ()),
    )


def _elsewhere(ours: Sequence[Process]) -> list[Process]:
    """Give the workers that no supervisor of this data folder runs."""
    here = {(process.machine, process.pid) for process in ours}
    roles = {spec.name: spec.role for spec in _specs()}
    return [
        Process(
            name=worker.name,
            role=roles.get(worker.name, ""),
            state=UNKNOWN if worker.is_lost else State.RUNNING.value,
            order=None,
            ports=(),
            pid=worker.pid,
            memory=None if worker.is_lost else worker.memory,
            cpu=None,
            processes=worker.processes,
            started_at=_moment(worker.started_at),
            restarts=None,
            last_restart=None,
            seen_at=_moment(worker.seen_at),
            machine=worker.machine,
            elsewhere=True,
        )
        for worker in workers.known()
        if (worker.machine, worker.pid) not in here
        and not (worker.is_lost and worker.machine == socket.gethostname())  # one of an earlier start
    ]


@lru_cache(maxsize=1)
def _services() -> dict[str, tuple[str, ...]]:
    """Give what the guide calls the services that do what a process of ours does, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for row in yaml.safe_load((settings.FIXTURES_DIR / "services.yaml").read_text(encoding="utf-8")):
        if "process" in row:
            found[row["process"]] = (*found.get(row["process"], ()), row["name"])
    return found


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# --- orders -------------------------------------------------------------------------------------------------------
def restart(actor: Actor, name: str | None = None) -> list[str]:
    """Have one process, or all in order, started anew; gives their names. Raises Conflict where that cannot be."""
    return _order(actor, "restart", name)


def stop(actor: Actor) -> list[str]:
    """Have the portal stop. Raises Conflict where it does not run."""
    return _order(actor, "stop", None)


def _order(actor: Actor, order: str, name: str | None) -> list[str]:
    """Give an order and keep it in the audit, while the supervisor leaves us a moment before it begins."""
    by = f"{actor.name} ({actor.address})" if actor.address else actor.name
    try:
        answer = control.ask(settings.DATA_DIR, order, name=name, by=by)
    except control.NotRunning as error:
        raise Conflict(_("The supervisor of this portal does not answer; nothing was done.")) from error
    if "refused" in answer:
        raise Conflict(_refusal(answer))
    try:
        with turn():
            audit.record(actor, f"portal.{order}", name=name or "all processes")
    except DatabaseError as error:  # a portal whose database is away can still be restarted and stopped
        log.warning("%s by %s could not be kept in the audit: %s", order, by, error)
    return list(answer["ordered"])


def _refusal(answer: dict[str, Any]) -> str:
    sentences = {
        "unknown": _("There is no process named %(about)s."),
        "off": _("%(about)s is switched off."),
    }
    sentence = sentences.get(answer["refused"])
    if sentence is None:
        return _("Nothing was stopped, because the new start would fail: %(said)s") % {"said": answer.get("said", "")}
    return sentence % {"about": answer["about"]}
