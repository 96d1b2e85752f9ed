"""The ways in which a component is managed, who holds one at the moment, and the parts they found."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.components.models.component import Component
from apps.components.models.credential import Credential
from apps.components.models.status import Status
from apps.core.fields import PhraseField
from apps.core.phrases import Phrase
from apps.core.scoping import Scoped, ScopedModel


class ManagementInterfaceQuerySet(Scoped):
    """Words for asking after interfaces."""

    def managed(self) -> Self:
        """Keep those that are watched: enabled, of a managed component."""
        return self.filter(enabled=True, component__unmanaged=False)

    def due(self, now: datetime) -> Self:
        """Keep those whose next poll is due."""
        return self.filter(next_poll_at__lte=now)


class ManagementInterface(models.Model):
    """One way of managing a component: a driver, an address, a credential, and how the last contact went."""

    component = models.ForeignKey(
        Component, verbose_name=_("component"), on_delete=models.CASCADE, related_name="interfaces"
    )
    driver = models.CharField(_("driver"), max_length=40)
    address = models.CharField(_("address"), max_length=253)
    port = models.PositiveIntegerField(_("port"), null=True, blank=True)
    credential = models.ForeignKey(
        Credential,
        verbose_name=_("credential"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="interfaces",
    )
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.UNKNOWN.value, editable=False)
    last_polled_at = models.DateTimeField(_("last polled"), null=True, blank=True, editable=False)
    last_answer_at = models.DateTimeField(_("last answer"), null=True, blank=True, editable=False)
    last_error = PhraseField(_("last error"), default=Phrase, blank=True, editable=False)
    last_error_code = models.CharField(_("last error code"), max_length=24, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures"), default=0, editable=False)  # in a row
    next_poll_at = models.DateTimeField(_("next poll"), default=timezone.now, null=True, blank=True, editable=False)
    next_inventory_at = models.DateTimeField(
        _("next inventory"), default=timezone.now, null=True, blank=True, editable=False
    )
    # The version of the credential that this device refused: not offered again until it is changed or somebody asks.
    refused_version = models.PositiveIntegerField(_("refused version"), null=True, blank=True, editable=False)
    refused_at = models.DateTimeField(_("refused"), null=True, blank=True, editable=False)
    state = models.JSONField(
        _("state"), default=dict, blank=True, editable=False
    )  # what the driver wants to find next time
    identity = models.JSONField(
        _("identity"), default=dict, blank=True, editable=False
    )  # what the device said of itself last

    # The power actions that the device offers, as it told last; null: it has not told yet.
    power_actions = models.JSONField(_("power actions"), null=True, blank=True, editable=False)
    # Host name → the addresses that it stood for when it was looked up last: alerts come from addresses.
    stands_for = models.JSONField(_("stands for"), default=dict, blank=True, editable=False)

    # Somebody took it out of a component: it is not joined with another one by itself.
    kept_apart = models.BooleanField(_("kept apart"), default=False, editable=False)

    objects = ManagementInterfaceQuerySet.as_manager()
    scope_path = "component__group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("management interface")
        verbose_name_plural = _("management interfaces")
        indexes = [
            models.Index(fields=["next_poll_at"], condition=Q(enabled=True), name="components_interface_due"),
            models.Index(fields=["address"], name="components_interface_addr"),
        ]
        constraints = [
            models.UniqueConstraint(
                "driver",
                Lower("address"),
                Coalesce("port", 0),
                name="%(app_label)s_%(class)s_once",
                violation_error_message=_("This address is managed in this way already."),
            ),
            models.CheckConstraint(
                condition=Q(port=None) | Q(port__gte=1, port__lte=65535), name="%(app_label)s_%(class)s_port"
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="%(app_label)s_%(class)s_known_status"),
        ]

    def __str__(self) -> str:
        return f"{self.driver} {self.address}"


CONSOLE = "console"
"""The purpose that holds back polls alone: orders and checks by hand go on while somebody looks at the screen."""


class Reservation(models.Model):
    """Somebody holds an interface for himself: an order, an update; polls look at it. A console may come on top.

    An order that was given and is only looked for keeps further orders away, and polls no more.
    """

    interface = models.ForeignKey(ManagementInterface, on_delete=models.CASCADE, related_name="reservations")
    purpose = models.CharField(max_length=40)
    holder = models.CharField(max_length=200)
    until = models.DateTimeField()
    lets_read = models.BooleanField(default=False)  # polls and checks need not wait for its end

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(
                fields=["interface"], condition=~Q(purpose=CONSOLE), name="%(app_label)s_%(class)s_one_writer"
            ),
            models.UniqueConstraint(
                fields=["interface"], condition=Q(purpose=CONSOLE), name="%(app_label)s_%(class)s_one_console"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interface}: {self.purpose}"


class InventoryItem(ScopedModel):
    """One part of a device as an interface listed it at its last inventory."""

    interface = models.ForeignKey(ManagementInterface, on_delete=models.CASCADE, related_name="inventory")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=300)
    status = models.CharField(max_length=10, choices=Status, blank=True)
    details = models.JSONField(default=dict, blank=True)
    section = models.CharField(max_length=40, blank=True, default="")  # that the driver reads apart from others
    traits = models.JSONField(default=dict, blank=True)  # where there are any: passing details, brief, partial
    read_at = models.DateTimeField(default=timezone.now)  # older than its neighbours: its section could not be read

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["kind", "pk"]
        verbose_name = _("inventory item")
        verbose_name_plural = _("inventory items")
        constraints = [
            models.UniqueConstraint(fields=["interface", "kind", "key"], name="%(app_label)s_%(class)s_once"),
        ]

    def __str__(self) -> str:
        return self.name
