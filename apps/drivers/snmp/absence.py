"""What an agent does not have: remembered for a day, or until the agent restarts, so that polls need not ask for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

LIFETIME = 86400.0  # seconds
SETTLED = 600.0  # seconds; subagents bring their tables within the first minutes of an agent


@dataclass(frozen=True, slots=True)
class Absence:
    """What was not there when all was asked for."""

    found_at: float  # seconds since 1970
    uptime: float  # seconds that the agent was up then
    oids: frozenset[str]

    @classmethod
    def found(cls, oids: Iterable[str], now: float, uptime: float | None) -> Self | None:
        """Remember what an agent lacks; None while it has not settled."""
        return cls(now, uptime, frozenset(oids)) if uptime is not None and uptime >= SETTLED else None

    def holds(self, now: float, uptime: float | None) -> bool:
        """Say whether it is to be believed still: not after a day, nor after a restart."""
        return 0 <= now - self.found_at < LIFETIME and uptime is not None and uptime >= self.uptime

    def without(self, wanted: Sequence[str]) -> list[str]:
        """Leave out what the agent does not have."""
        return [oid for oid in wanted if oid not in self.oids]

    def to_state(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"at": self.found_at, "uptime": self.uptime, "oids": sorted(self.oids)}

    @classmethod
    def from_state(cls, state: Any) -> Self | None:
        """Read the JSON form; None when it is not one, which only costs the longer questions."""
        if not isinstance(state, Mapping):
            return None
        match state.get("at"), state.get("uptime"), state.get("oids"):
            case (int() | float()) as at, (int() | float()) as uptime, list() as oids:
                return cls(float(at), float(uptime), frozenset(oid for oid in oids if isinstance(oid, str)))
        return None
