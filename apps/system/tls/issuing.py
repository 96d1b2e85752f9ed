"""Makes certificates: our own authority, what it signs, and requests to other authorities (RFC 5280, RFC 2986)."""

import ipaddress
import secrets
import socket
from datetime import datetime, timedelta

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apps.system.tls.material import Material, PrivateKey, Wish, make_key

AUTHORITY_DAYS = 3650
CLOCKS_DIFFER = timedelta(hours=1)  # a browser's clock may be behind ours


def new_authority(kind: str, now: datetime) -> Material:
    """Make an authority that signs certificates of this portal and no further authorities.

    Its name is never used again: a browser that trusts two authorities of one name may ask the wrong one.
    """
    key = make_key(kind)
    host = socket.gethostname()[:30]
    name = _name(f"Fleet Portal CA {secrets.token_hex(3)} ({host})")
    builder = _builder(name, name, key, now, now + timedelta(days=AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(
        _key_usage(key_cert_sign=True, crl_sign=True, digital_signature=True), critical=True
    )
    return Material(key, builder.sign(key, _digest(key)))


def issue(authority: Material, wish: Wish, now: datetime) -> Material:
    """Make a certificate for HTTPS; it ends with its authority at the latest."""
    key = make_key(wish.kind)
    end = min(now + timedelta(days=wish.days), authority.certificate.not_valid_after_utc)
    builder = _builder(_name(wish.common_name), authority.certificate.subject, key, now, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    for extension, critical in _of_a_server(wish, key):
        builder = builder.add_extension(extension, critical=critical)
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
    )
    return Material(key, builder.sign(authority.key, _digest(authority.key)), (authority.certificate,))


def self_signed(wish: Wish, now: datetime) -> Material:
    """Make a certificate that nobody vouches for."""
    key, name = make_key(wish.kind), _name(wish.common_name)
    builder = _builder(name, name, key, now, now + timedelta(days=wish.days))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    for extension, critical in _of_a_server(wish, key):
        builder = builder.add_extension(extension, critical=critical)
    return Material(key, builder.sign(key, _digest(key)))


def request(wish: Wish) -> tuple[PrivateKey, str]:
    """Make a key and the request (PEM) that another authority signs."""
    key = make_key(wish.kind)
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(wish.common_name))
    for extension, critical in _of_a_server(wish, key):
        builder = builder.add_extension(extension, critical=critical)
    return key, builder.sign(key, _digest(key)).public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - CLOCKS_DIFFER)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _of_a_server(wish: Wish, key: PrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    encipherment = isinstance(key, rsa.RSAPrivateKey)  # of the old key exchange, which TLS 1.3 does not know
    return [
        (x509.SubjectAlternativeName(wish.general_names()), False),
        (_key_usage(digital_signature=True, key_encipherment=encipherment), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ]


def _key_usage(**uses: bool) -> x509.KeyUsage:
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{use: uses.get(use, False) for use in every})


def _digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    return hashes.SHA384() if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256 else hashes.SHA256()


def usual_names(binds: list[str]) -> list[str]:
    """Give the names and addresses by which this machine is reached: host name, loopback, where we listen."""
    found = [socket.gethostname(), socket.getfqdn(), "localhost", "127.0.0.1", "::1"]
    for bind in binds:
        found += _own_addresses(bind) if bind in {"0.0.0.0", "::"} else [bind]
    return list(dict.fromkeys(name for name in found if name))


def _own_addresses(bind: str) -> list[str]:
    families = {socket.AF_INET} if bind == "0.0.0.0" else {socket.AF_INET, socket.AF_INET6}
    found = [one.address for each in psutil.net_if_addrs().values() for one in each if one.family in families]
    return [text for text in found if "%" not in text and not ipaddress.ip_address(text).is_link_local]
