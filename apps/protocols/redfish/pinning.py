"""TLS to management controllers: their certificates are signed by nobody, so each is known by its fingerprint."""

import asyncio
import hashlib
import socket
import ssl

from apps.protocols.errors import ContactError, DeviceError, Stage, Unreachable

OTHER_CERTIFICATE = "%(address)s shows another certificate than before (SHA-256 %(shown)s, known is %(known)s)"


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead, before anything is sent
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


CONTEXT = _context()  # costs 10 ms, so it is made once for all services


async def fingerprint(address: str, port: int, *, within: float) -> str:
    """Shake hands and give the SHA-256 of the service's certificate in hexadecimal; raises a ContactError."""
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
    return hashlib.sha256(found).hexdigest()


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
