"""Event logs that devices keep by themselves, and how far each was read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.components.models import ManagementInterface, Status
from apps.core.fields import PhraseField
from apps.core.phrases import Phrase
from apps.core.scoping import ScopedModel


class LogPlace(ScopedModel):
    """How far the event log of an interface's device was read, and how that went."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="log_place"
    )
    way = models.CharField(max_length=320, blank=True)  # driver, address and port by which it was read
    place = models.JSONField(default=dict)  # the driver's own; the next look begins there
    looks = models.PositiveIntegerField(default=0)  # that were kept: who began before the last of them keeps nothing
    filled = models.FloatField(null=True)  # in %, where the device tells
    wraps = models.BooleanField(default=False)
    asked_at = models.DateTimeField(null=True)  # whatever came of it; None: the next poll looks
    read_at = models.DateTimeField(null=True)
    error = PhraseField(default=Phrase, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("place in an event log")
        verbose_name_plural = _("places in event logs")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.read_at}"


class LoggedEntry(ScopedModel):
    """One entry of an event log that a device keeps by itself; it stays when the device's own log is emptied."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="logged_entries",
        db_index=False,
    )
    key = models.CharField(_("number in the device"), max_length=200)
    at = models.DateTimeField(_("occurred"), null=True, blank=True)  # None: the device had no clock yet
    placed_at = models.DateTimeField(_("time"))  # by which it stands among others: its own, else that of its neighbour
    read_at = models.DateTimeField(_("read"))
    status = models.CharField(_("status"), max_length=10, choices=Status)
    asserted = models.BooleanField(_("came"), default=True)  # False: what it tells of is over
    source = models.CharField(_("source"), max_length=200, blank=True)
    text = PhraseField(_("text"))
    raw = models.TextField(_("as the device wrote it"), blank=True)
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)  # when the log was found emptied of it

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("entry of an event log")
        verbose_name_plural = _("entries of event logs")
        indexes = [models.Index(fields=["interface", "-placed_at", "-id"], name="monitoring_entry_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["interface", "key"], condition=Q(cleared_at=None), name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="%(app_label)s_%(class)s_known_status"),
        ]

    def __str__(self) -> str:
        return str(self.text)

    @property
    def severity(self) -> str:
        """Give how bad it is in the words of alerts: what is well and begins is information, what ends is normal."""
        return "information" if self.asserted and self.status == Status.NORMAL else self.status
