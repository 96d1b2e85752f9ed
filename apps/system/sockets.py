"""The listening sockets of one start: opened before anything runs, switched on and off, handed to the next start."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from apps.system import ports
from apps.system.processes import Port, ProcessSpec

Descriptors = dict[str, dict[str, tuple[int, ...]]]


class Sockets:
    """Port numbers and descriptors by the name of the port's variable."""

    def __init__(self, specs: Iterable[ProcessSpec], binds: list[str]) -> None:
        self.binds = binds
        self._ports = {port.variable: (spec.name, port) for spec in specs for port in spec.ports}
        self.numbers: dict[str, int] = {}
        self.opened: dict[str, tuple[int, ...]] = {}

    def open_all(self, off: Iterable[str]) -> list[str]:
        """Open every port that is not switched off and not open; give what stands in the way, a sentence each."""
        conflicts = []
        for variable, (name, port) in self._ports.items():
            if variable not in self.opened and not (port.switch and variable in off):
                try:
                    self.open(variable)
                except ports.PortTaken as error:
                    conflicts.append(f"{name}: {error}")
        return conflicts

    def open(self, variable: str, number: int | None = None) -> None:
        """Open one port, by its number or another. Raises PortTaken."""
        _name, port = self._ports[variable]
        wanted = number if number is not None else self.numbers.get(variable, port.number)
        self.numbers[variable], self.opened[variable] = ports.open_port(_numbered(port, wanted), self.binds)

    def close(self, variable: str) -> None:
        """Close one port; its number is kept for when it is opened again."""
        ports.close(self.opened.pop(variable, ()))

    def descriptors(self) -> Descriptors:
        """Give what is handed down: process → environment variable → descriptors, none where a port is switched off."""
        found: Descriptors = {}
        for variable, (name, port) in self._ports.items():
            own = found.setdefault(name, {})
            own[port.descriptors] = own.get(port.descriptors, ()) + self.opened.get(variable, ())
        return found

    def port_was_chosen(self) -> bool:
        """Say whether the system chose a number."""
        return any(self._ports[variable][1].number != number for variable, number in self.numbers.items())

    def moved(self, wanted: Mapping[str, int]) -> dict[str, tuple[int, tuple[int, ...]]]:
        """Open the ports whose number is to be another one, beside the present ones. Raises PortTaken; then none is."""
        found: dict[str, tuple[int, tuple[int, ...]]] = {}
        try:
            for variable, number in wanted.items():
                if variable in self.opened and self.numbers[variable] != number:
                    port = _numbered(self._ports[variable][1], number)
                    if number in self.numbers.values() and self._is_freed(port, wanted):
                        continue  # another port of ours moves away from it: it is free once all have stopped
                    found[variable] = ports.open_port(port, self.binds)
        except ports.PortTaken:
            for _number, opened in found.values():
                ports.close(opened)
            raise
        return found

    def _is_freed(self, port: Port, wanted: Mapping[str, int]) -> bool:
        return any(
            self.numbers[variable] == port.number
            and other.protocol == port.protocol
            and wanted.get(variable, port.number) != port.number
            for variable, (_name, other) in self._ports.items()
            if variable in self.opened
        )

    def move(self, moved: Mapping[str, tuple[int, tuple[int, ...]]], wanted: Mapping[str, int]) -> None:
        """Put the newly opened ports into the place of the old ones, which are closed."""
        for variable, number in wanted.items():
            if variable in self._ports and self.numbers.get(variable, number) != number:
                self.close(variable)
                self.numbers.pop(variable)
        for variable, (number, opened) in moved.items():
            self.numbers[variable], self.opened[variable] = number, opened

    # --- across a new start of the same process ------------------------------------------------------------------
    def hand_over(self) -> dict[str, Any]:
        """Let the sockets live through ``exec``; give what ``take_over`` needs."""
        for opened in self.opened.values():
            for descriptor in opened:
                os.set_inheritable(descriptor, True)
        return {"numbers": self.numbers, "opened": self.opened}

    def take_over(self, state: Mapping[str, Any]) -> None:
        """Take the sockets of the start before; what this one does not know, or has elsewhere, is closed."""
        for variable, opened in state["opened"].items():
            number = state["numbers"][variable]
            if variable in self._ports and self._ports[variable][1].number in {0, number}:
                self.numbers[variable], self.opened[variable] = number, tuple(opened)
                for descriptor in opened:
                    os.set_inheritable(descriptor, False)
            else:
                ports.close(opened)


def _numbered(port: Port, number: int) -> Port:
    return replace(port, number=number)
