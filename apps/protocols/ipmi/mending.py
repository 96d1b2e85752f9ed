"""Mends what pyghmi 1.6 gets wrong, in one place; nothing else of the product touches the library's inside.

``library`` is pyghmi's session module after the mending. What is mended: a reply that came before anybody waited for it
was noticed only at the next retry (half a minute for one reading); two threads that took packets of one session out of
order; a packet that is too short threw in whichever thread held it; a fork left an input thread that does not exist; a
fall back to weaker security could not be forbidden.
"""

import contextlib
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import pyghmi.exceptions
from pyghmi.ipmi.private import session as library

NO_SUITE_17 = "cipher suite 17 refused, suite 3 forbidden"
ONLY_IPMI_1_5 = "only IPMI 1.5"

only_suite_17: set[tuple[str, int]] = set()  # address and port of controllers with which suite 3 is forbidden

_open_request = library.Session._open_rmcpplus_request
_assign_socket = library.Session._assignsocket.__func__
_NOT_TO_BE_SHARED = 1 << 30  # users of a socket, as the library counts them
_wanted = threading.local()


def _io_wait(timeout: float, myaddr: Any = None, evq: "deque[threading.Event] | None" = None) -> None:
    """Wait until something came from an address, or from any: look once more after one has said that one waits."""
    event = threading.Event()
    if evq is not None:
        evq.append(event)
    deadline = timeout + library._monotonic_time()
    library.ioqueue.append((deadline, event, myaddr))
    if myaddr is None:
        if library.sessionqueue:
            return
    elif any(one.pktqueue for one in list(library.Session.bmc_handlers.get(myaddr, {}).values())):
        return
    if deadline < library.selectdeadline:
        alarm = library.iosockets[0]
        alarm.sendto(b"\x01", (library.myself, alarm.getsockname()[1]))
    event.wait(max(timeout, 0) + 1)


def _process_packets(session: Any) -> None:
    """Take the packets of a session in their order, whichever thread does it; leave out what is no packet."""
    with session.__dict__.setdefault("packets_in_turn", threading.RLock()):
        while session.pktqueue:
            packet = list(session.pktqueue.popleft())
            packet[0] = bytearray(packet[0])
            if packet[0][:1] != b"\x06" or packet[0][2:4] != b"\xff\x07" or packet[1] not in session.bmc_handlers:
                continue
            try:
                session._handle_ipmi_packet(packet[0], sockaddr=packet[1], qent=packet)
            except (IndexError, ValueError, struct.error):
                continue
            except pyghmi.exceptions.IpmiException as error:
                # The session's own thread learns it; whichever thread held the packet has nothing to do with it.
                with contextlib.suppress(pyghmi.exceptions.IpmiException):
                    session._mark_broken(str(error))


def _open_rmcpplus_request(session: Any) -> None:
    """Ask for suite 17 and then for suite 3, unless that is forbidden with this controller."""
    if session.attemptedhash == 1 and (session.bmc, session.port) in only_suite_17:
        session.onlogon({"error": NO_SUITE_17})
    else:
        _open_request(session)


def _get_session_challenge(session: Any) -> None:
    """Refuse sessions of IPMI 1.5: they send everything in the clear."""
    session.onlogon({"error": ONLY_IPMI_1_5})


@contextlib.contextmanager
def from_port(source_port: int | None, peer: tuple[str, int]) -> Iterator[None]:
    """Let the session that this thread opens meanwhile speak from a port of our own choice."""
    _wanted.socket = (source_port, peer) if source_port else None
    try:
        yield
    finally:
        _wanted.socket = None


def _assignsocket(cls: Any, server: Any = None, forbiddensockets: Any = ()) -> Any:
    """Give a session its socket: one that many share, or one of its own where the source port was chosen.

    It is connected, so that several sessions and processes may speak from one port and each gets its own answers.
    """
    wanted = getattr(_wanted, "socket", None)
    if server is not None or wanted is None:
        return _assign_socket(cls, server, forbiddensockets)
    if not library.iosockets:
        shared = _assign_socket(cls)  # starts the input thread, and finds out whether IPv6 is spoken
        cls.socketpool[shared] -= 1
    source_port, (address, port) = wanted
    mapped = library.ipv6support and ":" not in address
    own = socket.socket(socket.AF_INET6 if library.ipv6support else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if library.ipv6support:
            own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        own.bind(("", source_port))
        own.connect((f"::ffff:{address}" if mapped else address, port))
    except OSError:
        own.close()
        raise
    library.iosockets.append(own)
    cls.socketpool[own] = _NOT_TO_BE_SHARED
    return own


def let_go(own: socket.socket) -> None:
    """Close the socket of a session that had one of its own, once the input thread does not listen to it any more."""
    if library.Session.socketpool.get(own, 0) < _NOT_TO_BE_SHARED // 2:
        return
    library.iosockets.remove(own)
    del library.Session.socketpool[own]
    looked_up = threading.Event()
    library.ioqueue.append((0.0, looked_up, None))
    alarm = library.iosockets[0]
    for _ in range(2):  # the second one lets the input thread come round, should it have been about to listen
        alarm.sendto(b"\x01", (library.myself, alarm.getsockname()[1]))
        if looked_up.wait(1):
            break
    own.close()


def _begin_anew_in_child() -> None:
    """Forget the parent's sessions, sockets and input thread after a fork: none of them works in the child."""
    for left_open in library.iosockets:
        with contextlib.suppress(OSError):
            left_open.close()
    library.iothread = None
    library.iothreadready = False
    library.selectdeadline = 0
    for left in (library.iothreadwaiters, library.iosockets, library.ioqueue, library.sessionqueue):
        left.clear()
    library.KEEPALIVE_SESSIONS = threading.RLock()
    library.WAITING_SESSIONS = threading.RLock()
    known = library.Session
    for table in (known.bmc_handlers, known.waiting_sessions, known.initting_sessions, known.keepalive_sessions):
        table.clear()
    known.socketpool.clear()
    known.iterwaiters.clear()
    known.socketchecking = threading.Lock()
    only_suite_17.clear()


library._io_wait = _io_wait
library.Session.process_pktqueue = _process_packets
library.Session._assignsocket = classmethod(_assignsocket)
library.Session._open_rmcpplus_request = _open_rmcpplus_request
library.Session._get_session_challenge = _get_session_challenge
library.Session.socketchecking = threading.Lock()
os.register_at_fork(after_in_child=_begin_anew_in_child)
