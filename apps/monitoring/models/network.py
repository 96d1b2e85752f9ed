"""Who answers, who is at the other end of a cable, and which ports nobody watches."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.components.models import Component, ManagementInterface
from apps.core.scoping import ScopedModel


class Liveness(ScopedModel):
    """Whether an address of a component answers ping; written when that changes, not at every sweep."""

    component = models.ForeignKey(
        Component, verbose_name=_("component"), on_delete=models.CASCADE, related_name="liveness", db_index=False
    )
    address = models.CharField(_("address"), max_length=253)
    answers = models.BooleanField(_("answers"))
    since = models.DateTimeField(_("since"))  # since when it answers, or is silent
    lost = models.PositiveIntegerField(
        _("lost"), default=0
    )  # sweeps in a row without an answer, counted up to the retry count
    ever_answered = models.BooleanField(_("ever answered"), default=False)
    access_lost_at = models.DateTimeField(
        _("access lost since"), null=True, blank=True
    )  # told as lost, not yet as recovered

    scope_path = "component__group"

    class Meta:
        verbose_name = _("liveness")
        verbose_name_plural = _("liveness")
        constraints = [models.UniqueConstraint(fields=["component", "address"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.answers}"


class Neighbour(ScopedModel):
    """Who is, or was, at the other end of a cable, by what the device heard (LLDP); written only when that changes."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="neighbours",
        db_index=False,
    )
    local_port = models.CharField(_("local port"), max_length=200)
    port_index = models.BigIntegerField(_("number of the local port"), null=True, blank=True)
    chassis_id = models.CharField(_("chassis"), max_length=255)
    chassis_id_kind = models.CharField(_("kind of chassis identifier"), max_length=20)
    port_id = models.CharField(_("port"), max_length=255)
    port_id_kind = models.CharField(_("kind of port identifier"), max_length=20)
    port_description = models.CharField(_("description of the port"), max_length=255, blank=True)
    system_name = models.CharField(_("name"), max_length=255, blank=True)
    system_description = models.CharField(_("description"), max_length=1000, blank=True)
    capabilities = models.JSONField(_("capabilities"), default=list)
    addresses = models.JSONField(_("addresses"), default=list)
    since = models.DateTimeField(_("since"), default=timezone.now)
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("neighbour")
        verbose_name_plural = _("neighbours")
        indexes = [models.Index(fields=["chassis_id", "port_id"], name="monitoring_neighbour_far_end")]
        constraints = [
            models.UniqueConstraint(
                fields=["interface", "local_port", "chassis_id", "port_id"], name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.local_port}: {self.label}"

    @property
    def label(self) -> str:
        """Give what the neighbour is called: by its name, else its address, else its chassis."""
        return self.system_name or next(iter(self.addresses), "") or self.chassis_id

    @property
    def port_label(self) -> str:
        """Give what the neighbour's port is called: a name, where it told one, and no address."""
        named = self.port_id_kind not in ("mac-address", "local", "network-address")
        return (self.port_id if named else self.port_description) or self.port_description or self.port_id


class ExcludedPort(ScopedModel):
    """A network port that does not count in the status of its component, by its MAC address.

    Without a name it stands for every port with that address: the guide's file knows addresses only.
    """

    component = models.ForeignKey(
        Component, verbose_name=_("component"), on_delete=models.CASCADE, related_name="excluded_ports", db_index=False
    )
    mac_address = models.CharField(_("MAC address"), max_length=17)
    port_name = models.CharField(_("port"), max_length=200, blank=True)
    excluded_at = models.DateTimeField(_("excluded"), default=timezone.now, editable=False)

    scope_path = "component__group"

    class Meta:
        ordering = ["component__name", "mac_address", "port_name"]
        verbose_name = _("excluded port")
        verbose_name_plural = _("excluded ports")
        constraints = [
            models.UniqueConstraint(
                fields=["component", "mac_address", "port_name"], name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.port_name} {self.mac_address}".strip()
