"""What the portal knows of itself: how much it stores, support bundles that were asked for, its certificates."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.fields import EncryptedJSONField
from apps.core.models import Job


class CapacityMeasurement(models.Model):
    """How much was stored at one time; ``facts`` is what ``apps.system.capacity.measuring`` found."""

    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    size = models.PositiveBigIntegerField(_("size"))  # bytes of the database
    facts = models.JSONField(_("facts"))
    warned = models.BooleanField(_("warned"), default=False)  # an alert says that the disk fills up

    class Meta:
        ordering = ["-at"]
        verbose_name = _("measurement of capacity")
        verbose_name_plural = _("measurements of capacity")

    def __str__(self) -> str:
        return f"{self.size} B @ {self.at}"


class SupportBundle(models.Model):
    """A support bundle that is ready to be fetched; it holds no secret and is removed after a day."""

    job = models.OneToOneField(Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="support_bundle")
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    name = models.CharField(_("name"), max_length=100)
    size = models.PositiveIntegerField(_("size"))
    content = models.BinaryField(_("content"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("support bundle")
        verbose_name_plural = _("support bundles")

    def __str__(self) -> str:
        return self.name


class CertificateUse(models.TextChoices):
    """What a certificate is there for; of each there is one."""

    AUTHORITY = "authority", _("own authority")
    PORTAL = "portal", _("HTTPS")
    EVENTS = "events", _("Redfish events")


class Certificate(models.Model):
    """A certificate with its key, which is encrypted like every secret."""

    use = models.CharField(_("use"), max_length=20, choices=CertificateUse.choices, unique=True)
    own = models.BooleanField(_("signed by our own authority"))
    chain = models.TextField(_("certificates"))  # PEM: the certificate itself, then what is sent along with it
    key = EncryptedJSONField(_("key"))  # {"pem": …}
    subject = models.CharField(_("common name"), max_length=200)
    issuer = models.CharField(_("issuer"), max_length=200)
    serial = models.CharField(_("serial number"), max_length=64)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)  # SHA-256 of the certificate, hexadecimal
    names = models.JSONField(_("names and addresses"), default=list)
    key_kind = models.CharField(_("key"), max_length=20)
    not_before = models.DateTimeField(_("valid from"))
    not_after = models.DateTimeField(_("valid until"))
    days = models.PositiveIntegerField(_("days"))  # for how many it was made; a renewal repeats that
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    warned_days = models.PositiveSmallIntegerField(_("warned"), null=True)  # the step of the last warning of its end

    class Meta:
        ordering = ["use"]
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(use__in=CertificateUse.values), name="%(app_label)s_%(class)s_known_use"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def is_valid(self, now: datetime) -> bool:
        """Say whether browsers take it at this time."""
        return self.not_before <= now < self.not_after

    def days_left(self, now: datetime) -> int:
        """Give the whole days until its end; negative afterwards."""
        return (self.not_after - now).days


class CertificateRequest(models.Model):
    """A key that waits for a certificate which another authority makes from the request; there is one at most."""

    pem = models.TextField(_("request"))
    key = EncryptedJSONField(_("key"))
    subject = models.CharField(_("common name"), max_length=200)
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        ordering = ["-made_at"]
        verbose_name = _("certificate request")
        verbose_name_plural = _("certificate requests")

    def __str__(self) -> str:
        return self.subject
