"""Looks at the end of the certificate: renews what is our own in time, and warns of what only others can renew."""

import logging
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.alerts.services.raising import raise_alert
from apps.core import options, secrets
from apps.core.actors import SYSTEM
from apps.core.errors import Conflict
from apps.core.writes import turn
from apps.system.models import Certificate, CertificateUse
from apps.system.tls import services
from apps.system.tls.words import HTTPS, RENEW_BEFORE

STEPS = (30, 14, 7, 1)  # days before the end at which is warned
STEPS_OF_RENEWED = (7, 1)  # where it renews itself, and did not
ENDING, ENDED = "portal.certificate-ending", "portal.certificate-ended"
log = logging.getLogger(__name__)


def watch(now: datetime | None = None) -> None:
    """Renew what is due, then warn once at each step, while HTTPS is on."""
    now = now or timezone.now()
    found = services.current()
    if found is None or not options.get(HTTPS):
        return
    if renews_itself(found) and now >= due_at(found):
        found = _renew(found, now)
    _warn(found, now)


def renews_itself(row: Certificate) -> bool:
    """Say whether the portal makes this certificate anew by itself."""
    return row.own and bool(options.get(RENEW_BEFORE))


def due_at(row: Certificate) -> datetime:
    """Give when our own certificate is made anew: so many days before its end, or after two thirds of its time."""
    days = timedelta(days=options.get(RENEW_BEFORE))
    return row.not_after - min(days, (row.not_after - row.not_before) / 3)


def step_at(not_before: datetime, not_after: datetime, renews: bool, now: datetime) -> int | None:
    """Give the step of the warning that a certificate calls for: days before its end, 0 when it has ended."""
    if now >= not_after:
        return 0
    latest = (not_after - not_before) / 6  # a certificate for a week is not warned of from its first day on
    passed = [
        step
        for step in (STEPS_OF_RENEWED if renews else STEPS)
        if not_after - now < (min(timedelta(days=step), latest) if renews else timedelta(days=step))
    ]
    return min(passed, default=None)


def _renew(row: Certificate, now: datetime) -> Certificate:
    try:
        return services.renew(SYSTEM, now=now)
    except (Conflict, ValidationError, secrets.Undecipherable) as error:
        log.error("the certificate could not be renewed: %s", error)
        return row


def _warn(row: Certificate, now: datetime) -> None:
    step = step_at(row.not_before, row.not_after, renews_itself(row), now)
    if step is None or step == row.warned_days:
        return
    with turn():
        same = Certificate.objects.filter(use=CertificateUse.PORTAL, fingerprint=row.fingerprint)
        if same.filter(warned_days=row.warned_days).update(warned_days=step):
            params = {"name": row.subject, "date": f"{row.not_after:%Y-%m-%d}", "days": str(max(row.days_left(now), 0))}
            raise_alert(ENDING if step else ENDED, component=None, object="HTTPS", params=params)
