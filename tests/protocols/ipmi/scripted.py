"""A session whose answers are a function: for what no simulator can do."""

from collections.abc import Callable, Iterator, Sequence

from apps.protocols.errors import Unreachable
from apps.protocols.ipmi import IpmiSession, IpmiTarget
from apps.protocols.ipmi.messages import Answer

Reply = tuple[int, bytes] | None  # completion code and bytes; None: silence


class ScriptedSession(IpmiSession):
    """Answers each question by the function, and remembers the questions."""

    def __init__(self, reply: Callable[[int, int, bytes], Reply], address: str = "192.0.2.1") -> None:
        super().__init__(IpmiTarget(address), address)
        self.asked: list[tuple[int, int, bytes]] = []
        self._reply = reply

    async def _attempt(self, netfn: int, command: int, data: Sequence[int], lun: int, waits: Iterator[float]) -> Answer:
        for _ in waits:
            self.asked.append((netfn, command, bytes(data)))
            reply = self._reply(netfn, command, bytes(data))
            if reply is not None:
                return Answer(*reply)
        raise Unreachable("%(address)s stopped answering", address=self.target.address)
