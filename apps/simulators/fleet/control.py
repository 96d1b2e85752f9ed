"""Orders to a running fleet over a Unix socket: one JSON object a line, one JSON object back.

{"do": "fault", "device": "web-01", "kind": "dead", "seconds": 60}      {"do": "mend", "device": "web-01"}
{"do": "list"}   {"do": "clock", "at": 1790000000.0}   {"do": "clock", "at": null}
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from apps.simulators.fleet.agents import Agents, SentTrap
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.places import address_of
from apps.simulators.fleet.plan import BadPlan

LONGEST = 64 * 1024 * 1024  # octets of an answer: traps of days
ANSWER_WITHIN = 60.0  # seconds

Order = Mapping[str, Any]


class Refused(Exception):
    """The fleet did not do what it was told; the message says why."""


class Control:
    """The side of the fleet."""

    def __init__(self, agents: Agents) -> None:
        self.agents = agents
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    async def listen(self, path: Path) -> None:
        """Take orders from now on; a socket that an earlier fleet left behind is replaced."""
        self._server = await asyncio.start_unix_server(self._serve, sock=_bound(path))
        self._path = path

    def close(self) -> None:
        """Take no more orders."""
        if self._server is not None and self._path is not None:
            self._server.close()
            with suppress(FileNotFoundError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._obey(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # who ordered has gone, or sent a line without an end
            return
        finally:
            writer.close()

    def _obey(self, line: bytes) -> Order:
        try:
            order = json.loads(line)
            return _ORDERS[order["do"]](self.agents, order)
        except BadPlan as error:
            return {"error": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return {"error": f"not understood: {error!r}"}


def _bound(path: Path) -> socket.socket:
    """Open the socket for its owner alone."""
    with suppress(FileNotFoundError):
        path.unlink()
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o077)
    try:
        opened.bind(str(path))
    finally:
        os.umask(before)
    return opened


def _list(agents: Agents, order: Order) -> Order:
    now = agents.clock.now()
    return {
        "devices": [
            {
                "name": device.name,
                "kind": device.kind,
                "address": str(device.address),
                "controller": device.spec.controller,
                "controller_address": address_of(device.spec.address) if device.spec.controller else "",
                "faults": [
                    {"kind": fault.kind, "part": fault.part}
                    for fault in device.faults.all
                    if fault.begun(now) is not None
                ],
            }
            for device in agents.fleet
        ],
        "port": agents.port,
        "requests": agents.requests,
        "answers": agents.answers,
    }


def _fault(agents: Agents, order: Order) -> Order:
    fault = agents.fleet.fault(
        order["device"],
        FaultKind(order["kind"]),
        agents.clock.now(),
        seconds=order.get("seconds"),
        part=int(order.get("part") or 0),
        strength=order.get("strength"),
    )
    return {"kind": fault.kind, "part": fault.part, "since": fault.since, "until": fault.until}


def _mend(agents: Agents, order: Order) -> Order:
    kind = FaultKind(order["kind"]) if order.get("kind") else None
    return {"ended": agents.fleet.mend(order["device"], agents.clock.now(), kind)}


def _clock(agents: Agents, order: Order) -> Order:
    at = order["at"]
    sent = agents.set_clock(None if at is None else float(at), patient=bool(order.get("patient", True)))
    return {"traps": [(when, address, data.hex()) for when, address, data in sent]}


_ORDERS: dict[str, Callable[[Agents, Order], Order]] = {
    "list": _list,
    "fault": _fault,
    "mend": _mend,
    "clock": _clock,
}


class Remote:
    """The side of who gives orders, in another process; each order waits for its answer."""

    def __init__(self, path: Path) -> None:
        """Connect; raises ``OSError`` when no fleet listens there."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_WITHIN)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._answers = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def order(self, do: str, **order: Any) -> dict[str, Any]:
        """Give an order and wait for the answer; raises ``Refused``, or ``OSError`` when the fleet has gone."""
        self._socket.sendall(json.dumps({"do": do, **order}).encode() + b"\n")
        line = self._answers.readline(LONGEST)
        if not line:
            raise ConnectionError("the fleet has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def devices(self) -> list[dict[str, Any]]:
        """Give all devices with what is wrong with them now."""
        found: list[dict[str, Any]] = self.order("list")["devices"]
        return found

    def fault(self, device: str, kind: str, **how: Any) -> dict[str, Any]:
        """Let something be wrong: ``seconds``, ``part`` and ``strength`` say how."""
        return self.order("fault", device=device, kind=kind, **how)

    def mend(self, device: str, kind: str | None = None) -> int:
        """End what is wrong; gives how much that was."""
        return int(self.order("mend", device=device, kind=kind)["ended"])

    def set_clock(self, at: float | None, *, patient: bool = True) -> list[SentTrap]:
        """Set the fleet's clock, None to let it run; gives the traps that would have been sent on the way."""
        traps = self.order("clock", at=at, patient=patient)["traps"]
        return [(when, address, bytes.fromhex(data)) for when, address, data in traps]


def answers(path: Path) -> bool:
    """Say whether a fleet takes orders there."""
    try:
        Remote(path).close()
    except OSError:
        return False
    return True
