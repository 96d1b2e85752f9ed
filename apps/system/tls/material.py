"""Keys and certificates as such: their kinds, names and facts. Nothing here is stored, nothing asks the network."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
RSA_SIZES = {"rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096}
CURVES: dict[str, type[ec.EllipticCurve]] = {"ec-p256": ec.SECP256R1, "ec-p384": ec.SECP384R1}
KINDS = {
    "ec-p256": "EC P-256",
    "ec-p384": "EC P-384",
    "rsa-2048": "RSA 2048",
    "rsa-3072": "RSA 3072",
    "rsa-4096": "RSA 4096",
}
DEFAULT_KIND = "ec-p256"
LONGEST_NAME = 64  # characters of a common name (RFC 5280, ub-common-name)
MOST_NAMES = 100
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True)
class Material:
    """A private key with its certificate, and the certificates that are sent along with that."""

    key: PrivateKey
    certificate: x509.Certificate
    others: Sequence[x509.Certificate] = ()

    @cached_property
    def key_pem(self) -> str:
        """Write the key; it is stored encrypted only."""
        return key_pem(self.key)

    @property
    def chain_pem(self) -> str:
        """Write the certificates, the own one first."""
        return "".join(pem(one) for one in (self.certificate, *self.others))

    @classmethod
    def load(cls, key: str, chain: str) -> "Material":
        """Read what was stored."""
        own, *others = x509.load_pem_x509_certificates(chain.encode())
        return cls(load_key(key), own, others)


def make_key(kind: str) -> PrivateKey:
    """Make a private key of one of KINDS; RSA takes up to some seconds."""
    if kind in RSA_SIZES:
        return rsa.generate_private_key(public_exponent=65537, key_size=RSA_SIZES[kind])
    return ec.generate_private_key(CURVES[kind]())


def kind_of(key: object) -> str:
    """Name the kind of a public or private key in words of KINDS, others by what they are."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return {"secp256r1": "ec-p256", "secp384r1": "ec-p384", "secp521r1": "ec-p521"}.get(key.curve.name, "ec-other")
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey").removesuffix("PrivateKey").lower()


def key_pem(key: PrivateKey) -> str:
    """Write a private key in clear."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def load_key(text: str) -> PrivateKey:
    """Read a private key of ours."""
    key = serialization.load_pem_private_key(text.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("the key is neither RSA nor EC")
    return key


def pem(certificate: x509.Certificate) -> str:
    """Write one certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def fingerprint(certificate: x509.Certificate) -> str:
    """Give the SHA-256 of a certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def colons(fingerprint: str) -> str:
    """Write a fingerprint as browsers and openssl show it."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()


def name_of(name: x509.Name) -> str:
    """Give the common name, where there is none the whole name."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value if found else name.rfc4514_string())[:200]


def names_in(certificate: x509.Certificate) -> list[str]:
    """Give the names and addresses that a certificate is for."""
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    found = [*alternative.get_values_for_type(x509.DNSName)]
    return found + [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]


@dataclass(frozen=True)
class Wish:
    """What a certificate is to be like."""

    common_name: str
    names: tuple[str, ...]
    kind: str = DEFAULT_KIND
    days: int = 397

    @classmethod
    def of(cls, common_name: str, names: Iterable[str], kind: str, days: int) -> "Wish":
        """Check what somebody typed; raises ValidationError by field. The common name is one of the names, too."""
        faults: dict[str, list[str]] = {}
        common_name = common_name.strip()
        if not 1 <= len(common_name) <= LONGEST_NAME or not common_name.isprintable():
            faults["common_name"] = [_("Enter a name of 1 to %(most)s characters.") % {"most": LONGEST_NAME}]
        if kind not in KINDS:
            faults["key"] = [_("Choose one of: %(choices)s.") % {"choices": ", ".join(KINDS)}]
        cleaned: list[str] = []
        for word in dict.fromkeys(word.strip() for word in names if word.strip()):
            try:
                cleaned.append(clean_name(word))
            except ValidationError as error:
                faults.setdefault("names", []).extend(error.messages)
        if not faults.get("common_name"):
            try:
                cleaned.insert(0, clean_name(common_name))
            except ValidationError:
                cleaned = [*cleaned]  # a common name may be any text, but browsers look at the names alone
        cleaned = list(dict.fromkeys(cleaned))
        if not cleaned and "names" not in faults:
            faults["names"] = [_("Enter at least one name or address.")]
        if len(cleaned) > MOST_NAMES:
            faults["names"] = [_("Enter at most %(most)s names and addresses.") % {"most": MOST_NAMES}]
        if faults:
            raise ValidationError(faults)
        return cls(common_name, tuple(cleaned), kind, days)

    def general_names(self) -> list[x509.GeneralName]:
        """Give the names as they stand in a certificate."""
        return [x509.IPAddress(address) if (address := _address(name)) else x509.DNSName(name) for name in self.names]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def clean_name(text: str) -> str:
    """Write a host name or address in one way; a first label ``*`` is allowed. Raises ValidationError."""
    address = _address(text)
    if address is not None:
        return str(address)
    name = text.rstrip(".").lower()
    try:
        name = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        name = ""
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise ValidationError(_("“%(name)s” is neither a host name nor an address.") % {"name": text[:80]})
    return name


@dataclass(frozen=True)
class Facts:
    """What a certificate says of itself, as it is stored beside it and shown."""

    subject: str
    issuer: str
    serial: str
    fingerprint: str
    names: list[str]
    key_kind: str
    not_before: datetime
    not_after: datetime

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Facts":
        """Read them."""
        return cls(
            name_of(certificate.subject),
            name_of(certificate.issuer),
            f"{certificate.serial_number:x}"[:64],
            fingerprint(certificate),
            names_in(certificate),
            kind_of(certificate.public_key()),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
