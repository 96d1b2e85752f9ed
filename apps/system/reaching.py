"""Finds out whether a port answers: one of ours on this machine, or a component's, from here."""

import errno
import socket
from collections.abc import Sequence
from enum import StrEnum

from apps.protocols.snmp.ber import PduKind, encode_question
from apps.protocols.snmp.usm import discovery

PATIENCE = 1.0  # seconds for one of ours
FAR_PATIENCE = 3.0  # seconds for a device's
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where every address listens, this one does, too


class Reach(StrEnum):
    """What was found."""

    ANSWERS = "answers"
    REFUSED = "refused"  # the machine is there, nobody listens
    SILENT = "silent"  # nothing came back: off, filtered, or not there
    NO_ROUTE = "no-route"


def ours(protocol: str, binds: Sequence[str], number: int) -> Reach:
    """Ask a port of this portal on each address where it listens; the first that does not answer counts."""
    ask = tcp if protocol == "tcp" else _notifications
    for bind in binds:
        found = ask(LOOPBACK.get(bind, bind), number, PATIENCE)
        if found is not Reach.ANSWERS:
            return found
    return Reach.ANSWERS


def tcp(address: str, number: int, patience: float) -> Reach:
    """Open a connection and close it."""
    try:
        socket.create_connection((address, number), timeout=patience).close()
    except ConnectionRefusedError:
        return Reach.REFUSED
    except OSError as error:
        unroutable = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}
        return Reach.NO_ROUTE if error.errno in unroutable else Reach.SILENT
    return Reach.ANSWERS


def _notifications(address: str, number: int, patience: float) -> Reach:
    """Ask a receiver of SNMP notifications for its engine id, which it tells everybody and counts (RFC 3414 §4)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(patience)
        try:
            asking.connect((address, number))
            asking.send(discovery(1, encode_question(PduKind.GET, 1, ())))
            asking.recv(4096)
        except ConnectionRefusedError:
            return Reach.REFUSED
        except OSError:
            return Reach.SILENT
    return Reach.ANSWERS
