"""One conversation per controller and process at a time: controllers have few sessions, some only one or two."""

import asyncio
import os
import threading
from collections import deque
from concurrent.futures import Future

Place = tuple[str, int]

_lock = threading.Lock()
_waiting: dict[Place, deque["Turn"]] = {}
os.register_at_fork(after_in_child=_waiting.clear)


class Turn:
    """A place in the queue before one controller, over all event loops and threads; the first has its turn."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._come: Future[None] = Future()

    async def take(self) -> None:
        """Wait for the turn; whoever is cancelled meanwhile leaves the queue."""
        with _lock:
            queue = _waiting.setdefault(self._place, deque())
            queue.append(self)
            first = queue[0] is self
        if first:
            self._come.set_result(None)
        try:
            await asyncio.wrap_future(self._come)
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Leave the queue, and let the next one have its turn."""
        with _lock:
            queue = _waiting.get(self._place)
            if queue is None or self not in queue:
                return
            queue.remove(self)
            following = queue[0] if queue else None
            if following is None:
                del _waiting[self._place]
        if following is not None and not following._come.done():
            following._come.set_result(None)
