"""pyghmi's session on a socket of its own: the library signs in, packs and unpacks; it never waits for anything.

The one place that touches the inside of pyghmi 1.6. Left alone, the library reads all sockets in a thread of its own
and hands every datagram on to the thread that asked, which costs more than all else about a question, and loses one now
and then; it shares, and closes, one session between all who speak with a controller; and a fall back to weaker
security could not be forbidden. Here the thread that asks reads its own socket.
"""

import contextlib
import math
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

import pyghmi.exceptions
from pyghmi.ipmi.private import session as library

NO_SUITE_17 = "cipher suite 17 refused, suite 3 forbidden"
ONLY_IPMI_1_5 = "only IPMI 1.5"
GLANCE = 0.2  # seconds after which somebody who waits looks whether he should still

_LARGEST = 3000  # bytes of a datagram
_RMCP, _IPMI = b"\x06", b"\xff\x07"
_SERIAL_OVER_LAN = 1  # type of payload

Came = Callable[[dict[str, Any]], None]


class Wire(library.Session):
    """One session with one controller, used by one thread at a time. OSError: there is no way to it."""

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
        """Send the first packet of the login; the address is numeric."""
        self._place, self._source_port = place, source_port
        self._allow_suite_3 = allow_suite_3
        self._told: list[dict[str, Any]] = []
        self._until, self._given_up = math.inf, threading.Event()
        self._repeat_at = math.inf
        # Bytes, not text, which the library would encode anew with each packet.
        super().__init__(place[0], *login, place[1], onlogon=self._told.append, privlevel=privilege)

    @property
    def suite(self) -> int:
        """The cipher suite in use: 17 or 3."""
        return 17 if self.attemptedhash == 256 else 3

    @property
    def is_open(self) -> bool:
        """Somebody is signed in."""
        return bool(self.logged) and not self.broken

    def sign_in(self, until: float, given_up: threading.Event) -> str:
        """Finish the login; give nothing when it went well, else the library's words, "timeout" when it is too late."""
        self._until, self._given_up = until, given_up
        while not self._told and self._may_wait():
            self._listen()
        words = str(self._told[0].get("error") or "") if self._told else "timeout"
        if "failed to init" in words:
            words = str(self.__dict__.get("errormsg") or words)
        return words

    def ask(self, netfn: int, command: int, data: Sequence[int], lun: int, came: Came) -> None:
        """Send a question once; IpmiException where the session has ended."""
        self.incommand = False
        self.raw_command(netfn, command, data=tuple(data), retry=False, rslun=lun, callback=came)

    def send_serial(self, payload: bytes) -> None:
        """Send a packet of serial over LAN once."""
        self.send_payload(bytearray(payload), payload_type=_SERIAL_OVER_LAN, retry=False)

    def receive(self, seconds: float = GLANCE) -> None:
        """Wait so long for one datagram, and give it to whom it belongs; what is no packet of ours is left out."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(_LARGEST)
        except OSError:  # nothing came, or somebody on the way says that nobody is there: he may be in a moment
            return
        if data[:1] != _RMCP or data[2:4] != _IPMI:
            return
        try:
            self._handle_ipmi_packet(bytearray(data), qent=(data, None, None))
        except (IndexError, ValueError, struct.error):
            return
        except pyghmi.exceptions.IpmiException as error:
            self._mark_broken(str(error))

    def forget_questions(self) -> None:
        """Take no late answer to an earlier question for one to the next."""
        self.request_entry.clear()

    def close(self) -> None:
        """Let go of all; the controller is told nothing any more."""
        self.logged = 0
        self.logout(False)
        self.socket.close()

    def _may_wait(self) -> bool:
        return time.monotonic() < self._until and not self._given_up.is_set()

    def _listen(self) -> None:
        """Wait for a datagram of the login; repeat what was not answered, as the library does it."""
        self.receive()
        if time.monotonic() >= self._repeat_at:
            self._repeat_at = math.inf
            self._timedout()

    # What the library calls by these names.

    def _assignsocket(self, *_: Any, **__: Any) -> socket.socket:
        """Give the session its socket. Connected: several may speak from one port, and each gets its own answers."""
        address, port = self._place
        family, kind, _protocol, _name, peer = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
        own = socket.socket(family, kind)
        try:
            if self._source_port:
                own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                own.bind(("", self._source_port))
            own.connect(peer)
        except OSError:
            own.close()
            raise
        return own

    def _xmit_packet(self, retry: bool = True, delay_xmit: float | None = None, timeout: float | None = None) -> None:
        if self.sequencenumber:
            self.sequencenumber += 1
        with contextlib.suppress(OSError):  # as good as lost on the way
            self.socket.send(self.netpacket)
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
