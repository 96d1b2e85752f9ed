"""What identifies the machine behind an interface, kept apart so that the same machine is found by an index."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.components.models.interface import ManagementInterface
from apps.core.scoping import ScopedModel


class MachineIdKind(models.TextChoices):
    """By what a machine is recognised."""

    UUID = "uuid", _("Hardware UUID")
    SERIAL = "serial", _("Serial number")
    MAC = "mac", _("MAC address")


class MachineId(ScopedModel):
    """One identifying value that an interface said of its machine, in lower case."""

    interface = models.ForeignKey(ManagementInterface, on_delete=models.CASCADE, related_name="machine_ids")
    kind = models.CharField(max_length=8, choices=MachineIdKind)
    value = models.CharField(max_length=100)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("machine identifier")
        verbose_name_plural = _("machine identifiers")
        indexes = [models.Index(fields=["kind", "value"], name="components_machine_value")]
        constraints = [
            models.UniqueConstraint(fields=["interface", "kind", "value"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=MachineIdKind.values), name="%(app_label)s_%(class)s_known_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
