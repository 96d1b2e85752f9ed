"""Reads the certificates of authorities that directories are checked with, and those that servers show."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

LARGEST = 256 * 1024  # bytes of an uploaded file
MOST = 20  # certificates in it
SOON = timedelta(days=30)  # before its end a certificate is warned of
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True)
class Authority:
    """What is shown of a certificate."""

    subject: str
    issuer: str
    begins_at: datetime
    ends_at: datetime
    fingerprint: str  # SHA-256

    @property
    def has_ended(self) -> bool:
        """Say whether it is worth nothing any more."""
        return self.ends_at <= timezone.now()

    @property
    def ends_soon(self) -> bool:
        """Say whether it should be replaced."""
        return self.ends_at <= timezone.now() + SOON

    @property
    def state(self) -> str:
        """Give the word of its state: normal, warning, critical."""
        return "critical" if self.has_ended else "warning" if self.ends_soon else "normal"


def read_upload(data: bytes) -> str:
    """Take an uploaded file, PEM with one or more certificates or DER with one; give it as PEM.

    Raises ValidationError unless each is an authority's and in force.
    """
    if len(data) > LARGEST:
        raise ValidationError(_("The file is too large to be a certificate."))
    if b"PRIVATE KEY" in data:
        raise ValidationError(_("The file holds a private key. Upload the certificate of the authority alone."))
    found = _parse(data)
    if not found:
        raise ValidationError(_("This is no certificate in PEM or DER form."))
    if len(found) > MOST:
        raise ValidationError(_("The file holds more than %(most)s certificates.") % {"most": MOST})
    for one in found:
        _check(one)
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)


@lru_cache(maxsize=64)
def authorities(pem: str) -> Sequence[Authority]:
    """Give what is shown of the certificates of a stored text."""
    return [facts(one) for one in _parse(pem.encode())] if pem.strip() else []


def facts(one: x509.Certificate) -> Authority:
    """Give what is shown of a certificate."""
    return Authority(
        subject=_name(one.subject),
        issuer=_name(one.issuer),
        begins_at=one.not_valid_before_utc,
        ends_at=one.not_valid_after_utc,
        fingerprint=one.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def system_bundle() -> str:
    """Give the file of the authorities that the system trusts; empty where there is none."""
    from pathlib import Path

    known = ssl.get_default_verify_paths().cafile
    return next((path for path in (*SYSTEM_BUNDLES, known or "") if path and Path(path).is_file()), "")


def _parse(data: bytes) -> list[x509.Certificate]:
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        return []


def _check(one: x509.Certificate) -> None:
    name = _name(one.subject)
    now = timezone.now()
    if one.not_valid_after_utc <= now:
        day = one.not_valid_after_utc.date().isoformat()
        raise ValidationError(_("The certificate of “%(name)s” has ended on %(day)s.") % {"name": name, "day": day})
    if one.not_valid_before_utc > now:
        day = one.not_valid_before_utc.date().isoformat()
        raise ValidationError(_("The certificate of “%(name)s” begins on %(day)s.") % {"name": name, "day": day})
    if not _is_authority(one):
        raise ValidationError(
            _("The certificate of “%(name)s” is not that of an authority (CA). Upload the one that issued it.")
            % {"name": name}
        )


def _is_authority(one: x509.Certificate) -> bool:
    try:
        basic = one.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return basic.ca


def _name(name: x509.Name) -> str:
    """Write a name by what people call it, else as a whole."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
