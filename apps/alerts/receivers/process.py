"""The receiver: drains its sockets into memory, has one thread store what came, and answers only then."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from apps.alerts.models import Count
from apps.alerts.receivers.datagrams import Datagram, described, kernel_drops
from apps.alerts.receivers.event_port import EventPort
from apps.alerts.receivers.event_store import EventStore
from apps.alerts.receivers.gate import Gate
from apps.alerts.receivers.reading import AT_ONCE, Reader
from apps.alerts.receivers.refusals import Refusals
from apps.alerts.receivers.store import DatabaseAway, Store
from apps.alerts.receivers.users import Admitted
from apps.alerts.services.reception import note_alive
from apps.protocols.snmp.usm import Engine

log = logging.getLogger(__name__)

WAITING = 50_000  # datagrams in memory
WAITING_OCTETS = 64 * 1024 * 1024
DRAINED_AT_ONCE = 1000  # then the loop looks at everything else
GATHERED_FOR, LONGEST_GATHERED_FOR = 0.02, 0.15  # seconds: a burst shares one write turn
RESTED_FOR = 0.01  # seconds between two looks into a socket: to be woken costs more than to read one
ROOMY = 1024 * 1024  # octets of a receive buffer into which that fits well
HOUSEKEEPING = 5.0  # seconds
LONGEST_PAUSE = 2.0  # seconds between two attempts while the database is away
LAST_WORDS = 4.0  # seconds to store what is left after the signal to stop

Result = TypeVar("Result")


class Receiver:
    """One event loop that never touches the database, and one thread that does nothing else."""

    def __init__(
        self, sockets: list[socket.socket], store: Store, gate: Gate, events: Sequence[socket.socket] = ()
    ) -> None:
        self.sockets = sockets
        self.store = store
        self.gate = gate
        self._readers = {each: Reader(each) for each in sockets}
        self._roomy = {each for each in sockets if each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= ROOMY}
        self.waiting: deque[Datagram] = deque()
        self.octets = 0
        self.dropped = 0
        self.storing = True
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._give_up_at = 0.0
        self._took = 0.0  # seconds that the last batch took to be stored
        self._lost = kernel_drops(sockets)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self.events = EventPort(events, EventStore(store), self.in_database)

    async def run(self) -> bool:
        """Receive until SIGTERM or SIGINT; says whether everything that came was stored."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        for opened in self.sockets:
            self._listen(opened)
        where = ", ".join(described(opened) for opened in self.sockets)
        if self.sockets:
            log.info("receiving SNMP notifications on %s", where)
        self.events.start()
        house = asyncio.create_task(self._keep_house())
        try:
            admitted = await self._insist(self.store.admitted)
            if admitted is None:
                log.error("%d datagrams could not be stored before the end", len(self.waiting))
                return False
            self.gate.admit(admitted)
            while not self._stopping.is_set() or self.waiting:
                if not await self._store_some():
                    return False
        finally:
            await self.events.stop()
            house.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await house
        await self._insist(partial(self._count_and_keep_house, self.gate.take_refusals()))
        log.info("stopped receiving on %s", ", ".join([*map(described, self.sockets), *self.events.addresses]))
        return self.storing

    async def in_database(self, work: Callable[[], Result]) -> Result:
        """Do something in the database thread, once."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def stop(self) -> None:
        """Take what is in the sockets, read no more, store what there is."""
        if self._stopping.is_set():
            return
        loop = asyncio.get_running_loop()
        for opened in self.sockets:
            loop.remove_reader(opened.fileno())
            while self._drain(opened) and len(self.waiting) < WAITING:
                pass
        self._give_up_at = time.monotonic() + LAST_WORDS
        self._stopping.set()
        self._arrived.set()

    def _listen(self, opened: socket.socket) -> None:
        """Be called when something comes into a socket."""
        if not self._stopping.is_set():
            asyncio.get_running_loop().add_reader(opened.fileno(), self._look, opened)

    def _look(self, opened: socket.socket) -> None:
        """Read what is there, then leave the socket alone for a moment, so that what follows is read in one go."""
        more = self._drain(opened)
        if not more and opened in self._roomy:
            loop = asyncio.get_running_loop()
            loop.remove_reader(opened.fileno())
            loop.call_later(RESTED_FOR, self._listen, opened)

    def _drain(self, opened: socket.socket) -> bool:
        """Read what is there, up to a number; says whether there may be more."""
        more = True
        for _ in range(DRAINED_AT_ONCE // AT_ONCE):
            try:
                datagrams = self._readers[opened].read()
            except OSError as error:  # such as an ICMP error for an answer that was sent before
                log.debug("reading failed: %s", error)
                continue
            for datagram in datagrams:
                self._take(datagram)
            more = len(datagrams) == AT_ONCE
            if not more:
                break
        if self.waiting:
            self._arrived.set()
        return more

    def _take(self, datagram: Datagram) -> None:
        """Put a datagram into the waiting line, while there is room."""
        if not self.gate.lets_in(datagram):
            return
        if len(self.waiting) >= WAITING or self.octets + len(datagram.data) > WAITING_OCTETS:
            self.dropped += 1
            return
        self.waiting.append(datagram)
        self.octets += len(datagram.data)

    async def _store_some(self) -> bool:
        """Store the next batch and answer its informs; False when time ran out with the database away."""
        await self._arrived.wait()
        if len(self.waiting) < self.store.batch_size and not self._stopping.is_set():
            await asyncio.sleep(min(max(GATHERED_FOR, self._took), LONGEST_GATHERED_FOR))
        batch = [self.waiting.popleft() for _ in range(min(self.store.batch_size, len(self.waiting)))]
        octets = sum(len(datagram.data) for datagram in batch)
        batch = [datagram for datagram in batch if self.gate.lets_in(datagram)]
        if not self.waiting and not self._stopping.is_set():
            self._arrived.clear()
        started = time.monotonic()
        traps = await self._insist(lambda: self.store.prepare(batch))
        waiting = await self._insist(lambda: self.store.commit(traps)) if traps is not None else None
        if waiting is None:
            log.error("%d datagrams could not be stored before the end", len(batch) + len(self.waiting))
            return False
        for trap in waiting:
            trap.acknowledge()
        self._took = time.monotonic() - started
        self.octets -= octets
        return True

    async def _insist(self, work: Callable[[], Result]) -> Result | None:
        """Do it in the database thread, again and again while the database is away; None when time ran out."""
        pause = 0.1
        while True:
            try:
                result = await self._in_time(work)
            except DatabaseAway as error:
                if self.storing:
                    log.warning("the database is away, alerts wait in memory: %s", error)
                self.storing = False
            except TimeoutError:
                return None
            else:
                if not self.storing:
                    log.info("the database is back")
                self.storing = True
                return result
            if self._stopping.is_set() and time.monotonic() >= self._give_up_at:
                return None
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _in_time(self, work: Callable[[], Result]) -> Result:
        """Wait for the database thread; once we are to stop, only until the deadline."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        stopping = asyncio.ensure_future(self._stopping.wait())
        waited_for: set[asyncio.Future[Any]] = {future, stopping}
        try:
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                await asyncio.wait({future}, timeout=max(self._give_up_at - time.monotonic(), 0))
            if not future.done():
                raise TimeoutError
            return future.result()
        finally:
            stopping.cancel()

    async def _keep_house(self) -> None:
        while True:
            try:
                refusals = self.gate.take_refusals()
                work = partial(self._count_and_keep_house, refusals)
                self.gate.admit(await asyncio.get_running_loop().run_in_executor(self._thread, work))
            except DatabaseAway:
                self.storing = False
            except Exception:
                log.exception("the housekeeping failed")
            addresses = [described(opened) for opened in self.sockets]
            engine = self.gate.engine
            said = (addresses, len(self.waiting), self.storing, engine.engine_id.hex(), engine.boots)
            await asyncio.to_thread(note_alive, *said, self.events.addresses)
            await asyncio.sleep(HOUSEKEEPING)

    def _count_and_keep_house(self, refusals: Refusals) -> Admitted:
        self.store.count_refusals(refusals)
        lost, (dropped, self.dropped) = kernel_drops(self.sockets), (self.dropped, 0)
        self.store.count(Count.LOST, max(lost - self._lost, 0))
        self.store.count(Count.DROPPED, dropped)
        self._lost = lost
        self.store.keep_house()
        return self.store.admitted()


def serve(sockets: list[socket.socket], events: list[socket.socket], engine: Engine) -> None:
    """Receive traps and events on these sockets, by the name of our SNMP engine, until a signal ends it."""
    if not asyncio.run(_serve(sockets, events, engine)):
        # The database thread may still wait for a lock; a write is whole or not at all, so it may be left.
        logging.shutdown()
        os._exit(1)


async def _serve(sockets: list[socket.socket], events: list[socket.socket], engine: Engine) -> bool:
    return await Receiver(sockets, Store(), Gate(engine), events).run()
