"""Signing in by pyghmi: the library asks and proves; what was agreed on seals what is said afterwards.

The one place that touches the inside of pyghmi 1.6. Left alone, the library reads all sockets in a thread of its own
and hands every datagram on to the thread that asked, which costs more than all else about a question, and loses one now
and then; it shares, and closes, one session between all who speak with a controller; and a fall back to weaker
security could not be forbidden. Here it has a socket of its own on the event loop, and never waits.
"""

import asyncio
import contextlib
import os
import struct
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

import pyghmi.exceptions
from pyghmi.ipmi.private import session as library

from apps.protocols.ipmi.channel import Channel
from apps.protocols.ipmi.sealing import Keys, Seal
from apps.protocols.ipmi.target import IpmiTarget

NO_SUITE_17 = "cipher suite 17 refused, suite 3 forbidden"
ONLY_IPMI_1_5 = "only IPMI 1.5"

_RMCP, _IPMI = b"\x06", b"\xff\x07"
_APPLICATION, _SET_PRIVILEGE, _CLOSE_SESSION = 0x06, 0x3B, 0x3C


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that is open; its owner closes the channel."""

    channel: Channel
    seal: Seal
    number: int  # what the controller calls it
    suite: int


class SigningIn(library.Session):
    """One login with one privilege. OSError: there is no way to the controller."""

    # What the library keeps about all sessions of a process is of no use where each has a socket of its own.
    socketchecking = contextlib.nullcontext()
    logged: int

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make a new one, whoever else speaks with the controller."""
        made: Self = object.__new__(cls)
        made.forbidsock = ()
        made.socketpool = Counter()
        return made

    def __init__(self, target: IpmiTarget, address: str, privilege: int) -> None:
        """Send the first packet; the address is numeric."""
        self._target, self._address = target, address
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._repeating: asyncio.TimerHandle | None = None
        username, password = target.login()
        super().__init__(address, username, password, target.port, onlogon=self._end, privlevel=privilege)

    async def finish(self, patience: float) -> str:
        """Go on to the end; give nothing when it went well, else the library's words, "timeout" when it is too late."""
        try:
            async with asyncio.timeout(patience):
                return await self._ended
        except TimeoutError:
            return "timeout"
        finally:
            self._cancel_repeating()

    def session(self) -> SignedIn | None:
        """Give the session that came to be, from now on its taker's; None when the controller has none."""
        self._cancel_repeating()
        if not self.logged or self.broken:
            self.socket.close()
            return None
        self.logged = 0
        suite, digest = (17, "sha256") if self.attemptedhash == 256 else (3, "sha1")
        keys = Keys(self.localsid, self.sessionid, digest, self.currhashlen, self.k1, self.aeskey)
        return SignedIn(self.socket, Seal(keys, self.sequencenumber - 1), self.sessionid, suite)

    def _end(self, told: dict[str, Any]) -> None:
        words = str(told.get("error") or "")
        if "failed to init" in words:
            words = str(self.__dict__.get("errormsg") or words)
        if not self._ended.done():
            self._ended.set_result(words)

    def _heard(self, packet: bytes) -> None:
        """Take a packet, and leave out what is none."""
        if packet[:1] != _RMCP or packet[2:4] != _IPMI or self._ended.done():
            return
        try:
            self._handle_ipmi_packet(bytearray(packet), qent=(packet, None, None))
        except (IndexError, ValueError, struct.error):
            return
        except pyghmi.exceptions.IpmiException as error:
            self._mark_broken(str(error))

    def _cancel_repeating(self) -> None:
        if self._repeating is not None:
            self._repeating.cancel()
            self._repeating = None

    # What the library calls by these names.

    def _assignsocket(self, *_: Any, **__: Any) -> Channel:
        return Channel(self._address, self._target.port, self._target.source_port, self._heard)

    def _xmit_packet(self, retry: bool = True, delay_xmit: float | None = None, timeout: float | None = None) -> None:
        """Send the packet that is ready; have the library look at it once more when there was no answer in time."""
        if self.sequencenumber:
            self.sequencenumber += 1
        self.socket.send(self.netpacket)
        self._cancel_repeating()
        if retry:
            self._repeating = asyncio.get_running_loop().call_later(self.timeout, self._timedout)

    def logout(self, sessionok: bool = True) -> None:
        """End once what may have come to be at the controller."""
        if self.logged:
            self.logged = 0
            number = self.sessionid.to_bytes(4, "little")
            self._send_ipmi_net_payload(_APPLICATION, _CLOSE_SESSION, number, retry=False)

    def _open_rmcpplus_request(self) -> None:
        """Ask for suite 17 and then for suite 3, unless that is forbidden with this controller."""
        if self.attemptedhash == 1 and not self._target.allow_suite_3:
            self.onlogon({"error": NO_SUITE_17})
        else:
            super()._open_rmcpplus_request()

    def _get_session_challenge(self) -> None:
        """Refuse sessions of IPMI 1.5: they send everything in the clear."""
        self.onlogon({"error": ONLY_IPMI_1_5})

    def _req_priv_level(self) -> None:
        """Ask for the privilege, the last thing of a login."""
        self.logged, self.logoutexpiry = 1, None
        self.ipmicallback = self._got_privilege
        self._send_ipmi_net_payload(_APPLICATION, _SET_PRIVILEGE, [self.privlevel])

    def _got_privilege(self, response: dict[str, Any]) -> None:
        self.logging = False
        words = library.get_ipmi_error(response)
        self.onlogon({"error": words} if words else {"success": True})


def _begin_anew_in_child() -> None:
    """Make new locks after a fork: what another thread of the parent held is never given back in the child."""
    library.KEEPALIVE_SESSIONS = threading.RLock()
    library.WAITING_SESSIONS = threading.RLock()


os.register_at_fork(after_in_child=_begin_anew_in_child)
