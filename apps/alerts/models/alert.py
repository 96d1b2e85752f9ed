"""One fact that arrived or was raised."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.alerts.models.definition import DEFAULT_ALERT_TYPE, AlertDefinition, Severity
from apps.alerts.models.incident import Incident, OfComponents
from apps.components.models import Component
from apps.core.fields import PhraseField

WALK = ("received_at", "id", "component", "matched")
FEW_INCIDENTS = 5000
FEW_ALERTS = 20_000


class Quiet(models.TextChoices):
    """Why nobody is told of an alert; one without a reason is told."""

    NO = "", ""
    SUSPENDED = "suspended", _("The component is suspended.")
    ACKNOWLEDGED = "acknowledged", _("The problem is acknowledged.")


class AlertQuerySet(OfComponents):
    """Words for asking after alerts. Lists are walked in the order in which they were received, never by offset."""

    def matched(self) -> Self:
        """Keep those that a definition explains."""
        return self.filter(matched=True)

    def unmatched(self) -> Self:
        """Keep those that no enabled definition explains."""
        return self.filter(matched=False)

    def newest_first(self) -> Self:
        """Order by the time of receipt."""
        return self.order_by("-received_at", "-pk")

    def before(self, pk: int) -> Self:
        """Keep those older than an alert; where that one is gone, than its place."""
        at = Alert.objects.filter(pk__lte=pk).order_by("-pk").values_list("received_at", flat=True).first()
        if at is None:
            return self.none()
        return self.filter(Q(received_at__lt=at) | Q(received_at=at, pk__lt=pk), received_at__lte=at)

    def after(self, alert: "Alert") -> Self:
        """Keep those newer than an alert."""
        at = alert.received_at
        return self.filter(Q(received_at__gt=at) | Q(received_at=at, pk__gt=alert.pk), received_at__gte=at)

    def received_after(self, moment: datetime) -> Self:
        """Keep those that came after a moment."""
        return self.filter(received_at__gt=moment)

    def silenced(self, reasons: Iterable[str]) -> Self:
        """Keep those that nobody was told of, for one of these reasons; the second term names the index."""
        return self.filter(~Q(quiet=""), quiet__in=reasons)

    def in_states(self, states: Iterable[str]) -> Self:
        """Keep those whose incident is in one of these states.

        A few incidents are asked for their alerts, which are then sorted; of many, each alert on the way is asked for
        its incident.
        """
        incidents = Incident.objects.filter(state__in=states).order_by()
        some = incidents[: FEW_INCIDENTS + 1].aggregate(incidents=Count("pk"), alerts=Sum("count"))
        if some["incidents"] <= FEW_INCIDENTS and (some["alerts"] or 0) <= FEW_ALERTS:
            return self.filter(incident__in=incidents.values("pk"))
        return self.filter(Exists(incidents.filter(pk=OuterRef("incident"))))


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
        db_index=False,  # another index begins with it
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
        db_index=False,  # the index with the time below begins with it
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
        Incident,
        verbose_name=_("incident"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        db_index=False,  # another index begins with it
    )
    quiet = models.CharField(_("quiet"), max_length=20, choices=Quiet, blank=True, default="")

    objects = AlertQuerySet.as_manager()
    scope_path = "component__group"

    class Meta:
        ordering = ["-received_at", "-pk"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        # Every index costs each alert that arrives. Those over a word of which there are few are cheap, because they
        # grow in few places; those over component and address are not. What is checked of every row while a list is
        # walked (scope, tab) stands behind what orders it, so that rows that do not match are never read.
        indexes = [
            models.Index(fields=["received_at", "id", "component", "matched"], name="alerts_alert_walk"),
            models.Index(fields=["severity", *WALK], name="alerts_alert_severity"),
            models.Index(fields=["alert_type", *WALK], name="alerts_alert_type"),
            models.Index(fields=["source", *WALK], name="alerts_alert_source"),
            models.Index(fields=["component", "received_at", "id", "matched"], name="alerts_alert_component"),
            models.Index(
                fields=["address", "received_at", "id", "component"],
                condition=Q(address__isnull=False),
                name="alerts_alert_address",
            ),
            models.Index(
                fields=["incident", "received_at", "id"],
                condition=Q(incident__isnull=False),
                name="alerts_alert_incident",
            ),
            models.Index(
                fields=["received_at", "id", "component"], condition=Q(matched=False), name="alerts_alert_unmatched"
            ),
            models.Index(fields=["quiet", *WALK], condition=~Q(quiet=""), name="alerts_alert_quiet"),
            models.Index(
                fields=["component_name", "received_at", "id"],
                condition=Q(component__isnull=True) & ~Q(component_name=""),
                name="alerts_alert_gone",
            ),
            models.Index(fields=["definition", "received_at"], name="alerts_alert_definition"),
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
