"""Asks whether a management controller is there before anybody signs in: a dead one costs no thread and no login.

Two questions go out together, because some controllers answer only one of them: the presence ping of ASF 2.0 §3.2.4.2
over RMCP, and Get Channel Authentication Capabilities outside of a session (IPMI 2.0 §22.13).
"""

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import Any

from apps.protocols.errors import DeviceError, Stage, Unreachable

_ASF_CLASS, _IPMI_CLASS = 6, 7
_ASF_IANA = bytes.fromhex("000011be")
_PING = bytes.fromhex("0600ff06") + _ASF_IANA + bytes((0x80, 0x01, 0x00, 0x00))
_CAPABILITIES = bytes.fromhex("0600ff07 00 00000000 00000000 09 20 18 c8 81 00 38 8e 04 b5")
_PONG = 0x40
_RESPONSE_NETFN, _CAPABILITIES_COMMAND = 7, 0x38


@dataclass(frozen=True, slots=True)
class Presence:
    """What a controller said before the login; None: it did not say."""

    address: str  # numeric
    ipmi_2: bool | None = None


def understood(data: bytes, address: str) -> Presence | None:
    """Read one answer; None when it is none."""
    if len(data) < 12 or data[0] != 0x06:
        return None
    if data[3] & 0x1F == _ASF_CLASS and data[4:8] == _ASF_IANA and data[8] == _PONG:
        return Presence(address)
    if data[3] & 0x1F == _IPMI_CLASS and len(data) >= 21:
        if data[15] >> 2 != _RESPONSE_NETFN or data[19] != _CAPABILITIES_COMMAND:
            return None
        if data[20] != 0 or len(data) < 25:
            return Presence(address)
        return Presence(address, bool(data[22] & 0x80 and data[24] & 0x02))
    return None


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, address: str) -> None:
        self.address = address
        self.answer: asyncio.Future[Presence] = asyncio.get_running_loop().create_future()
        self.heard_nonsense = False

    def datagram_received(self, data: bytes, peer: Any) -> None:
        found = understood(data, self.address)
        if found is None:
            self.heard_nonsense = True
        elif not self.answer.done():
            self.answer.set_result(found)

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def presence(
    address: str, port: int, *, timeout: float, retries: int, source_port: int | None = None
) -> Presence:
    """Wait until a controller says that it is there.

    ``timeout`` is in seconds for each of ``retries + 1`` attempts. Raises ``Unreachable`` for an unknown name, no way,
    a closed port and silence, ``DeviceError`` when something answers that is no management controller.
    """
    numeric, family = await _numeric(address, port)
    loop = asyncio.get_running_loop()
    here = (("::" if family == socket.AF_INET6 else "0.0.0.0"), source_port) if source_port else None
    try:
        transport, listener = await loop.create_datagram_endpoint(
            lambda: _Listener(numeric),
            local_addr=here,
            remote_addr=(numeric, port),
            family=family,
            reuse_port=True if source_port else None,
        )
    except OSError as error:
        if source_port and error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise DeviceError(
                "UDP port %(port)s of the portal, from which controllers are to be asked, cannot be used: %(reason)s",
                stage=Stage.ROUTE,
                port=source_port,
                reason=error.strerror or type(error).__name__,
            ) from error
        raise _no_way(address, error) from error
    try:
        for _ in range(retries + 1):
            transport.sendto(_PING)
            transport.sendto(_CAPABILITIES)
            done, _pending = await asyncio.wait([listener.answer], timeout=timeout)
            if done:
                return listener.answer.result()
    except ConnectionRefusedError as error:
        raise Unreachable("Nothing listens on UDP port %(port)s of %(address)s", address=address, port=port) from error
    except OSError as error:
        raise _no_way(address, error) from error
    finally:
        listener.answer.cancel()
        transport.close()
    if listener.heard_nonsense:
        raise DeviceError(
            "What answers on UDP port %(port)s of %(address)s is no management controller",
            stage=Stage.PORT,
            address=address,
            port=port,
        )
    raise Unreachable("The management controller at %(address)s does not answer", address=address)


def _no_way(address: str, error: OSError) -> Unreachable:
    return Unreachable(
        "There is no way to %(address)s: %(reason)s",
        stage=Stage.ROUTE,
        address=address,
        reason=error.strerror or type(error).__name__,
    )


async def numeric_address(address: str, port: int) -> str:
    """Find the address of a name; raises ``Unreachable`` for an unknown one."""
    return (await _numeric(address, port))[0]


async def _numeric(address: str, port: int) -> tuple[str, socket.AddressFamily]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address, port, type=socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:
        raise Unreachable("The name %(address)s is not known", stage=Stage.NAME, address=address) from error
    family, _, _, _, sockaddr = found[0]
    return str(sockaddr[0]), family
