"""A conversation with a management controller: presence, a turn, a session that is always closed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from apps.protocols.errors import Stage, Unreachable, Unsupported
from apps.protocols.ipmi.presence import numeric_address, presence
from apps.protocols.ipmi.session import IpmiSession
from apps.protocols.ipmi.source_ports import SourcePort
from apps.protocols.ipmi.target import IpmiTarget
from apps.protocols.ipmi.turns import Turn

T = TypeVar("T")

_leaving: set[asyncio.Task[None]] = set()  # an event loop forgets tasks that nobody holds


class IpmiConnection:
    """Opened on entering, closed on leaving, whatever happens: controllers have few sessions."""

    def __init__(self, target: IpmiTarget) -> None:
        self.target = target
        self._session: IpmiSession | None = None
        self._turn: Turn | None = None
        self._source: SourcePort | None = None

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
        await self._session.login()

    @property
    def session(self) -> IpmiSession:
        """The session, for somebody who is done with it before it is closed."""
        if self._session is None:
            raise Unreachable(
                "The conversation with %(address)s has ended", stage=Stage.PROTOCOL, address=self.target.address
            )
        return self._session

    async def run(self, work: Callable[[IpmiSession], Awaitable[T]]) -> T:
        """Do something with the session."""
        return await work(self.session)

    def stay(self) -> None:
        """Say that this conversation takes long."""
        if self._source is not None:
            self._source.stay()

    async def close(self) -> None:
        """Sign out, also when the caller does not wait for it; then let the next one have its turn."""
        session, turn, source = self._session, self._turn, self._source
        self._session = self._turn = self._source = None

        def give_up() -> None:
            if turn is not None:
                turn.give_up()
            if source is not None:
                source.give_back()

        if session is None:
            give_up()
            return
        leaving = asyncio.create_task(session.logout())
        _leaving.add(leaving)
        leaving.add_done_callback(_leaving.discard)
        leaving.add_done_callback(lambda _: give_up())
        await asyncio.shield(leaving)
