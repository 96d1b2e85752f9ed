"""Version 3 agents whose privacy our own codec does not speak (DES, 3DES, AES-192, AES-256), asked through pysnmp.

pysnmp costs some forty times the processor time, so nothing else goes this way. Its engine takes 60 ms to make, keeps
its peers for life and mixes up users of the same name: there is one per login, it lives as long as the client, and the
one that rested longest goes when there are too many.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    Udp6TransportTarget,
    UdpTransportTarget,
    UsmUserData,
    bulk_cmd,
    get_cmd,
    next_cmd,
    usm3DESEDEPrivProtocol,
    usmAesBlumenthalCfb192Protocol,
    usmAesBlumenthalCfb256Protocol,
    usmAesCfb192Protocol,
    usmAesCfb256Protocol,
    usmDESPrivProtocol,
    usmHMAC128SHA224AuthProtocol,
    usmHMAC192SHA256AuthProtocol,
    usmHMAC256SHA384AuthProtocol,
    usmHMAC384SHA512AuthProtocol,
    usmHMACMD5AuthProtocol,
    usmHMACSHAAuthProtocol,
)
from pysnmp.hlapi.v3arch.asyncio import SnmpEngine as PysnmpEngine
from pysnmp.proto import errind
from pysnmp.smi.rfc1902 import ObjectIdentity, ObjectType

from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable
from apps.protocols.snmp.ber import Oid, Pdu, PduKind, RawVarbind, decode_value, malformed, read_header
from apps.protocols.snmp.target import SnmpTarget
from apps.protocols.snmp.wire import Wire

MOST_ENGINES = 32

_AUTH = {
    "MD5": usmHMACMD5AuthProtocol,
    "SHA": usmHMACSHAAuthProtocol,
    "SHA-224": usmHMAC128SHA224AuthProtocol,
    "SHA-256": usmHMAC192SHA256AuthProtocol,
    "SHA-384": usmHMAC256SHA384AuthProtocol,
    "SHA-512": usmHMAC384SHA512AuthProtocol,
}
# AES above 128 bits was never standardised: where the hash is shorter than the key, most agents stretch it as in
# draft-blumenthal-aes-usm-04, Cisco's as in draft-reeder-snmpv3-usm-3desede-00. A wrong guess looks like silence.
_PRIV = {
    "DES": (usmDESPrivProtocol,),
    "3DES": (usm3DESEDEPrivProtocol,),
    "AES-192": (usmAesBlumenthalCfb192Protocol, usmAesCfb192Protocol),
    "AES-256": (usmAesBlumenthalCfb256Protocol, usmAesCfb256Protocol),
}
_KEY_OCTETS = {"AES-192": 24, "AES-256": 32}
_HASH_OCTETS = {"MD5": 16, "SHA": 20, "SHA-224": 28, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64}

_WRONG_PRIVACY = "%(address)s cannot decrypt: privacy password or protocol (decryptionError)"
_REFUSALS = {
    errind.UnknownUserName: "%(address)s does not know the user (unknownUserName)",
    errind.WrongDigest: "%(address)s refuses the authentication password or protocol (wrongDigest)",
    errind.AuthenticationFailure: "%(address)s refuses the authentication password or protocol (wrongDigest)",
    errind.UnsupportedSecurityLevel: "%(address)s does not offer this security level to the user (unsupportedSecLevel)",
    errind.DecryptionError: _WRONG_PRIVACY,
}

_Login = tuple[str, str, str, str, str, Any]


class PysnmpExchange:
    """Puts single questions to version 3 agents through pysnmp; made inside the running event loop."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._engines: dict[_Login, PysnmpEngine] = {}
        self._stretching: dict[tuple[str, int, str], int] = {}

    def close(self) -> None:
        """Give back every engine and its sockets."""
        for engine in self._engines.values():
            engine.close_dispatcher()
        self._engines.clear()

    async def exchange(
        self, target: SnmpTarget, kind: PduKind, oids: Sequence[Oid], first: int = 0, second: int = 0
    ) -> Pdu:
        """The agent's response to one question; an agent that is not there is noticed before pysnmp asks it."""
        await self._wire.discover(target)
        ways = _PRIV[target.priv_protocol]
        if _KEY_OCTETS.get(target.priv_protocol, 0) <= _HASH_OCTETS[target.auth_protocol]:
            ways = ways[:1]
        scope = (target.address, target.port, target.username)
        known = self._stretching.get(scope)
        for way in (known,) if known is not None else range(len(ways)):
            try:
                answer = await self._ask(target, ways[way], kind, oids, first, second)
            except (Unreachable, AuthenticationFailed) as error:
                self._stretching.pop(scope, None)
                wrong_key = isinstance(error, Unreachable) or error.message == _WRONG_PRIVACY
                if known is not None or way == len(ways) - 1 or not wrong_key:
                    raise
            else:
                self._stretching[scope] = way
                return answer
        raise AssertionError("every way either answers or raises")

    def _engine(self, target: SnmpTarget, privacy: Any) -> PysnmpEngine:
        login = (
            target.username,
            target.auth_protocol,
            target.auth_password,
            target.priv_protocol,
            target.priv_password,
            privacy,
        )
        engine = self._engines.pop(login, None) or PysnmpEngine()
        self._engines[login] = engine  # the one used last stands last
        if len(self._engines) > MOST_ENGINES:
            self._engines.pop(next(iter(self._engines))).close_dispatcher()
        return engine

    async def _ask(
        self, target: SnmpTarget, privacy: Any, kind: PduKind, oids: Sequence[Oid], first: int, second: int
    ) -> Pdu:
        place = await self._wire.place(target)
        transport_class = UdpTransportTarget if len(place.sockaddr) == 2 else Udp6TransportTarget
        try:
            engine = self._engine(target, privacy)
            user = UsmUserData(
                target.username,
                target.auth_password,
                target.priv_password,
                authProtocol=_AUTH[target.auth_protocol],
                privProtocol=privacy,
            )
            transport = await transport_class.create(place.sockaddr[:2], timeout=target.timeout, retries=target.retries)
            context = ContextData(contextName=target.context.encode())
            bindings = [ObjectType(ObjectIdentity(oid)) for oid in oids]
            # Its own timer does not survive an error inside its callbacks: nobody may wait for ever because of that.
            async with asyncio.timeout((target.timeout + 1) * (target.retries + 1) + 5):
                if kind == PduKind.GET_BULK:
                    answer = await bulk_cmd(engine, user, transport, context, first, second, *bindings, lookupMib=False)
                else:
                    command = get_cmd if kind == PduKind.GET else next_cmd
                    answer = await command(engine, user, transport, context, *bindings, lookupMib=False)
        except TimeoutError as error:
            raise _silence(target) from error
        except (PySnmpError, PyAsn1Error, OSError) as error:
            raise DeviceError(
                "%(address)s could not be asked: %(reason)s", address=target.address, reason=type(error).__name__
            ) from error
        indication, status, index, found = answer
        if indication:
            raise _error_of(indication, target)
        return Pdu(PduKind.RESPONSE, 0, int(status), int(index), [_binding(*bound) for bound in found])


def _binding(name: Any, value: Any) -> RawVarbind:
    """Our form of a pysnmp binding: its encoded value is read again, so that both ways give the same types."""
    encoded = encoder.encode(value)
    tag, at, end = read_header(encoded, 0, len(encoded))
    if end != len(encoded):
        raise malformed("a value with something behind it")
    return str(name), tag, decode_value(tag, encoded[at:end])


def _error_of(indication: Any, target: SnmpTarget) -> ContactError:
    for kind, text in _REFUSALS.items():
        if isinstance(indication, kind):
            return AuthenticationFailed(text, address=target.address)
    if isinstance(indication, errind.RequestTimedOut):
        return _silence(target)
    return DeviceError("%(address)s answers with %(reason)s", address=target.address, reason=indication)


def _silence(target: SnmpTarget) -> Unreachable:
    return Unreachable("no answer: address, community or privacy key", stage=Stage.SIGN_IN, address=target.address)
