"""Gives one order to one device, once, and looks until it is seen to be done. No database in here.

An order is never repeated. When the device fell silent after it may have received it, we only look further: what is
seen is done, what is not seen is unknown.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain, repeat
from types import TracebackType
from typing import Any, Self

from django.utils.translation import gettext_noop

from apps.components import contact
from apps.components.contact import Line
from apps.control.orders import Order, Seen, Untold
from apps.core.models import StepCode
from apps.core.phrases import Phrase
from apps.drivers.contract import Driver
from apps.protocols.errors import AuthenticationFailed, ContactError, Unreachable, Unsupported

PAUSES: tuple[float, ...] = (1, 2, 3, 5, 5, 5, 10, 10, 10, 10)  # seconds between looks, then the last
LAST_PAUSE = 15.0

NOT_SEEN = gettext_noop("The order was taken, but it was not seen to be done within %(seconds)s s.")
NOT_SEEN_AS = gettext_noop(
    "The order was taken, but it was not seen to be done within %(seconds)s s. The last look failed: %(error)s"
)
NO_WITNESS = Phrase(gettext_noop("It was sent; there is no way to see whether it was done."))
GIVEN_UP = Phrase(gettext_noop("The order was taken. The job was cancelled before it was seen to be done."))
NO_ANSWER = gettext_noop("Nobody knows whether the order was taken: %(error)s")
NOBODY = gettext_noop("There is no way of managing by which this could be ordered.")
OUR_MISTAKE = Phrase(gettext_noop("The portal made a mistake; its log tells more."))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spoken:
    """How an order went: no code means that it was seen to be done."""

    code: StepCode
    message: Phrase
    error: ContactError | None = None  # that the device, or the way to it, did to us last
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what the driver asks to have kept
    asked: bool = True  # False: no device was spoken to


def pauses() -> Iterator[float]:
    """Give the seconds between one look and the next."""
    return chain(PAUSES, repeat(LAST_PAUSE))


async def carry_out(order: Order, line: Line | None, limit: timedelta, given_up: asyncio.Event) -> Spoken:
    """Give an order and look for at most ``limit``; without a line there is nobody to look at."""
    taken = _Taken(line)
    try:
        done = await _give(order, taken)
    except ContactError as error:
        if not (order.sent and _may_have_taken(error)):
            return Spoken(StepCode(error.code), contact.words(error), error, taken.state, asked=line is not None)
        taken.trouble = error
        done = None
        silent: ContactError | None = None if order.is_taken else error
    else:
        silent = None
    if done is None and taken.line is not None:
        order.left = taken.state  # whoever only reads disturbs nothing any more
        done = await _look(order, taken, limit, given_up)
    if isinstance(done, Untold) and silent is None:
        return Spoken(StepCode.NOT_CONFIRMED, done.words, state=taken.state)
    if isinstance(done, Phrase):
        return Spoken(StepCode.NONE, done, state=taken.state)
    return _unseen(order, taken, silent, limit, given_up.is_set())


def _may_have_taken(error: ContactError) -> bool:
    """Say whether the device may have taken an order over which this happened: it did not refuse it by its own word."""
    return isinstance(error, Unreachable) or error.message == contact.UNEXPECTED


class _Taken:
    """What is known of a device between two contacts."""

    def __init__(self, line: Line | None) -> None:
        self.line = line
        self.state: Mapping[str, Any] = line.target.state if line is not None else {}
        self.trouble: ContactError | None = None

    def open(self, order: Order) -> AbstractAsyncContextManager[Driver]:
        """Begin the next contact, which finds what the last one left."""
        if self.line is None:
            raise Unsupported(NOBODY)
        target = order.reach(replace(self.line.target, state=self.state))
        return contact.open(replace(self.line, target=target), deadline=order.deadline)


async def _give(order: Order, taken: _Taken) -> Seen:
    """Give the order, and look at once: much is done while the controller still answers."""
    if not order.needs_device:
        return await order.give(None)
    async with taken.open(order) as device:
        try:
            done: Seen = await order.give(device)
            if done is None:
                done = await _first_look(order, device, taken)
        finally:
            taken.state = dict(device.state)
    return done


async def _first_look(order: Order, device: Driver, taken: _Taken) -> Seen:
    """Look in the same conversation; what goes wrong now says nothing of the order, which was taken."""
    try:
        return await order.look(device)
    except ContactError as error:
        taken.trouble = error
        return None


async def _look(order: Order, taken: _Taken, limit: timedelta, given_up: asyncio.Event) -> Seen:
    """Look again and again until it is seen, the time is over or nobody waits any more."""
    clock = asyncio.get_running_loop().time
    until = clock() + limit.total_seconds()
    for pause in pauses():
        if await _wait(given_up, pause):
            return None
        done: Seen = None
        try:
            async with taken.open(order) as device:
                done = await order.look(device)
                taken.state = dict(device.state)
                taken.trouble = None
        except AuthenticationFailed as error:
            taken.trouble = error  # asking again would lock the account
            return None
        except ContactError as error:
            taken.trouble = error
        if done is not None or clock() >= until:
            return done
    return None


async def _wait(given_up: asyncio.Event, seconds: float) -> bool:
    """Wait, or end early when the job is cancelled; says which."""
    try:
        async with asyncio.timeout(seconds):
            await given_up.wait()
    except TimeoutError:
        return False
    return True


def _unseen(order: Order, taken: _Taken, silent: ContactError | None, limit: timedelta, given_up: bool) -> Spoken:
    error = taken.trouble
    seconds = f"{limit.total_seconds():g}"
    if taken.line is None:
        return Spoken(StepCode.NOT_CONFIRMED, NO_WITNESS, asked=False)
    if silent is not None:
        told = Phrase(NO_ANSWER, {"error": contact.words(silent)})
        return Spoken(StepCode.OUTCOME_UNKNOWN, told, error, taken.state)
    if given_up:
        return Spoken(StepCode.NOT_CONFIRMED, GIVEN_UP, error, taken.state)
    if error is not None:
        told = Phrase(NOT_SEEN_AS, {"seconds": seconds, "error": contact.words(error)})
        return Spoken(StepCode.NOT_CONFIRMED, told, error, taken.state)
    told = order.unseen() or Phrase(NOT_SEEN, {"seconds": seconds})
    return Spoken(StepCode.NOT_CONFIRMED, told, None, taken.state)


class Talks(AbstractContextManager["Talks"]):
    """An event loop in a thread of its own, in which orders are carried out; answers come back through a queue."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._told: queue.SimpleQueue[tuple[int, Spoken]] = queue.SimpleQueue()
        self._given_up = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def begin(self, key: int, order: Order, line: Line | None, limit: timedelta) -> None:
        """Begin with one order; its answer will carry the key."""
        self._loop.call_soon_threadsafe(self._begin, key, order, line, limit)

    def next(self, timeout: float) -> tuple[int, Spoken] | None:
        """Give the next answer; None when there was none in time."""
        try:
            return self._told.get(timeout=timeout)
        except queue.Empty:
            if not self._thread.is_alive():
                raise RuntimeError("the thread that speaks to devices has ended") from None
            return None

    def give_up(self) -> None:
        """Look no further for what was ordered."""
        self._loop.call_soon_threadsafe(self._given_up.set)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self._loop.close()

    def _begin(self, key: int, order: Order, line: Line | None, limit: timedelta) -> None:
        task = self._loop.create_task(self._tell(key, order, line, limit))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, key: int, order: Order, line: Line | None, limit: timedelta) -> None:
        try:
            spoken = await carry_out(order, line, limit, self._given_up)
        except Exception:
            log.exception("an order could not be carried out")
            spoken = Spoken(StepCode.OUTCOME_UNKNOWN if order.sent else StepCode.DEVICE_ERROR, OUR_MISTAKE, asked=False)
        self._told.put((key, spoken))
