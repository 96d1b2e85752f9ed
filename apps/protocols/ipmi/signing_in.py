"""Signing in by pyghmi: the library asks and proves, on a socket of its own; what was agreed on is a ``Channel``.

The one place that touches the inside of pyghmi 1.6. Left alone, the library reads all sockets in a thread of its own
and hands every datagram on to the thread that asked, which costs more than all else about a question, and loses one now
and then; it shares, and closes, one session between all who speak with a controller; and a fall back to weaker
security could not be forbidden. Here the thread that signs in reads its own socket.
"""

import contextlib
import math
import os
import socket
import struct
import threading
import time
from collections import Counter
from typing import Any, Self

import pyghmi.exceptions
from pyghmi.ipmi.private import session as library

from apps.protocols.ipmi.channel import GLANCE, Channel, connected, received, send
from apps.protocols.ipmi.sealing import Keys, Seal

NO_SUITE_17 = "cipher suite 17 refused, suite 3 forbidden"
ONLY_IPMI_1_5 = "only IPMI 1.5"

_RMCP, _IPMI = b"\x06", b"\xff\x07"


class SigningIn(library.Session):
    """One login, done by one thread. OSError: there is no way to the controller."""

    # What the library keeps about all sessions of a process is of no use where each has a socket of its own.
    socketchecking = contextlib.nullcontext()
    allsockaddrs = ()

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make a new one, whoever else speaks with the controller."""
        made: Self = object.__new__(cls)
        made.forbidsock = ()
        made.socketpool = Counter()
        return made

    def __init__(
        self,
        place: tuple[str, int],
        login: tuple[bytes, bytes],
        privilege: int,
        *,
        allow_suite_3: bool = True,
        source_port: int | None = None,
    ) -> None:
        """Send the first packet; the address is numeric."""
        self._place, self._source_port = place, source_port
        self._allow_suite_3 = allow_suite_3
        self._told: list[dict[str, Any]] = []
        self._until, self._given_up = math.inf, threading.Event()
        self._repeat_at = math.inf
        super().__init__(place[0], *login, place[1], onlogon=self._told.append, privlevel=privilege)

    def finish(self, until: float, given_up: threading.Event) -> str:
        """Go on to the end; give nothing when it went well, else the library's words, "timeout" when it is too late."""
        self._until, self._given_up = until, given_up
        while not self._told and self._may_wait():
            self._listen()
        words = str(self._told[0].get("error") or "") if self._told else "timeout"
        if "failed to init" in words:
            words = str(self.__dict__.get("errormsg") or words)
        return words

    def channel(self) -> Channel | None:
        """Give the session, whose owner closes it from now on; None when the controller has none."""
        try:
            if not self.logged or self.broken:
                self.socket.close()
                return None
            suite, digest = (17, "sha256") if self.attemptedhash == 256 else (3, "sha1")
            keys = Keys(self.localsid, self.sessionid, digest, self.currhashlen, self.k1, self.aeskey)
            return Channel(self.socket, Seal(keys, self.sequencenumber - 1), self.sessionid, suite)
        finally:
            self.logged = 0
            library.Session.keepalive_sessions.pop(self, None)

    def _may_wait(self) -> bool:
        return time.monotonic() < self._until and not self._given_up.is_set()

    def _listen(self) -> None:
        """Take a packet, and leave out what is none; repeat what was not answered, as the library does it."""
        packet = received(self.socket, GLANCE)
        if packet[:1] == _RMCP and packet[2:4] == _IPMI:
            try:
                self._handle_ipmi_packet(bytearray(packet), qent=(packet, None, None))
            except (IndexError, ValueError, struct.error):
                pass
            except pyghmi.exceptions.IpmiException as error:
                self._mark_broken(str(error))
        if time.monotonic() >= self._repeat_at:
            self._repeat_at = math.inf
            self._timedout()

    # What the library calls by these names.

    def _assignsocket(self, *_: Any, **__: Any) -> socket.socket:
        return connected(*self._place, self._source_port)

    def _xmit_packet(self, retry: bool = True, delay_xmit: float | None = None, timeout: float | None = None) -> None:
        if self.sequencenumber:
            self.sequencenumber += 1
        send(self.socket, self.netpacket)
        self._repeat_at = time.monotonic() + self.timeout if retry else math.inf

    def awaitresponse(self, retry: bool, netfn: int, command: int) -> None:
        """Wait for the answer to what is asked while signing in."""
        while retry and not self.broken and library.unmatched(self.lastresponse, netfn, command):
            if not self._may_wait():
                raise pyghmi.exceptions.IpmiException("timeout")
            self._listen()

    def _open_rmcpplus_request(self) -> None:
        """Ask for suite 17 and then for suite 3, unless that is forbidden with this controller."""
        if self.attemptedhash == 1 and not self._allow_suite_3:
            self.onlogon({"error": NO_SUITE_17})
        else:
            super()._open_rmcpplus_request()

    def _get_session_challenge(self) -> None:
        """Refuse sessions of IPMI 1.5: they send everything in the clear."""
        self.onlogon({"error": ONLY_IPMI_1_5})


def _begin_anew_in_child() -> None:
    """Make new locks after a fork: what another thread of the parent held is never given back in the child."""
    library.KEEPALIVE_SESSIONS = threading.RLock()
    library.WAITING_SESSIONS = threading.RLock()
    library.Session.keepalive_sessions.clear()


os.register_at_fork(after_in_child=_begin_anew_in_child)
