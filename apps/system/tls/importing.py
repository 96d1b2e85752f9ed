"""Judges what somebody brings: opens the file, mends the order of its chain, and says why it is not taken."""

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.system.tls import contexts, reader
from apps.system.tls.material import KINDS, Material, PrivateKey, load_key, names_in

LARGEST = 256 * 1024  # bytes of a file; a key with a chain of ten is 20 KB
WITHIN = 30.0  # seconds by the clock, on a machine that has other things to do
SMALLEST_RSA, LARGEST_RSA = 2048, 8192  # bits; larger ones cost too much at each connection
BROKEN_DIGESTS = {"md5", "sha1"}
LONG_LIFE = 825  # days that the strictest browsers accept of an authority that was added by hand
REFUSALS: dict[str, Promise | str] = {
    "password": gettext_lazy("The password of the file is wrong."),
    "password-needed": gettext_lazy("The file is encrypted: its password is needed."),
    "several-keys": gettext_lazy("The file holds several private keys; it must hold the one of the certificate."),
    "too-many": gettext_lazy("The file holds more certificates than any chain has."),
    "empty": gettext_lazy("The file holds neither a private key nor a certificate."),
    "unreadable": gettext_lazy("The file is neither PKCS12 nor PEM, or it is damaged."),
    "bomb": gettext_lazy("Opening the file takes more time or memory than any honest file does. It is not taken."),
}


def open_file(data: bytes, password: str | None) -> tuple[PrivateKey | None, list[x509.Certificate]]:
    """Read PKCS12 or PEM, both with or without a password; raises ValidationError."""
    if len(data) > LARGEST:
        raise ValidationError(
            _("The file is larger than any certificate is (%(most)s KB).") % {"most": LARGEST // 1024}
        )
    asked = json.dumps({"password": password, "data": base64.b64encode(data).decode()})
    program = (sys.executable, "-I", str(Path(reader.__file__)))
    try:
        done = subprocess.run(program, input=asked, capture_output=True, text=True, timeout=WITHIN, check=False)
    except subprocess.TimeoutExpired as error:
        raise ValidationError(str(REFUSALS["bomb"])) from error
    if done.returncode:
        raise ValidationError(str(REFUSALS["bomb"]))
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise ValidationError(str(REFUSALS[answer["refused"]]))
    try:
        key = load_key(answer["key"]) if answer["key"] else None
    except TypeError as error:
        raise ValidationError(_("Only RSA and EC keys can be used.")) from error
    return key, [x509.load_pem_x509_certificate(one.encode()) for one in answer["certificates"]]


def assemble(key: PrivateKey, certificates: Sequence[x509.Certificate]) -> Material:
    """Find the certificate of the key and put those that vouch for it behind it; raises ValidationError."""
    public = key.public_key()
    own = next((one for one in certificates if one.public_key() == public), None)
    if own is None:
        raise ValidationError(_("None of the certificates belongs to the private key."))
    chain, rest = [own], [one for one in certificates if one is not own]
    while (issuer := next((one for one in rest if _issued(chain[-1], one)), None)) is not None:
        rest.remove(issuer)
        chain.append(issuer)
    # A browser has the authority at the end itself, or does not believe it.
    others = chain[1:-1] if len(chain) > 1 and _issued(chain[-1], chain[-1]) else chain[1:]
    return Material(key, own, tuple(others))


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def judge(material: Material, now: datetime) -> list[str]:
    """Give warnings; raises ValidationError with everything that forbids it."""
    certificate = material.certificate
    faults = [*_faults_of_key(material.key), *_faults_of_time(certificate, now), *_faults_of_use(certificate)]
    if faults:
        raise ValidationError(faults)
    contexts.try_out(material)
    warnings = []
    if not names_in(certificate):
        warnings.append(_("The certificate names no host (subject alternative names); browsers refuse it."))
    if (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days > LONG_LIFE:
        warnings.append(
            _("Some browsers refuse certificates that are valid for more than %(days)s days.") % {"days": LONG_LIFE}
        )
    if not material.others and not _issued(certificate, certificate):
        warnings.append(
            _("No certificate between this one and its authority came with it. If there are any, browsers refuse it.")
        )
    return warnings


def _faults_of_key(key: PrivateKey) -> list[str]:
    if isinstance(key, rsa.RSAPrivateKey) and not SMALLEST_RSA <= key.key_size <= LARGEST_RSA:
        return [
            _("An RSA key must have %(least)s to %(most)s bits; this one has %(size)s.")
            % {"least": SMALLEST_RSA, "most": LARGEST_RSA, "size": key.key_size}
        ]
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in {"secp256r1", "secp384r1", "secp521r1"}:
        return [_("The curve %(name)s is not one that browsers know.") % {"name": key.curve.name}]
    return []


def _faults_of_time(certificate: x509.Certificate, now: datetime) -> list[str]:
    if now >= certificate.not_valid_after_utc:
        return [_("The certificate expired on %(date)s.") % {"date": f"{certificate.not_valid_after_utc:%Y-%m-%d}"}]
    if now < certificate.not_valid_before_utc:
        return [
            _("The certificate is not valid before %(date)s.")
            % {"date": f"{certificate.not_valid_before_utc:%Y-%m-%d}"}
        ]
    return []


def _faults_of_use(certificate: x509.Certificate) -> list[str]:
    faults = []
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        uses = None
    if uses is not None and not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(
        uses
    ):
        faults.append(_("The certificate is not meant for servers: its extended key usage lacks serverAuth."))
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.name in BROKEN_DIGESTS:
        faults.append(
            _("The certificate is signed with %(name)s, which nobody believes any more.") % {"name": digest.name}
        )
    return faults


def kind_label(kind: str) -> str:
    """Write a kind of key for people."""
    return KINDS.get(kind) or kind.upper().replace("-P", " P-").replace("RSA-", "RSA ")
