"""The certificate that devices see when they post their events: that of HTTPS, where there is none one of its own.

It is made when it is first asked for, and anew in good time. It signs itself: controllers do not look at it, unless
somebody told them to, who then has a certificate for HTTPS.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from apps.alerts.receivers.event_certificate import Shown
from apps.core import secrets
from apps.system.models import Certificate, CertificateUse
from apps.system.tls import contexts, services

RENEWED_BEFORE = timedelta(days=30)
USES = (CertificateUse.PORTAL.value, CertificateUse.EVENTS.value)  # the first that there is counts


def mark() -> str:
    """Give the fingerprint of the certificate of this moment; empty before there is one."""
    found = dict(Certificate.objects.filter(use__in=USES).values_list("use", "fingerprint"))
    return next((found[use] for use in USES if use in found), "")


def shown(held: Shown | None, now: datetime | None = None) -> Shown:
    """Give what connections are taken with; the key is decrypted only when the certificate changed."""
    now = now or timezone.now()
    known = dict(Certificate.objects.filter(use__in=USES).values_list("use", "fingerprint"))
    if CertificateUse.PORTAL not in known:
        ends = Certificate.objects.filter(use=CertificateUse.EVENTS).values_list("not_after", flat=True).first()
        if ends is None or ends - now < RENEWED_BEFORE:
            return _context_of(services.make_for_events(now))
    fingerprint = next(known[use] for use in USES if use in known)
    if held is not None and held.mark == fingerprint:
        return held
    try:
        row = Certificate.objects.get(fingerprint=fingerprint, use__in=USES)
    except secrets.Undecipherable:  # the key file is another one: what was made for events alone can be made anew
        if CertificateUse.PORTAL in known:
            raise
        row = services.make_for_events(now)
    return _context_of(row)


def _context_of(row: Certificate) -> Shown:
    return Shown(row.fingerprint, contexts.server_context(row.key["pem"], row.chain))
