"""One managed device."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Trim
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.components.models.status import Status
from apps.core.scoping import Scoped
from apps.groups.models import Group


class Category(models.TextChoices):
    """What a component is."""

    SERVER = "server", _("Server")
    HYPERVISOR = "hypervisor", _("Hypervisor")
    CHASSIS = "chassis", _("Chassis")
    STORAGE = "storage", _("Storage")
    NETWORK = "network", _("Network device")
    UPS = "ups", _("UPS")
    COMPUTER = "computer", _("Other computer")
    ALERT_ONLY = "alert-only", _("Alerts only")
    EXPETHER = "expether", _("ExpEther")


class PowerSwitch(models.TextChoices):
    """Whether a machine is powered."""

    ON = "on", pgettext_lazy("power", "On")
    OFF = "off", pgettext_lazy("power", "Off")


class ComponentQuerySet(Scoped):
    """Words for asking after components."""

    def managed(self) -> Self:
        """Keep those that are watched."""
        return self.filter(unmanaged=False)

    def search(self, words: str) -> Self:
        """Keep those whose own texts or addresses contain every word."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(search_text__contains=word.casefold())
        return found


class Component(models.Model):
    """A server or device. What it is called and where it stands is ours; what it is, its interfaces say."""

    name = models.CharField(_("name"), max_length=200)
    alias = models.CharField(_("alias"), max_length=200, blank=True)
    category = models.CharField(_("category"), max_length=12, choices=Category, default=Category.SERVER.value)
    group = models.ForeignKey(Group, verbose_name=_("group"), on_delete=models.PROTECT, related_name="components")
    parent = models.ForeignKey(
        "self", verbose_name=_("parent"), null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )
    slot = models.CharField(_("slot"), max_length=40, blank=True)
    uuid = models.UUIDField(_("hardware UUID"), null=True, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=100, blank=True)
    manufacturer = models.CharField(_("manufacturer"), max_length=100, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    operating_system = models.CharField(_("operating system"), max_length=300, blank=True)
    location = models.CharField(_("location"), max_length=300, blank=True)
    alert_addresses = models.JSONField(_("alert addresses"), default=list, blank=True)
    # By the names of functions (apps.components.ownership) which other manager has them; "" is "nobody noted it".
    managed_elsewhere = models.JSONField(_("managed by other managers"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.UNKNOWN.value, editable=False)
    status_since = models.DateTimeField(_("status since"), default=timezone.now, editable=False)
    suspended = models.BooleanField(_("suspended"), default=False, editable=False)  # as suspend periods say
    suspended_until = models.DateTimeField(_("suspended until"), null=True, blank=True, editable=False)
    suspension = models.ForeignKey(  # of several periods the one that ends last
        "components.SuspendPeriod",
        verbose_name=_("suspended by"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    unmanaged = models.BooleanField(_("not managed"), default=False)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True, editable=False)
    up_since = models.DateTimeField(_("up since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # What lists sort and facet by; None is "not measured".
    cpu = models.FloatField(_("CPU load"), null=True, blank=True, editable=False)  # %
    memory = models.FloatField(_("memory"), null=True, blank=True, editable=False)  # %
    disk = models.FloatField(_("fullest disk"), null=True, blank=True, editable=False)  # %
    temperature = models.FloatField(_("inlet temperature"), null=True, blank=True, editable=False)  # °C
    power = models.FloatField(_("power"), null=True, blank=True, editable=False)  # W
    # Whether it is on, by the word of its controller; "" is "nobody has told yet".
    power_state = models.CharField(
        _("power state"), max_length=3, choices=PowerSwitch, blank=True, default="", editable=False
    )
    power_seen_at = models.DateTimeField(_("power state seen"), null=True, blank=True, editable=False)
    power_since = models.DateTimeField(_("power state since"), null=True, blank=True, editable=False)
    # Why it last started, an English phrase of its driver; "" is "nobody tells".
    restart_cause = models.CharField(_("cause of the last start"), max_length=100, blank=True, editable=False)
    search_text = models.TextField(
        _("text for searches"), editable=False, default="", blank=True
    )  # casefolded; kept by services

    objects = ComponentQuerySet.as_manager()
    scope_path = "group"

    class Meta:
        ordering = ["name"]
        verbose_name = _("component")
        verbose_name_plural = _("components")
        indexes = [
            models.Index(fields=["group", "status"], name="components_group_status"),
            models.Index(fields=["status"], name="components_status"),
            models.Index(fields=["category"], name="components_category"),
            models.Index(fields=["suspended"], condition=Q(suspended=True), name="components_suspended"),
            models.Index(fields=["name"], name="components_name"),
            models.Index(Lower(Trim("serial_number")), name="components_serial"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["uuid"], condition=~Q(uuid=None), name="%(app_label)s_%(class)s_uuid_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="%(app_label)s_%(class)s_known_status"),
            models.CheckConstraint(
                condition=Q(category__in=Category.values), name="%(app_label)s_%(class)s_known_category"
            ),
            models.CheckConstraint(
                condition=Q(power_state__in=["", *PowerSwitch.values]), name="%(app_label)s_%(class)s_known_power"
            ),
            models.CheckConstraint(condition=~Q(parent=models.F("pk")), name="%(app_label)s_%(class)s_not_its_own"),
        ]

    def __str__(self) -> str:
        return self.alias or self.name

    def get_absolute_url(self) -> str:
        """Give the component's page."""
        return reverse("components:component", args=[self.pk])

    @property
    def audit_name(self) -> str:
        """Give what the audit calls it: the name, which an alias given for a while does not hide."""
        return self.name

    @property
    def addresses(self) -> list[str]:
        """Give the addresses of its interfaces, each once, in their order."""
        return list(dict.fromkeys(interface.address for interface in self.interfaces.all() if interface.address))
