"""Says what is wrong with HTTPS as it is set; preflight and the page show the same sentences."""

import ssl
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import options, secrets
from apps.system import ports
from apps.system.models import Certificate
from apps.system.tls import contexts, services, watching
from apps.system.tls.words import HTTPS, MINIMUM

FORBIDDEN, DOUBTFUL, WELL = "forbidden", "doubtful", "well"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about HTTPS with what to do."""

    grade: str
    found: str
    remedy: str = ""


def findings(now: datetime | None = None) -> list[Finding]:
    """Look at everything that HTTPS stands on."""
    if not options.get(HTTPS):
        return [_plain()]
    try:
        row = services.current()
    except secrets.Undecipherable:
        remedy = _("Bring the key file back, or: manage.py tls create --new-authority")
        return [Finding(FORBIDDEN, _("The key of the certificate cannot be decrypted."), remedy)]
    if row is None:
        return [Finding(WELL, _("A certificate will be made at the next start."))]
    found = [*_of_certificate(row, now or timezone.now()), *_of_versions()]
    return found or [
        Finding(WELL, _("%(name)s until %(date)s") % {"name": row.subject, "date": f"{row.not_after:%Y-%m-%d}"})
    ]


def _plain() -> Finding:
    try:
        outside = [bind for bind in ports.addresses(settings.BIND) if not bind.startswith("127.") and bind != "::1"]
    except ports.PortTaken:
        outside = []
    if not outside or settings.TRUSTED_PROXIES:
        return Finding(WELL, _("off"))
    remedy = _("Switch HTTPS on, or put a proxy in front and name it in ESM_TRUSTED_PROXIES.")
    return Finding(DOUBTFUL, _("Passwords come in clear over the network."), remedy)


def _of_certificate(row: Certificate, now: datetime) -> list[Finding]:
    found = []
    try:
        contexts.server_context(row.key["pem"], row.chain)
    except ssl.SSLError as error:
        found.append(
            Finding(FORBIDDEN, _("OpenSSL does not take this certificate: %(reason)s.") % {"reason": error.reason})
        )
    step = watching.step_at(row.not_before, row.not_after, watching.renews_itself(row), now)
    if step is not None:
        remedy = "manage.py tls renew" if row.own else _("Import a new one: manage.py tls import")
        date = f"{row.not_after:%Y-%m-%d}"
        if step == 0:
            found.append(Finding(FORBIDDEN, _("The certificate expired on %(date)s.") % {"date": date}, remedy))
        else:
            found.append(Finding(DOUBTFUL, _("The certificate ends on %(date)s.") % {"date": date}, remedy))
    usual = services.usual_names()
    if not any(_covers(row.names, name) for name in usual):
        sentence = _("The certificate names none of: %(names)s") % {"names": ", ".join(usual)}
        found.append(
            Finding(DOUBTFUL, sentence, _("Have a new one made that names them, if browsers call the portal so."))
        )
    authority = services.authority() if row.own else None
    if authority is not None and authority.days_left(now) < services.USUAL_DAYS:
        sentence = _("The portal's own authority ends on %(date)s.") % {"date": f"{authority.not_after:%Y-%m-%d}"}
        found.append(
            Finding(DOUBTFUL, sentence, _("manage.py tls create --new-authority, and have browsers trust that."))
        )
    return found


def _covers(names: list[str], wanted: str) -> bool:
    return wanted in names or f"*.{wanted.partition('.')[2]}" in names


def _of_versions() -> list[Finding]:
    minimum = options.get(MINIMUM)
    if minimum not in contexts.OUTDATED:
        return []
    remedy = _("Set the option %(name)s to 1.2 as soon as nobody needs less.") % {"name": MINIMUM}
    return [Finding(DOUBTFUL, _("TLS %(version)s is allowed, which is broken.") % {"version": minimum}, remedy)]
