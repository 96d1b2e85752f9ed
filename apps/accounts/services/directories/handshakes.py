"""Looks at the certificate that a server shows, for people who want to know why it is not trusted."""

import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

from apps.accounts.services.directories import certificates
from apps.accounts.services.directories.certificates import Authority

# An extended request for StartTLS, message 1 (RFC 4511 4.14.1, RFC 4511 4.12), and the result code in its answer.
START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a server showed; ``complaint`` is why it would not be trusted, in the words of the TLS library."""

    version: str
    certificate: Authority | None
    names: tuple[str, ...]
    complaint: str = ""


def look(host: str, port: int, *, start_tls: bool, ca: str, verify: bool, timeout: float) -> Handshake:
    """Shake hands as one who trusts the authorities alone, and where that fails as one who trusts anybody.

    Raises OSError, also when the server is silent: libldap would wait for it without an end.
    """
    complaint = ""
    if verify:
        try:
            return _shake(host, port, _trusting(ca), start_tls, timeout)
        except ssl.SSLCertVerificationError as error:
            complaint = error.verify_message
        except ssl.SSLError as error:
            complaint = error.reason or str(error)
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    return _shake(host, port, careless, start_tls, timeout, complaint)


@lru_cache(maxsize=64)
def _trusting(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca or None)


def _shake(
    host: str, port: int, context: ssl.SSLContext, start_tls: bool, timeout: float, complaint: str = ""
) -> Handshake:
    with socket.create_connection((host, port), timeout) as plain:
        if start_tls:
            plain.sendall(START_TLS)
            if not plain.recv(LONGEST_ANSWER):
                raise OSError("closed without an answer to StartTLS")
        with context.wrap_socket(plain, server_hostname=host) as wrapped:
            shown = wrapped.getpeercert(binary_form=True)
            certificate = x509.load_der_x509_certificate(shown) if shown else None
            return Handshake(
                version=wrapped.version() or "",
                certificate=certificates.facts(certificate) if certificate else None,
                names=_names(certificate) if certificate else (),
                complaint=complaint,
            )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = names.get_values_for_type(x509.DNSName)
    return (*hosts, *(str(one) for one in names.get_values_for_type(x509.IPAddress)))
