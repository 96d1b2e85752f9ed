"""One fact that arrived or was raised."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.alerts.models.definition import DEFAULT_ALERT_TYPE, AlertDefinition, Severity
from apps.alerts.models.incident import Incident
from apps.components.models import Component
from apps.core.fields import PhraseField
from apps.core.scoping import Scoped


class Quiet(models.TextChoices):
    """Why nobody is told of an alert; one without a reason is told."""

    NO = "", ""
    SUSPENDED = "suspended", _("The component is suspended.")
    ACKNOWLEDGED = "acknowledged", _("The problem is acknowledged.")


class AlertQuerySet(Scoped):
    """Words for asking after alerts. One without a component is seen only by who sees the whole fleet."""

    def matched(self) -> Self:
        """Keep those that a definition explains."""
        return self.filter(matched=True)

    def unmatched(self) -> Self:
        """Keep those that no enabled definition explains."""
        return self.filter(matched=False)

    def before(self, pk: int) -> Self:
        """Keep those that came before that one; the list is walked by this, never by offset."""
        return self.filter(pk__lt=pk)

    def received_after(self, moment: datetime) -> Self:
        """Keep those that came after a moment."""
        return self.filter(received_at__gt=moment)


class Alert(models.Model):
    """One alert. The facts (first block) never change; what they mean changes only through ``services.reinterpret``."""

    received_at = models.DateTimeField(_("received"), default=timezone.now)
    occurred_at = models.DateTimeField(_("occurred"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=20)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    version = models.CharField(_("version"), max_length=4, blank=True)
    trap_oid = models.CharField(_("trap OID"), max_length=1500, blank=True)
    enterprise = models.CharField(_("enterprise"), max_length=1500, blank=True)  # where the notification names one
    request_id = models.BigIntegerField(_("request id"), null=True, blank=True)
    bindings = models.JSONField(_("bindings"), default=list, blank=True)
    datagram = models.BinaryField(_("datagram"), blank=True, default=b"")  # as it came, the community blanked out
    digest = models.CharField(_("hash"), max_length=32, blank=True)  # of the datagram: recognises a repeated inform

    component = models.ForeignKey(
        Component,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        verbose_name=_("component"),
        db_index=False,  # the one with the id behind it serves
    )
    component_name = models.CharField(_("component"), max_length=200, blank=True)
    candidates = models.JSONField(
        _("candidates"), default=list, blank=True
    )  # ids of the components that it may have come from
    definition = models.ForeignKey(
        AlertDefinition,
        verbose_name=_("definition"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
    )
    matched = models.BooleanField(_("matched"), default=True)
    object = models.CharField(_("object"), max_length=200, blank=True)
    severity = models.CharField(_("severity"), max_length=12, choices=Severity, default=Severity.UNKNOWN.value)
    alert_type = models.CharField(_("type"), max_length=60, default=DEFAULT_ALERT_TYPE)
    product = models.CharField(_("product"), max_length=200, blank=True)  # the sender's family and model, where known
    title = PhraseField(_("title"))
    detail = PhraseField(_("detail"), default="", blank=True)
    remedy = PhraseField(_("what to do"), default="", blank=True)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), null=True, blank=True, on_delete=models.SET_NULL, related_name="alerts"
    )
    quiet = models.CharField(_("quiet"), max_length=20, choices=Quiet, blank=True, default="")

    objects = AlertQuerySet.as_manager()
    scope_path = "component__group"

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        indexes = [
            models.Index(fields=["matched", "-id"], name="alerts_alert_matched"),
            models.Index(fields=["component", "-id"], name="alerts_alert_component"),
            models.Index(fields=["severity", "-id"], name="alerts_alert_severity"),
            models.Index(fields=["alert_type", "-id"], name="alerts_alert_type"),
            models.Index(fields=["received_at"], name="alerts_alert_received"),
            models.Index(fields=["digest"], condition=~Q(digest=""), name="alerts_alert_digest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="%(app_label)s_%(class)s_known_severity"
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        """Give the alert's own page."""
        return reverse("alerts:alert", args=[self.pk])

    @property
    def where(self) -> str:
        """Give the component as pages call it, the name of one that is gone, else the address it came from."""
        return str(self.component) if self.component is not None else self.component_name or self.address or ""
