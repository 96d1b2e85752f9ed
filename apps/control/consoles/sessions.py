"""One console: the line to the machine, who types, who looks on, and what ends it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components import contact
from apps.components.contact import Line
from apps.control.consoles.transcripts import Transcript
from apps.control.consoles.viewers import Viewer
from apps.control.models import ConsoleEnd, ConsoleSession
from apps.control.services import consoles
from apps.control.services.consoles import Counts, Person, Rules
from apps.core.phrases import Phrase
from apps.core.stream import let_go
from apps.drivers.contract import Console, SerialLine
from apps.protocols.errors import AuthenticationFailed, ContactError, InUse, Unreachable, Unsupported

OPENING = 30.0  # seconds
LINGER = 20.0  # seconds after the last one has left: somebody who loads the page anew finds what he left
TICK = 1.0  # seconds between looks at the clock
HELD_EVERY = 20.0  # seconds between renewals of the reservation
TOLD_EVERY = 10.0  # seconds between counts
REMEMBERED = 64 * 1024  # bytes that somebody finds who comes later

NO_CONSOLE = gettext_noop("%(address)s has no console that the portal can open")
IN_USE_HERE = Phrase(gettext_noop("The console of this component is open already."))

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


async def in_thread(work: Callable[P, T], *words: P.args, **named: P.kwargs) -> T:
    """Ask the database outside of the loop; the thread keeps no connection."""

    def ask() -> T:
        try:
            return work(*words, **named)
        finally:
            let_go()

    return await asyncio.to_thread(ask)


class Session:
    """One console and those who look at it; lives as long as ``run``."""

    def __init__(self, interface_id: int, rules: Rules) -> None:
        self.interface_id = interface_id
        self.rules = rules
        self.row: ConsoleSession | None = None
        self.holder: Viewer | None = None
        self.viewers: list[Viewer] = []
        self._line: SerialLine | None = None
        self._phase = "opening"
        self._how: ConsoleEnd | None = None
        self._reason: Phrase | None = None
        self._by: Person | None = None
        self._in_use = False
        self._ending = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._typed_at = self._clock()
        self._empty_since: float | None = None
        self._held_at = self._told_at = self._clock()
        self._shown = bytearray()
        self._transcript: Transcript | None = None
        self._received = self._sent = 0

    # --- who is here -------------------------------------------------------------------------------------------

    def join(self, viewer: Viewer) -> None:
        """Let somebody look; the first one has the keyboard."""
        self.viewers.append(viewer)
        self._empty_since = None
        if self.holder is None and self._phase != "ended":
            self._give(viewer)
        if self._shown:
            viewer.show(bytes(self._shown))
        self.tell()

    def leave(self, viewer: Viewer) -> None:
        """Let somebody go; the keyboard is free when it was his."""
        if viewer not in self.viewers:
            return
        self.viewers.remove(viewer)
        if self.holder is viewer:
            self.holder = None
        if not self.viewers:
            self._empty_since = self._clock()
        self.tell()

    def bar(self, viewer: Viewer) -> None:
        """Put somebody out who may not be here any more; nobody waits for him, should he have been the last one."""
        self.leave(viewer)
        if not self.viewers:
            self.close(ConsoleEnd.BARRED)

    def _give(self, viewer: Viewer) -> None:
        self.holder = viewer
        self._typed_at = self._clock()

    async def take(self, viewer: Viewer) -> None:
        """Give the keyboard to somebody: if it is free or his own already, or if he may take over."""
        former = self.holder
        if former is viewer or self._phase == "ended":
            return
        own = former is None or former.person.user_id == viewer.person.user_id
        if not (own or viewer.person.may_take_over):
            viewer.tell({"is": "refused"})
            return
        self._give(viewer)
        if former is not None:
            former.tell({"is": "taken", "by": viewer.person.name})
        self.tell()
        if self.row is not None:
            name = "" if own else former.person.name if former else ""
            await self._kept(consoles.hand_over, self.row, viewer.person, name)

    def tell(self) -> None:
        """Tell everybody how it is."""
        for viewer in self.viewers:
            viewer.tell(self._state(viewer))

    def _state(self, viewer: Viewer) -> dict[str, Any]:
        holder, line, row = self.holder, self._line, self.row
        idle_in = self.rules.idle.total_seconds() - (self._clock() - self._typed_at)
        return {
            "is": "state",
            "phase": self._phase,
            "session": row.pk if row is not None else None,
            "opened": row.opened_at.isoformat() if row is not None else None,
            "you": viewer.id,
            "holder": holder.person.name if holder is not None else "",
            "holds": holder is viewer,
            "takes": holder is None or viewer.person.may_take_over or holder.person.user_id == viewer.person.user_id,
            "closes": holder is viewer or viewer.person.may_take_over,
            "viewers": [one.facts(holder) for one in self.viewers],
            "method": line.method if line is not None else "",
            "speed": line.speed if line is not None else None,
            "available": line.available if line is not None else True,
            "received": self._received,
            "sent": self._sent,
            "transcript": self._transcript.size if self._transcript is not None else None,
            "full": self._transcript.is_full if self._transcript is not None else False,
            "idle_in": max(0, round(idle_in)),
            "end": self._how.value if self._how is not None else "",
            "phrase": self._reason.dumps() if self._reason is not None else "",
            "in_use": self._in_use,
            "forces": viewer.person.may_force,
        }

    # --- what is said ------------------------------------------------------------------------------------------

    async def type(self, viewer: Viewer, data: bytes) -> None:
        """Send what the holder typed; of others nothing is taken."""
        if viewer is not self.holder or self._line is None:
            return
        self._typed(viewer)
        if await self._line.write(data):
            self._sent += len(data)
        else:
            viewer.tell({"is": "too_fast"})

    async def send_break(self, viewer: Viewer) -> None:
        """Send a break of the holder."""
        if viewer is self.holder and self._line is not None:
            self._typed(viewer)
            await self._line.send_break()

    async def resize(self, viewer: Viewer, columns: int, rows: int) -> None:
        """Tell the machine how large the holder's screen is, where the line can."""
        if viewer is self.holder and self._line is not None:
            await self._line.resize(columns, rows)

    def _typed(self, viewer: Viewer) -> None:
        self._typed_at = self._clock()
        viewer.typed_at = timezone.now()

    def _show(self, data: bytes) -> None:
        self._received += len(data)
        self._shown += data
        if len(self._shown) > REMEMBERED:
            # From the beginning of a line, so that no character and no sequence is cut in two.
            cut = self._shown.find(b"\n", len(self._shown) - REMEMBERED)
            del self._shown[: cut + 1 if cut >= 0 else len(self._shown) - REMEMBERED]
        if self._transcript is not None:
            self._transcript.write(data)
        for viewer in self.viewers:
            viewer.show(data)

    # --- from opening to closing -------------------------------------------------------------------------------

    def close(self, how: ConsoleEnd, *, by: Person | None = None, reason: Phrase | None = None) -> None:
        """Let it end."""
        if not self._ending.is_set():
            self._how, self._by, self._reason = how, by, reason
            self._ending.set()

    async def run(self, person: Person, *, take: bool) -> None:
        """Open the line, carry what is said, close it; ``person`` is who opens it."""
        try:
            self.row = await in_thread(consoles.begin, self.interface_id, person, take=take)
            if self.row is None:
                self.close(ConsoleEnd.FAILED, reason=IN_USE_HERE)
                return
            self.tell()
            await self._converse(self.row, take)
        except ContactError as error:
            self._in_use = isinstance(error, InUse)
            self.close(ConsoleEnd.LOST if self._line is not None else ConsoleEnd.FAILED, reason=contact.words(error))
        except Exception:
            log.exception("the console of interface %s broke", self.interface_id)
            self.close(ConsoleEnd.LOST)
        finally:
            await self._over()

    async def _converse(self, row: ConsoleSession, take: bool) -> None:
        line = await in_thread(consoles.line_of, self.interface_id)
        if line is None:
            self.close(ConsoleEnd.FAILED, reason=consoles.GONE)
            return
        try:
            async with AsyncExitStack() as stack:
                serial = await self._open(stack, line, take)
                try:
                    await self._opened(row, serial, line)
                    await self._carry(serial)
                finally:
                    await serial.close()
        except AuthenticationFailed as error:
            await self._kept(consoles.failed, line, error)
            raise

    async def _open(self, stack: AsyncExitStack, line: Line, take: bool) -> SerialLine:
        address = line.target.address
        try:
            async with asyncio.timeout(OPENING):
                device = await stack.enter_async_context(contact.open(line, deadline=None))
                if not isinstance(device, Console):
                    raise Unsupported(NO_CONSOLE, address=address)
                return await device.open_console(take=take)
        except TimeoutError as error:
            raise Unreachable(contact.TOO_SLOW, address=address, seconds=f"{OPENING:g}") from error

    async def _opened(self, row: ConsoleSession, serial: SerialLine, line: Line) -> None:
        self._line = serial
        await in_thread(consoles.opened, row, line, method=serial.method, speed=serial.speed, mark=serial.mark)
        await self._hold()
        self._transcript = Transcript(row.pk, self.rules.transcript)
        self._phase = "open"
        self._typed_at = self._clock()
        self.tell()

    async def _carry(self, serial: SerialLine) -> None:
        """Show what comes until somebody or something ends it."""
        reading = asyncio.ensure_future(self._read(serial))
        watching = asyncio.ensure_future(self._watch())
        ending = asyncio.ensure_future(self._ending.wait())
        tasks = (reading, watching, ending)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and not self._ending.is_set():
                reading.result()  # the line was lost
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, serial: SerialLine) -> None:
        available = serial.available
        while True:
            data = await serial.read()
            if data:
                self._show(data)
            if serial.available != available:
                available = serial.available
                self.tell()

    async def _watch(self) -> None:
        """Look at the clock."""
        while True:
            await asyncio.sleep(TICK)
            now = self._clock()
            if now - self._typed_at >= self.rules.idle.total_seconds():
                self.close(ConsoleEnd.IDLE)
            if self._empty_since is not None and now - self._empty_since >= LINGER:
                self.close(ConsoleEnd.LEFT)
            if now - self._held_at >= HELD_EVERY:
                await self._hold()
            if now - self._told_at >= TOLD_EVERY:
                self._told_at = now
                self.tell()

    async def _hold(self) -> None:
        """Hold the interface for some time more; the options may have changed."""
        self._held_at = self._clock()
        try:
            self.rules = await in_thread(consoles.rules)
            name = self.holder.person.name if self.holder is not None else self.row.opened_by_name if self.row else ""
            pauses = self.rules.pauses_polls
            if not await in_thread(consoles.hold, self.interface_id, name, pauses_polls=pauses):
                self.close(ConsoleEnd.LOST, reason=consoles.GONE)
        except DatabaseError as error:
            log.warning("a console could not be held: %s", error)

    async def _kept(self, work: Callable[P, object], *words: P.args, **named: P.kwargs) -> None:
        """Write something down; a database that is away ends no console."""
        try:
            await in_thread(work, *words, **named)
        except DatabaseError:
            log.exception("what became of a console could not be kept")

    async def _over(self) -> None:
        """Write down how it ended, and tell it."""
        if self._how is None:
            self._how = ConsoleEnd.STOPPED
        size = 0
        if self._transcript is not None:
            size = self._transcript.size
            self._transcript.close()
        if self.row is not None:
            counts = Counts(self._received, self._sent, size)
            await self._kept(consoles.end, self.row, self._how, counts=counts, reason=self._reason, by=self._by)
        self._phase, self.holder = "ended", None
        self.tell()
        for viewer in self.viewers:
            viewer.end()
