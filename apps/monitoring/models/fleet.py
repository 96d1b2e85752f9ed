"""History turned round: one quantity of many components at once, packed like the history of each."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class FleetQuantity(models.TextChoices):
    """What is told of a whole fleet: one value for each component."""

    CPU = "cpu", _("CPU load")  # %
    MEMORY = "memory", _("Memory")  # %
    DISK = "disk", _("Fullest disk")  # %
    TEMPERATURE = "temperature", _("Inlet temperature")  # °C
    POWER = "power", _("Power")  # W
    TRAFFIC = "traffic", _("Busiest port")  # bit/s


class FleetSpan(models.TextChoices):
    """How much time one row of the fleet covers; a sample is one moment."""

    SAMPLE = "sample", _("Sample")
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")
    WEEK = "week", _("Week")


class FleetValues(models.Model):
    """One quantity of many components over one span: the roll-ups turned round, so that a fleet is read by few rows.

    ``part`` is the component's id divided by a number; the reader picks the components that somebody may see.
    """

    span = models.CharField(max_length=6, choices=FleetSpan)
    quantity = models.CharField(max_length=12, choices=FleetQuantity)
    at = models.BigIntegerField()
    part = models.PositiveIntegerField()
    components = models.BinaryField()  # packed ids
    values = models.BinaryField()  # packed float32; of a sample one row, else four: min, mean, max, count

    class Meta:
        verbose_name = _("values of the fleet")
        verbose_name_plural = _("values of the fleet")
        constraints = [
            models.UniqueConstraint(fields=["span", "quantity", "at", "part"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(span__in=FleetSpan.values), name="%(app_label)s_%(class)s_known_span"),
            models.CheckConstraint(
                condition=Q(quantity__in=FleetQuantity.values), name="%(app_label)s_%(class)s_known_quantity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.span} @ {self.at}"
