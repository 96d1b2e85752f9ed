"""The console process: one loop that holds all lines and listens on a Unix socket, which only the portal can open."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Coroutine
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext_noop

from apps.components import contact
from apps.control.consoles import frames, transcripts
from apps.control.consoles.sessions import Session, in_thread
from apps.control.consoles.viewers import Viewer
from apps.control.models import ConsoleEnd, ConsoleSession
from apps.control.services import consoles
from apps.control.services.consoles import Counts, Person
from apps.core.phrases import Phrase
from apps.drivers.contract import Console
from apps.protocols.errors import ContactError

CLEARING = 30.0  # seconds for ending what a process before this one left open
STOPPING = 6.0  # seconds for all lines to be given back
LARGEST_TYPED = 64 * 1024

TOO_MANY = gettext_noop("As many consoles are open as may be at once: %(number)s. Close one of them first.")
log = logging.getLogger(__name__)


class Keeper:
    """The consoles of this process, by interface."""

    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}
        self._clearing: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def clear(self, left: list[ConsoleSession]) -> None:
        """Begin to end what a process before this one left open; who wants one of these waits for it."""
        for row in left:
            task = self._keep(self._clear(row))
            if row.interface_id is not None:
                self._clearing[row.interface_id] = task

    async def stop(self) -> None:
        """Give all lines back."""
        self._stopping = True
        for session in self.sessions.values():
            session.close(ConsoleEnd.STOPPED)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOPPING)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one page, or with who only asks something."""
        try:
            first = await frames.read(reader)
            if isinstance(first, dict):
                await self._answer(first, reader, writer)
        except (frames.Garbled, KeyError, TypeError, ValueError):
            log.warning("something on the Unix socket of the consoles was not understood")
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _answer(self, first: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if first.get("do") == "hello":
            writer.write(frames.pack({"is": "here", "open": len(self.sessions)}))
        elif first.get("do") == "close":
            session = self.sessions.get(first["interface"])
            if session is not None:
                session.close(ConsoleEnd.CLOSED, by=_person(first))
            writer.write(frames.pack({"is": "closed", "done": session is not None}))
        elif first.get("do") == "attach":
            await self._attach(first, reader, writer)
            return
        await writer.drain()

    async def _attach(self, first: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        viewer = Viewer(_person(first), writer)
        sending = asyncio.ensure_future(viewer.send())
        session: Session | None = None
        try:
            session = await self._session(
                first["interface"], viewer, take=bool(first.get("take")) and viewer.person.may_force
            )
            if session is not None:
                await self._listen(session, viewer, reader)
        finally:
            if session is not None:
                session.leave(viewer)
            viewer.end()
            await sending

    async def _session(self, interface_id: int, viewer: Viewer, *, take: bool) -> Session | None:
        """Give the console of an interface to somebody, opened if need be."""
        if (clearing := self._clearing.get(interface_id)) is not None:
            await asyncio.wait([clearing])
        rules = await in_thread(consoles.rules)
        session = self.sessions.get(interface_id)
        if session is None:
            if len(self.sessions) >= rules.most or self._stopping:
                phrase = Phrase(TOO_MANY, {"number": str(rules.most)})
                viewer.tell({"is": "refused", "phrase": phrase.dumps()})
                return None
            session = self.sessions[interface_id] = Session(interface_id, rules)
            session.join(viewer)
            self._keep(self._run(session, viewer.person, take))
        else:
            session.join(viewer)
        return session

    async def _run(self, session: Session, person: Person, take: bool) -> None:
        try:
            await session.run(person, take=take)
        finally:
            if self.sessions.get(session.interface_id) is session:
                del self.sessions[session.interface_id]

    async def _listen(self, session: Session, viewer: Viewer, reader: asyncio.StreamReader) -> None:
        """Do what somebody's page asks for, until he is gone or the console has ended."""
        while (frame := await frames.read(reader)) is not None:
            if isinstance(frame, bytes):
                await session.type(viewer, frame[:LARGEST_TYPED])
                continue
            match frame.get("do"):
                case "ping":
                    viewer.tell({"is": "pong", "n": frame.get("n")})
                case "take":
                    await session.take(viewer)
                case "break":
                    await session.send_break(viewer)
                case "resize":
                    await session.resize(viewer, int(frame["columns"]), int(frame["rows"]))
                case "person":
                    viewer.person = _person(frame)
                case "barred":
                    session.bar(viewer)
                    return
                case "close" if viewer is session.holder or viewer.person.may_take_over:
                    session.close(ConsoleEnd.CLOSED, by=viewer.person)

    def _keep(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _clear(self, row: ConsoleSession) -> None:
        """End one console that was left over, at the controller and in the database."""
        try:
            if row.mark and row.interface_id is not None:
                line = await in_thread(consoles.line_of, row.interface_id)
                if line is not None:
                    async with contact.open(line, deadline=CLEARING) as device:
                        if isinstance(device, Console):
                            await device.clear_console(row.mark)
        except ContactError as error:
            log.warning("a console that was left open could not be ended: %s", error)
        finally:
            if row.interface_id is not None:
                self._clearing.pop(row.interface_id, None)
            size = transcripts.size(row.pk)
            await in_thread(consoles.end, row, ConsoleEnd.DIED, counts=Counts(transcript=size))


def _person(message: dict[str, Any]) -> Person:
    told = message["person"]
    return Person(
        user_id=int(told["user_id"]),
        name=str(told["name"]),
        address=told["address"],
        request=str(told["request"]),
        may_force=bool(told["may_force"]),
        may_take_over=bool(told["may_take_over"]),
    )


async def serve() -> None:
    """Serve until a signal ends it."""
    keeper = Keeper()
    with contextlib.suppress(DatabaseError):
        keeper.clear(list(await in_thread(consoles.left_over)))
    path = frames.path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(keeper.serve, path, limit=frames.LARGEST)
    finally:
        os.umask(before)
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
    server.close()
    await keeper.stop()
    path.unlink(missing_ok=True)
