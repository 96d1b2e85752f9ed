"""What a connection is encrypted with: protocol versions, ciphers, and the certificate, which never touches a disk."""

import os
import ssl
import warnings

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.system.tls.material import Material

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
DEFAULT_VERSION = "1.2"
OUTDATED = frozenset({"1.0", "1.1"})
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"  # of TLS 1.2: forward secrecy and authenticated encryption only
OLD_CIPHERS = f"{CIPHERS}:ECDHE+AES:kRSA+AES:@SECLEVEL=0"  # OpenSSL 3 speaks TLS 1.0 and 1.1 at no other level


def server_context(key_pem: str, chain_pem: str, minimum: str = DEFAULT_VERSION) -> ssl.SSLContext:
    """Make the context of a server. Raises ssl.SSLError when key and certificate do not do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    outdated = minimum in OUTDATED
    context.set_ciphers(OLD_CIPHERS if outdated else CIPHERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that an outdated version is one is said by the option
        context.minimum_version = VERSIONS[minimum]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    _load(context, key_pem + chain_pem)
    return context


def _load(context: ssl.SSLContext, text: str) -> None:
    """Hand over key and chain; the library takes them from files alone, so it gets one that is memory."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "w", closefd=False) as file:
            file.write(text)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def try_out(material: Material) -> None:
    """Raise ValidationError when no connection could be made with this."""
    try:
        server_context(material.key_pem, material.chain_pem)
    except ssl.SSLError as error:
        raise ValidationError(
            _("OpenSSL does not take this certificate: %(reason)s.") % {"reason": error.reason or str(error)}
        ) from error
