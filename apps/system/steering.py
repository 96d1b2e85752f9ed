"""Answers what the supervisor is asked and does what it is told: state, new starts, ports, switches."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from apps.system import chosen, ports
from apps.system.instance import Restart
from apps.system.processes import Port
from apps.system.sockets import Sockets
from apps.system.supervisor import Child, State, Supervisor
from apps.system.usage import Meter, Usage

Message = Mapping[str, Any]


class Steering:
    """Between the socket on which others ask, the supervisor, and the listening sockets."""

    supervisor: Supervisor

    def __init__(self, folder: Path, sockets: Sockets, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._sockets = sockets
        self._say = say
        self._meter = Meter()
        self._since = time.time()
        self._complained: dict[str, str] = {}
        self._moved: dict[str, tuple[int, tuple[int, ...]]] = {}
        self._orders: dict[str, Callable[[Message], dict[str, Any]]] = {
            "status": self._status,
            "restart": self._restart,
            "stop": self._stop,
            "probe": self._probe,
        }

    def take_over(self, supervisor: Supervisor, history: Mapping[str, Any]) -> None:
        """Steer this supervisor; its processes go on with what was counted before a new start."""
        self.supervisor = supervisor
        off = self._off()
        for child in supervisor.children:
            before = history.get(child.spec.name)
            if before:
                child.restarts, child.last_restart = before["restarts"], Restart(**before["last_restart"])
            child.wanted = not self._is_off(child, off)

    def history(self) -> dict[str, Any]:
        """Give what is to be known after everything was started anew."""
        return {
            child.spec.name: {
                "restarts": child.restarts + 1,
                "last_restart": asdict(child.reason or child.last_restart or Restart(time.time(), "ordered", "")),
            }
            for child in self.supervisor.children
            if not child.spec.once and child.wanted
        }

    def answer(self, asked: Message) -> Message:
        """Answer one question; one that makes no sense gets a refusal."""
        order = self._orders.get(str(asked.get("order")))
        if order is None:
            return {"refused": "unknown", "about": ""}
        try:
            return order(asked)
        except Exception as error:  # whatever it is: it must not end who looks after everything
            self._say(f"The order {asked['order']!r} failed: {type(error).__name__}: {error}")
            return {"refused": "unknown", "about": ""}

    # --- what is told -------------------------------------------------------------------------------------------
    def _status(self, asked: Message) -> dict[str, Any]:
        running = {child.spec.name: child.pid for child in self._known() if child.pid}
        usage = self._meter.measure(running)
        return {
            "pid": os.getpid(),
            "since": self._since,
            "ports": self._sockets.numbers,
            "open": sorted(self._sockets.opened),
            "processes": [
                asdict(child.published()) | asdict(usage.get(child.spec.name, Usage(None, None, 0)))
                for child in self._known()
            ],
        }

    def _known(self) -> list[Child]:
        return [child for child in self.supervisor.children if not child.spec.once]

    # --- what is done -------------------------------------------------------------------------------------------
    def _restart(self, asked: Message) -> dict[str, Any]:
        name, by = asked.get("name"), str(asked.get("by", ""))
        if name is None:
            return self._restart_all(by)
        child = self.supervisor.find(str(name))
        if child is None:
            return {"refused": "unknown", "about": str(name)}
        if child.state is State.OFF or not child.wanted:
            return {"refused": "off", "about": str(name)}
        self.supervisor.restart(child, by)
        return {"ordered": [child.spec.name]}

    def _restart_all(self, by: str) -> dict[str, Any]:
        """Have everything stop in reverse order and start anew; only when the ports that are to be used can be had."""
        try:
            self._moved = self._moved or self._sockets.moved(self.wanted_ports())
        except ports.PortTaken as taken:
            return {"refused": taken.why, "about": taken.about, "said": str(taken)}
        self._say(f"Restarting everything ({by}) …")
        self.supervisor.stop(again=True, by=by)
        return {"ordered": [child.spec.name for child in self._known()]}

    def _stop(self, asked: Message) -> dict[str, Any]:
        self._say(f"Told to stop ({asked.get('by', '')})")
        self.supervisor.stop(again=False)
        return {"ordered": [child.spec.name for child in self._known()]}

    def _probe(self, asked: Message) -> dict[str, Any]:
        """Say whether a port of ours could be opened under another number, by opening it."""
        port, number = self._port(str(asked.get("variable"))), asked.get("number")
        if port is None or type(number) is not int or not 0 < number <= 65535:
            return {"refused": "unknown", "about": ""}
        if any(
            self._sockets.numbers.get(other.variable) == number and other.protocol == port.protocol
            for child in self.supervisor.children
            for other in child.spec.ports
        ):
            return {}  # ours already; which of ours is to have it is for the options to say
        return dict(ports.probe(port, number, port.binds or self._sockets.binds))

    def _port(self, variable: str) -> Port | None:
        specs = (child.spec for child in self.supervisor.children)
        return next((port for spec in specs for port in spec.ports if port.variable == variable), None)

    # --- ports and switches, each second --------------------------------------------------------------------------
    def follow(self) -> None:
        """Count processor time; close what was switched off meanwhile, open what was switched on."""
        self._meter.count({child.spec.name: child.pid for child in self._known() if child.pid})
        off = self._off()
        for child in self._known():
            for port in child.spec.ports:
                if port.switch and (port.variable in off) == (port.variable in self._sockets.opened):
                    self._switch(child, port, port.variable not in off, off)

    def _switch(self, child: Child, port: Port, on: bool, off: frozenset[str]) -> None:
        if not on:
            self._sockets.close(port.variable)
            self._say(f"Port {port.number}/{port.protocol} ({port.label}) is switched off")
        else:
            try:
                self._sockets.open(port.variable)
            except ports.PortTaken as taken:
                self._complain(port, str(taken))
                return
            self._say(f"Port {self._sockets.numbers[port.variable]}/{port.protocol} ({port.label}) is switched on")
        handed_down = self._sockets.descriptors().get(child.spec.name, {})
        self.supervisor.hand_down(child, {port.descriptors: handed_down.get(port.descriptors, ())})
        self._complained.pop(port.variable, None)
        if self._is_off(child, off):
            self.supervisor.switch(child, False)
        elif not child.wanted:
            self.supervisor.switch(child, True)
        else:
            self.supervisor.restart(child, f"option {port.switch}")  # it goes on with the sockets that are left

    def _complain(self, port: Port, sentence: str) -> None:
        """Say once why a port that was switched on cannot be opened; it is tried again each second."""
        if self._complained.get(port.variable) != sentence:
            self._complained[port.variable] = sentence
            self._say(sentence)

    def _off(self) -> frozenset[str]:
        return chosen.read(self._folder).off

    @staticmethod
    def _is_off(child: Child, off: frozenset[str]) -> bool:
        """Say whether nothing is left to do for a process: all its ports are switched off."""
        listed = child.spec.ports
        return bool(listed) and all(port.switch and port.variable in off for port in listed)

    def wanted_ports(self) -> dict[str, int]:
        """Give the numbers that options ask for; the environment decides where it speaks of a port."""
        asked = chosen.read(self._folder).ports
        return {variable: number for variable, number in asked.items() if not os.environ.get(variable)}

    def move_ports(self) -> None:
        """Leave the ports that were to be others, once everything has stopped."""
        self._sockets.move(self._moved, self.wanted_ports())
