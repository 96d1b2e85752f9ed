"""The second factor of users."""

import re
from base64 import b32decode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from django_otp.oath import TOTP

from apps.core.fields import EncryptedJSONField


class TotpDevice(Device):
    """The second factor of a user: an authenticator app that shares a secret with the portal (RFC 6238).

    Not the device of django-otp, which keeps the secret as plain text and lets the clock drift further at each use.
    """

    STEP = 30  # seconds
    DIGITS = 6
    TOLERANCE = 1  # steps by which the clock of the telephone may be wrong, in both directions

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="totp_device"
    )
    secret = EncryptedJSONField()  # in base32, as the app takes it
    last_step = models.BigIntegerField(default=-1)  # of the last code that was taken; it and earlier ones are used up
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("on since"), null=True, blank=True)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return self.user.get_username()

    def verify_token(self, token: str) -> bool:
        """Take a code of now, or of a step before or after, once."""
        if not re.fullmatch(r"[0-9]{6}", token):
            return False
        totp = TOTP(b32decode(str(self.secret)), self.STEP, 0, self.DIGITS)
        totp.time = timezone.now().timestamp()
        if not totp.verify(int(token), self.TOLERANCE, self.last_step + 1):
            return False
        taken = type(self).objects.filter(pk=self.pk, last_step__lt=totp.t()).update(last_step=totp.t())
        self.last_step = totp.t()
        return bool(taken)


class RecoveryCode(models.Model):
    """A code that stands in once for the app of a lost telephone: 80 random bits, of which the SHA-256 is kept."""

    device = models.ForeignKey(TotpDevice, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [
            models.UniqueConstraint(fields=["device", "digest"], name="%(app_label)s_%(class)s_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
