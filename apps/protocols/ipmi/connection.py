"""A conversation with a management controller for asynchronous callers: the blocking work runs in a few threads."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from apps.protocols.errors import Stage, Unreachable, Unsupported
from apps.protocols.ipmi.presence import numeric_address, presence
from apps.protocols.ipmi.session import IpmiSession
from apps.protocols.ipmi.source_ports import SourcePort
from apps.protocols.ipmi.target import IpmiTarget
from apps.protocols.ipmi.turns import Turn

THREADS = 20  # as many as controllers that are asked at once; each ends by itself, at the latest with its budget

T = TypeVar("T")

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


def _pool() -> ThreadPoolExecutor:
    """Give this process's threads; those of a parent do not live on after a fork."""
    with _lock:
        found = _pools.get(os.getpid())
        if found is None:
            _pools.clear()
            found = _pools[os.getpid()] = ThreadPoolExecutor(THREADS, thread_name_prefix="ipmi")
        return found


class IpmiConnection:
    """Opened on entering, closed on leaving, whatever happens: controllers have few sessions."""

    def __init__(self, target: IpmiTarget) -> None:
        self.target = target
        self._session: IpmiSession | None = None
        self._turn: Turn | None = None
        self._source: SourcePort | None = None
        self._running: Future[Any] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def suite(self) -> int | None:
        """The cipher suite in use."""
        return self._session.suite if self._session else None

    async def _open(self) -> None:
        """Look whether somebody is there, wait for the turn, sign in."""
        target = self.target
        target.login()
        if target.source_port is not None:
            numeric = await numeric_address(target.address, target.port)
            self._source = await SourcePort.take(target.source_port, (numeric, target.port))
            target = replace(target, source_port=self._source.port)
        found = await presence(
            target.address,
            target.port,
            timeout=target.timeout,
            retries=target.retries,
            source_port=target.source_port,
        )
        if found.ipmi_2 is False:
            raise Unsupported("%(address)s speaks only IPMI 1.5", stage=Stage.SIGN_IN, address=target.address)
        turn = Turn((found.address, target.port))
        await turn.take()
        self._turn = turn
        self._session = IpmiSession(target, found.address)
        await self.run(IpmiSession.login)

    @property
    def session(self) -> IpmiSession:
        """The session, for somebody who uses it in a thread of his own and is done with it before it is closed."""
        if self._session is None:
            raise Unreachable(
                "The conversation with %(address)s has ended", stage=Stage.PROTOCOL, address=self.target.address
            )
        return self._session

    async def run(self, work: Callable[[IpmiSession], T]) -> T:
        """Do blocking work with the session in a thread; when the caller is cancelled, the work stops soon."""
        session = self.session
        running = _pool().submit(work, session)
        self._running = running
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            session.stop()
            raise

    def stay(self) -> None:
        """Say that this conversation takes long."""
        if self._source is not None:
            self._source.stay()

    async def close(self) -> None:
        """Sign out, also when the caller does not wait for it; then let the next one have its turn."""
        session, turn, running, source = self._session, self._turn, self._running, self._source
        self._session = self._turn = self._running = self._source = None

        def give_up() -> None:
            if turn is not None:
                turn.give_up()
            if source is not None:
                source.give_back()

        if session is None:
            give_up()
            return
        if running is not None and not running.done():
            session.stop()

        def sign_out() -> None:
            if running is not None:
                wait([running])
            session.logout()

        leaving = _pool().submit(sign_out)
        leaving.add_done_callback(lambda _: give_up())
        await asyncio.shield(asyncio.wrap_future(leaving))
