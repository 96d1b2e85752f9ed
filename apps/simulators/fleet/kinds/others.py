"""What else stands in a fleet: a tape library that only sends traps, and devices that are replayed from dumps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apps.protocols.snmp.ber import Tag
from apps.simulators.fleet.faults import Edge, FaultKind
from apps.simulators.fleet.kinds.base import Device, Trap, vendor_trap
from apps.simulators.fleet.plan import BadPlan
from apps.simulators.snmp_answers import View
from apps.simulators.snmp_replay import Recording

_recordings: dict[str, Recording] = {}


class TapeLibrary(Device):
    """An iStorage T library: it shows only its system group, and says when a drive wants to be cleaned."""

    kind = "tape-library"
    object_id = "1.3.6.1.4.1.119.1.83.1.31"
    description = "iStorage T30A tape library"
    usual_boots = 300.0

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Tell of a drive that wants cleaning (``configured``), and that it is too warm."""
        if edge.fault.kind is FaultKind.CONFIGURED:
            text = (f"{self.object_id}.1.1", Tag.OCTET_STRING, b"Drive 1: cleaning is required")
            return [vendor_trap(self.object_id, 12, [text])]
        if edge.fault.kind is FaultKind.HOT:
            text = (
                f"{self.object_id}.1.1",
                Tag.OCTET_STRING,
                b"Temperature alert" if edge.begins else b"Temperature ok",
            )
            return [vendor_trap(self.object_id, 21 if edge.begins else 22, [text])]
        return super().traps(edge, moment)


class Replay(Device):
    """A device whose values were recorded; they never change."""

    kind = "replay"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        path = self.spec.dump
        try:
            if path not in _recordings:
                _recordings[path] = Recording.load(Path(path))
        except (OSError, ValueError) as error:
            raise BadPlan(f"{self.name}: {path} is no dump: {error}") from error
        self.recording = _recordings[path]

    def view(self, at: float) -> View:
        """Show the recording."""
        return self.recording
