"""The second factor of a user: an authenticator app, and recovery codes for the day on which it is lost.

Set-up begins with a secret that is not in force; the first right code puts it in force and gives the recovery codes.
The secret is encrypted at rest, recovery codes are kept as their SHA-256; neither is ever audited.
"""

import hashlib
import re
import secrets
import unicodedata
from base64 import b32encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import RecoveryCode, TotpDevice, User
from apps.accounts.services import sessions, standing
from apps.core import audit
from apps.core.actors import Actor
from apps.core.registries import Registry
from apps.core.writes import turn

SECRET_BYTES = 20  # RFC 4226 §4, R6
RECOVERY_CODES = 10
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # 32 signs: those of Crockford, without i, l, o and u
CODE_LENGTH = 16  # signs of 5 bits each
ISSUER = "Fleet Portal"  # what the app calls the entry, beside the host
SET_UP_FIRST = gettext_lazy("You must set up a second factor first, at /second-factor/.")

# What upper apps know of users who need a second factor: called with one, says whether he does.
requirements: Registry[Callable[[User], bool]] = Registry("requirement of a second factor")


def device_of(user: User) -> TotpDevice | None:
    """Give the second factor that is in force."""
    return TotpDevice.objects.filter(user=user.pk, confirmed=True).first()


def pending_of(user: User) -> TotpDevice | None:
    """Give the second factor that is being set up."""
    return TotpDevice.objects.filter(user=user.pk, confirmed=False).first()


def is_required(user: User) -> bool:
    """Say whether somebody decided that this user needs a second factor."""
    return any(requires(user) for requires in requirements)


def is_missing(user: User) -> bool:
    """Say whether a user has to set up a second factor before anything else."""
    return is_required(user) and device_of(user) is None


def begin(user: User) -> TotpDevice:
    """Make a new secret that is not in force yet; raises ValidationError when there is one in force."""
    with turn():
        if device_of(user) is not None:
            raise ValidationError(_("Your second factor is on already."))
        TotpDevice.objects.filter(user=user).delete()
        secret = b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
        return TotpDevice.objects.create(user=user, name="TOTP", confirmed=False, secret=secret)


def give_up(user: User) -> None:
    """Forget a secret that is not in force."""
    with turn():
        TotpDevice.objects.filter(user=user, confirmed=False).delete()


def confirm(user: User, code: str, actor: Actor, session: str = "") -> list[str]:
    """Put the new secret in force by its first code; gives the recovery codes. Sessions but the named one end.

    Raises ValidationError naming ``code``.
    """
    with turn():
        device = TotpDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None:
            raise ValidationError(_("The set-up was ended meanwhile. Begin it again."))
        if not device.verify_token(plain(code)):
            raise ValidationError({"code": [_("This code is not right. Check the clock of the telephone.")]})
        device.confirmed, device.confirmed_at = True, timezone.now()
        device.save(update_fields=["confirmed", "confirmed_at"])
        codes = _make_codes(device)
        audit.record(actor, "second_factor.on", user, after={"second_factor": audit.CHANGED})
        sessions.forget(user, but=session)
    return codes


def verify(user: User, code: str) -> TotpDevice | None:
    """Take a code of the app or a recovery code, each once; gives the second factor, None when it is not right."""
    device = device_of(user)
    if device is None:
        return None
    typed = plain(code)
    with turn():
        if device.verify_token(typed) or _use_recovery_code(device, typed):
            return device
    return None


def turn_off(user: User, actor: Actor) -> None:
    """Let the password alone suffice; who asks has proved both. Raises ValidationError where a role needs more."""
    if is_required(user):
        raise ValidationError(_("One of your roles needs a second factor."))
    _remove(user, actor, "second_factor.off")


def reset(user: User, actor: Actor) -> None:
    """Take the second factor of somebody else away, who lost it; raises ValidationError for oneself."""
    if actor.user is not None and actor.user.pk == user.pk:
        raise ValidationError(_("You cannot reset your own second factor: turn it off with your password and a code."))
    standing.refuse_higher(actor, User.objects.filter(pk=user.pk))
    with turn():
        _remove(user, actor, "second_factor.reset")
        sessions.forget(user)


def renew_codes(user: User, actor: Actor) -> list[str]:
    """Make recovery codes anew; those of before are worth nothing. Raises ValidationError without a second factor."""
    with turn():
        device = device_of(user)
        if device is None:
            raise ValidationError(_("Your second factor is off."))
        codes = _make_codes(device)
        audit.record(actor, "second_factor.codes", user, after={"recovery_codes": audit.CHANGED})
    return codes


def codes_left(device: TotpDevice) -> int:
    """Count the recovery codes that were not used."""
    return device.recovery_codes.filter(used_at=None).count()


def address_of(device: TotpDevice, host: str) -> str:
    """Give what the QR code says to an authenticator app (the Key URI Format of Google Authenticator)."""
    label = quote(f"{ISSUER} {host}:{device.user.get_username()}", safe="")
    facts = {"secret": str(device.secret), "issuer": f"{ISSUER} {host}", "algorithm": "SHA1"}
    period = {"digits": device.DIGITS, "period": device.STEP}
    return f"otpauth://totp/{label}?{urlencode({**facts, **period}, quote_via=quote)}"


def plain(code: str) -> str:
    """Give a code as it is compared: full-width digits as plain ones, without what sets its parts apart.

    >>> plain(" \uff11\uff12\uff13 456 "), plain("ABCD-2345")
    ('123456', 'abcd2345')
    """
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code).lower())


def _make_codes(device: TotpDevice) -> list[str]:
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(RECOVERY_CODES)]
    device.recovery_codes.all().delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(device=device, digest=_digest(code)) for code in codes)
    return ["-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4)) for code in codes]


def _use_recovery_code(device: TotpDevice, code: str) -> bool:
    if len(code) != CODE_LENGTH:
        return False
    unused = device.recovery_codes.filter(digest=_digest(code), used_at=None)
    return bool(unused.update(used_at=timezone.now()))


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _remove(user: User, actor: Actor, act: str) -> None:
    facts: dict[str, Any] = {"second_factor": audit.CHANGED}
    with turn():
        if TotpDevice.objects.filter(user=user).delete()[0]:
            audit.record(actor, act, user, before=facts)
