"""Makes, imports, shows and renews the certificate of HTTPS."""

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from apps.core import options, secrets
from apps.core.actors import COMMAND
from apps.core.errors import Conflict
from apps.system.models import Certificate
from apps.system.tls import checking, services
from apps.system.tls.importing import LARGEST, kind_label
from apps.system.tls.material import DEFAULT_KIND, KINDS, Wish, colons
from apps.system.tls.words import HTTPS, VARIABLE

PASSWORD_VARIABLE = "ESM_TLS_PASSWORD"  # noqa: S105 - the name of a variable


class Command(BaseCommand):
    """``tls create | request | import | show | renew | authority``; a running portal takes it over by itself."""

    help = (
        f"The certificate of HTTPS. HTTPS itself is switched by the option {HTTPS} or {VARIABLE} in the environment: "
        f"manage.py option set {HTTPS} true"
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("show", help="show what HTTPS is served with, and what is wrong with it")
        making = verbs.add_parser("create", help="make a certificate that the portal's own authority signs")
        _describe_wish(making)
        making.add_argument(
            "--days", type=int, default=services.USUAL_DAYS, help="how long it is valid (default %(default)s)"
        )
        making.add_argument(
            "--new-authority", action="store_true", help="make the authority anew; browsers must trust it again"
        )
        asking = verbs.add_parser(
            "request", help="make a key, and print the request (CSR) that another authority signs"
        )
        _describe_wish(asking)
        taking = verbs.add_parser(
            "import", help="import PKCS12 or PEM: certificate, chain and key, or the answer to a request"
        )
        taking.add_argument("file", type=Path, nargs="+", help="one PKCS12 file, or PEM files that belong together")
        taking.add_argument(
            "--password-file", type=Path, help=f"holds the password, also as {{ENC}}…; else {PASSWORD_VARIABLE}"
        )
        verbs.add_parser("renew", help="make the own certificate anew: same names, a new key")
        giving = verbs.add_parser("authority", help="print the certificate of the own authority, for browsers to trust")
        giving.add_argument("--der", action="store_true", help="binary (DER) in place of text (PEM)")

    def handle(self, *args: Any, verb: str, **asked: Any) -> None:
        """Do what was asked."""
        verbs = {"show": self._show, "create": self._create, "request": self._request, "import": self._import}
        try:
            {**verbs, "renew": self._renew, "authority": self._authority}[verb](asked)
        except ValidationError as error:
            raise CommandError("\n".join(_sentences(error))) from error
        except (Conflict, secrets.Undecipherable) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(
                f"The database is not ready ({reason}). Start the portal once, or: manage.py prepare"
            ) from error

    def _create(self, asked: dict[str, Any]) -> None:
        made = services.create(_wish(asked, asked["days"]), COMMAND, new_authority=asked["new_authority"])
        self._tell(made)

    def _request(self, asked: dict[str, Any]) -> None:
        self.stdout.write(services.request(_wish(asked, services.USUAL_DAYS), COMMAND).pem, ending="")

    def _import(self, asked: dict[str, Any]) -> None:
        data = b"\n".join(_read(path) for path in asked["file"])
        password = _password(asked["password_file"])
        try:
            taken, warnings = services.take(data, password, COMMAND)
        except ValidationError as error:
            needed = password is None and sys.stdin.isatty() and str(services.PASSWORD_NEEDED) in error.messages
            if not needed:
                raise
            taken, warnings = services.take(data, getpass.getpass("Password of the file: "), COMMAND)
        for warning in warnings:
            self.stderr.write(f"Note: {warning}")
        self._tell(taken)

    def _renew(self, asked: dict[str, Any]) -> None:
        self._tell(services.renew(COMMAND))

    def _authority(self, asked: dict[str, Any]) -> None:
        found = services.described()["authority"]
        if found is None:
            raise CommandError("There is no authority yet; it is made with the first certificate: manage.py tls create")
        if not asked["der"]:
            self.stdout.write(found.chain, ending="")
            return
        certificate = x509.load_pem_x509_certificate(found.chain.encode())
        sys.stdout.buffer.write(certificate.public_bytes(serialization.Encoding.DER))

    def _show(self, asked: dict[str, Any]) -> None:
        self.stdout.write(f"HTTPS is {'on' if options.get(HTTPS) else 'off'}.")
        for title, row in zip(("Certificate", "Own authority"), services.described().values(), strict=True):
            if row is not None:
                self.stdout.write(f"\n{title}")
                self._describe(row)
        waiting = services.pending()
        if waiting is not None:
            since = f"{waiting.made_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"\nA request for {waiting.subject} waits for its certificate since {since}.")
        for finding in checking.findings():
            if finding.grade != checking.WELL:
                self.stdout.write(f"\n{finding.grade}: {finding.found} {finding.remedy}".rstrip())

    def _tell(self, row: Certificate) -> None:
        self._describe(row)
        if not options.get(HTTPS):
            self.stdout.write(f"HTTPS is off. Switch it on: manage.py option set {HTTPS} true")

    def _describe(self, row: Certificate) -> None:
        left = row.days_left(timezone.now())
        lines = {
            "subject": row.subject,
            "names": ", ".join(row.names),
            "issuer": row.issuer + (" (own)" if row.own else ""),
            "key": kind_label(row.key_kind),
            "serial": row.serial,
            "valid": f"{row.not_before:%Y-%m-%d %H:%M} to {row.not_after:%Y-%m-%d %H:%M} UTC ({left} days left)",
            "SHA-256": colons(row.fingerprint),
        }
        for name, value in lines.items():
            if value:
                self.stdout.write(f"  {name:<8} {value}")


def _describe_wish(parser: ArgumentParser) -> None:
    parser.add_argument("--cn", default="", help="the common name (default: the host name)")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        help="a host name or address; may be repeated (default: all of this machine)",
    )
    parser.add_argument(
        "--key", choices=list(KINDS), default=DEFAULT_KIND, help="kind and size of the key (default %(default)s)"
    )


def _wish(asked: dict[str, Any], days: int) -> Wish:
    names = asked["name"] or ([asked["cn"]] if asked["cn"] else []) + services.usual_names()
    return Wish.of(asked["cn"] or names[0], names, asked["key"], days)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _password(path: Path | None) -> str | None:
    """Give the password from a file or the environment, where it may stand encrypted; None: nobody said one."""
    if path is not None:
        written = _read(path).decode(errors="replace").removesuffix("\n").removesuffix("\r")
    elif PASSWORD_VARIABLE in os.environ:
        written = os.environ[PASSWORD_VARIABLE]
    else:
        return None
    try:
        return secrets.plain(written)
    except secrets.Undecipherable as error:
        raise CommandError(f"The password cannot be decrypted: {error}") from error


def _sentences(error: ValidationError) -> list[str]:
    if hasattr(error, "error_dict"):
        return [f"{field}: {sentence}" for field, found in error.message_dict.items() for sentence in found]
    return list(error.messages)
