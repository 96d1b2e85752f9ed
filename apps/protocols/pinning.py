"""TLS to management controllers: their certificates are signed by nobody, so each is known by its fingerprint."""

import asyncio
import hashlib
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from apps.protocols.errors import ContactError, DeviceError, Stage, Unreachable

OTHER_CERTIFICATE = "%(address)s shows another certificate than before (SHA-256 %(shown)s, known is %(known)s)"

_MOMENTS = ("not_before", "not_after")


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead, before anything is sent
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


CONTEXT = _context()  # costs 10 ms, so it is made once for all services


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate that a device shows: its SHA-256 in hexadecimal, and what it says of itself."""

    fingerprint: str
    subject: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None

    def facts(self) -> dict[str, str]:
        """Give what is kept of it beside the fingerprint (JSON)."""
        moments = {"not_before": self.not_before, "not_after": self.not_after}
        said = {name: at.isoformat() for name, at in moments.items() if at is not None}
        return {"fingerprint": self.fingerprint, "subject": self.subject, **said}

    @classmethod
    def kept(cls, fingerprint: str, facts: Any) -> "Shown":
        """Read what is kept; of another certificate than this it says nothing."""
        if not isinstance(facts, dict) or facts.get("fingerprint") != fingerprint:
            return cls(fingerprint)
        moments = [datetime.fromisoformat(facts[name]) if facts.get(name) else None for name in _MOMENTS]
        return cls(fingerprint, str(facts.get("subject") or ""), *moments)


async def shown(address: str, port: int, *, within: float) -> Shown:
    """Shake hands and give the service's certificate; raises a ContactError."""
    try:
        async with asyncio.timeout(within):
            _reader, writer = await asyncio.open_connection(address, port, ssl=CONTEXT)
            try:
                found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.transport.abort()
    except (OSError, ssl.SSLError) as error:
        raise connecting_failed(error, address, port) from error
    if not found:
        raise DeviceError("%(address)s shows no certificate", stage=Stage.PORT, address=address)
    return read(found)


def read(octets: bytes) -> Shown:
    """Read a certificate (DER); of one that is made oddly only the fingerprint counts."""
    fingerprint = hashlib.sha256(octets).hexdigest()
    try:
        found = x509.load_der_x509_certificate(octets)
        subject = found.subject.rfc4514_string()[:200]
        return Shown(fingerprint, subject, found.not_valid_before_utc, found.not_valid_after_utc)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Shown(fingerprint)


def connecting_failed(error: BaseException, address: str, port: int) -> ContactError:
    """Say at which stage no connection came about."""
    match error:
        case socket.gaierror():
            return Unreachable("The name %(address)s is not known", stage=Stage.NAME, address=address)
        case TimeoutError():
            return Unreachable("%(address)s does not answer on port %(port)s", address=address, port=port)
        case ConnectionRefusedError():
            return Unreachable("Nothing listens on port %(port)s of %(address)s", address=address, port=port)
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return DeviceError("Port %(port)s of %(address)s does not speak TLS", address=address, port=port)
        case ConnectionError() | ssl.SSLError():
            return Unreachable("%(address)s closes connections to port %(port)s", address=address, port=port)
        case OSError():
            reason = error.strerror or type(error).__name__
            return Unreachable(
                "%(address)s cannot be reached: %(reason)s", stage=Stage.ROUTE, address=address, reason=reason
            )
    return Unreachable("%(address)s does not answer on port %(port)s", address=address, port=port)
