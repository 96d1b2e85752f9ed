"""The system event log of a simulated machine (IPMI 2.0 §31, §32)."""

import struct
from collections.abc import Callable

ROOM = 512  # entries
_SYSTEM_EVENT, _FORMAT = 0x02, 0x04
_LAST = 0xFFFF
_NEVER = 0xFFFFFFFF


class EventLog:
    """Entries of 16 bytes each, by their numbers; when there is no more room, what follows is lost."""

    def __init__(self, clock: Callable[[], float], room: int = ROOM) -> None:
        self.entries: dict[int, bytes] = {}
        self.room = room
        self.added_at = self.erased_at = _NEVER
        self.overflowed = False
        self.reservation = 0
        self.ahead = 0  # seconds that its clock is ahead of the machine's
        self.utc_offset = 0  # minutes, as somebody set it
        self._clock = clock
        self._last = 0

    def now(self) -> int:
        """Give the time of the log's clock."""
        return int(self._clock()) + self.ahead

    def set_time(self, seconds: int) -> None:
        """Set the log's clock."""
        self.ahead = seconds - int(self._clock())

    @property
    def free(self) -> int:
        """Give the bytes that are left."""
        return (self.room - len(self.entries)) * 16

    def add_event(self, kind: int, sensor: int, direction_and_type: int, data: tuple[int, int, int]) -> bytes | None:
        """Note an event of the controller's own sensors; gives the entry, None when the log is full."""
        body = struct.pack("<BIHBBBB", _SYSTEM_EVENT, self.now(), 0x20, _FORMAT, kind, sensor, direction_and_type)
        return self.add(body + bytes(data))

    def add(self, body: bytes) -> bytes | None:
        """Add the 14 bytes behind the number of an entry."""
        if len(self.entries) >= self.room:
            self.overflowed = True
            return None
        self._last = self._last % 0xFFFE + 1
        entry = struct.pack("<H", self._last) + body
        self.entries[self._last] = entry
        self.added_at = self.now()
        return entry

    def get(self, number: int) -> tuple[int, bytes] | None:
        """Give the number of the next entry, and this one; 0 is the first, 0xFFFF the last."""
        if not self.entries:
            return None
        own = next(iter(self.entries)) if number == 0 else next(reversed(self.entries)) if number == _LAST else number
        entry = self.entries.get(own)
        if entry is None:
            return None
        following = own
        while following != self._last:
            following = following % 0xFFFE + 1
            if following in self.entries:
                return following, entry
        return _LAST, entry

    def remove(self, number: int) -> bool:
        """Take one entry away; whether there was one."""
        self.reservation = 0
        self.erased_at = self.now()
        return self.entries.pop(number, None) is not None

    def clear(self) -> None:
        """Take all away."""
        self.entries.clear()
        self.overflowed = False
        self.reservation = 0
        self.erased_at = self.now()

    def reserve(self) -> int:
        """Give a reservation; the one before is no longer good."""
        self.reservation = self.reservation % 0xFFFF + 1
        return self.reservation
