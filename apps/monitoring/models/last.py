"""What was heard last of each interface: its values, ports, states and power."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.components.models import ManagementInterface
from apps.core.scoping import ScopedModel
from apps.monitoring.models.history import SensorLayout


class LastValues(ScopedModel):
    """What an interface measured last."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_values"
    )
    layout = models.ForeignKey(SensorLayout, on_delete=models.PROTECT, related_name="+")
    values = models.BinaryField()  # packed float64
    statuses = models.TextField()  # one letter for each sensor: c, w, u, n
    whys = models.TextField(blank=True)  # JSON: {"needs two readings": [places], …}
    measured_at = models.DateTimeField()

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last values")
        verbose_name_plural = _("last values")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.measured_at}"


class LastPorts(ScopedModel):
    """The ports of an interface's device at its last two polls; rates are made from both when somebody looks."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_ports"
    )
    report = models.BinaryField()
    measured_at = models.DateTimeField()
    previous = models.BinaryField(null=True)
    previous_at = models.DateTimeField(null=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last ports")
        verbose_name_plural = _("last ports")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.measured_at}"


class LastStates(ScopedModel):
    """What the parts of an interface's device said of themselves last, each with the time it began."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_states"
    )
    states = models.TextField()  # JSON: [[key, name, kind, [words], status, told_at, since], …], times since 1970
    measured_at = models.DateTimeField()

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last states")
        verbose_name_plural = _("last states")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.measured_at}"


class LastPower(ScopedModel):
    """What a power meter said last besides the watts, which are a reading: its own extremes, and the cap."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_power"
    )
    minimum = models.FloatField(null=True)
    average = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    seconds = models.FloatField(null=True)  # that the three are over
    cap = models.FloatField(null=True)  # NULL: there is none
    throttled = models.BooleanField(null=True)  # NULL: not told
    told_at = models.DateTimeField()

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last power")
        verbose_name_plural = _("last power")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.told_at}"
