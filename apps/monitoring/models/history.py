"""History of readings: packed rows against immutable lists of sensors, never one row per value.

Packed columns are written and read by ``apps.monitoring.packing`` only. Moments of history are whole milliseconds since
1970 (UTC): two databases compute with them alike.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.components.models import ManagementInterface
from apps.core.scoping import ScopedModel


class SensorLayout(models.Model):
    """An immutable list of sensors: what each place of a packed row measures. Equal interfaces share it."""

    digest = models.BinaryField(max_length=16, unique=True)
    sensors = models.BinaryField()  # zlib of JSON: [[key, name, quantity, unit, [four limits] or null], …]
    size = models.PositiveIntegerField()
    used_at = models.DateTimeField(default=timezone.now)  # when a writer looked it up last; old and unused ones go

    class Meta:
        verbose_name = _("sensor layout")
        verbose_name_plural = _("sensor layouts")

    def __str__(self) -> str:
        return f"{self.size} sensors"


class Sample(ScopedModel):
    """All values of one interface at one poll."""

    interface = models.ForeignKey(ManagementInterface, on_delete=models.CASCADE, related_name="samples", db_index=False)
    at = models.BigIntegerField()
    layout = models.ForeignKey(SensorLayout, on_delete=models.PROTECT, related_name="+")
    values = models.BinaryField()  # packed float32

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        constraints = [models.UniqueConstraint(fields=["interface", "at"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.at}"


class Span(models.TextChoices):
    """How much time one roll-up covers."""

    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")


class RollUp(ScopedModel):
    """Minimum, mean, maximum and number of values of each sensor of an interface over an hour or a day."""

    interface = models.ForeignKey(
        ManagementInterface, on_delete=models.CASCADE, related_name="roll_ups", db_index=False
    )
    span = models.CharField(max_length=4, choices=Span)
    at = models.BigIntegerField()  # where the span begins
    layout = models.ForeignKey(SensorLayout, on_delete=models.PROTECT, related_name="+")
    values = models.BinaryField()  # packed float32, four rows: min, mean, max, count

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("roll-up")
        verbose_name_plural = _("roll-ups")
        constraints = [
            models.UniqueConstraint(fields=["interface", "span", "at"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(span__in=Span.values), name="%(app_label)s_%(class)s_known_span"),
        ]

    def __str__(self) -> str:
        return f"{self.interface_id} {self.span} @ {self.at}"


class RollUpProgress(models.Model):
    """How far the roll-ups of a span have come: everything that ended by then is done."""

    span = models.CharField(max_length=4, choices=Span, primary_key=True)
    until = models.BigIntegerField()

    class Meta:
        verbose_name = _("roll-up progress")
        verbose_name_plural = _("roll-up progress")

    def __str__(self) -> str:
        return f"{self.span} until {self.until}"
