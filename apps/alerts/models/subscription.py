"""Devices that send their events here by themselves, and those that could not be told to stop.

The rows are alerts' own: the receiver, which belongs to alerts, has to know them, and nothing above alerts may be asked
from there.
"""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.components.models import ManagementInterface
from apps.core.fields import EncryptedJSONField, PhraseField
from apps.core.phrases import Phrase
from apps.core.scoping import Scoped


class SubscriptionState(models.TextChoices):
    """How far a subscription is."""

    WANTED = "wanted", _("not made yet")
    ACTIVE = "active", pgettext_lazy("subscription", "in force")
    FAILED = "failed", _("not possible just now")
    UNSUPPORTED = "unsupported", _("not offered by the device")


class EventSubscriptionQuerySet(Scoped):
    """Words for asking after subscriptions."""

    def due(self, now: datetime) -> Self:
        """Keep those that are to be looked at."""
        return self.filter(due_at__lte=now)


class EventSubscription(models.Model):
    """What one interface's device was asked to send here. Its path is known by a hash alone.

    ``next_hash`` is of the path that is offered while the device is spoken to: it may send before it has answered.
    """

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, related_name="event_subscription", verbose_name=_("interface")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=SubscriptionState, default=SubscriptionState.WANTED.value
    )
    context = models.CharField(max_length=64, editable=False)
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    next_hash = models.CharField(max_length=64, blank=True, editable=False)
    uri = models.CharField(_("name at the device"), max_length=500, blank=True)
    place = models.CharField(_("sends to"), max_length=300, blank=True)  # the destination without its path
    certificate = models.CharField(max_length=64, blank=True, editable=False)  # ours, when it was made
    tests = models.BooleanField(_("can send a test event"), default=False)
    others = models.JSONField(_("also sends to"), default=list, blank=True)  # addresses of other managers
    since = models.DateTimeField(_("subscribed since"), null=True, blank=True)
    looked_at = models.DateTimeField(_("last looked at"), null=True, blank=True)
    due_at = models.DateTimeField(_("next look"), default=timezone.now, null=True)
    failures = models.PositiveIntegerField(default=0)
    interrupted = models.BooleanField(default=False)  # the device was away: it may have forgotten us
    last_error = PhraseField(_("last error"), default=Phrase, blank=True)
    last_event_at = models.DateTimeField(_("last event"), null=True, blank=True)

    objects = EventSubscriptionQuerySet.as_manager()
    scope_path = "interface__component__group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("event subscription")
        verbose_name_plural = _("event subscriptions")
        indexes = [models.Index(fields=["due_at"], name="alerts_subscription_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SubscriptionState.values), name="%(app_label)s_%(class)s_known_state"
            ),
        ]

    def __str__(self) -> str:
        return str(self.interface)

    @property
    def managers(self) -> int:
        """Give to how many managers the device sends, us among them."""
        return len(self.others) + (1 if self.state == SubscriptionState.ACTIVE else 0)


class Farewell(models.Model):
    """A device that has to be told to send no more, kept after its component has gone, with what is needed for it.

    The login is forgotten as soon as nobody tries any more: ``due_at`` is None then.
    """

    name = models.CharField(_("component"), max_length=200)
    driver = models.CharField(_("driver"), max_length=40)
    address = models.CharField(_("address"), max_length=253)
    port = models.PositiveIntegerField(_("port"), null=True, blank=True)
    uri = models.CharField(_("name at the device"), max_length=500)
    context = models.CharField(max_length=64, editable=False)
    login = EncryptedJSONField(editable=False)  # kind, credential, parameters, state of the driver
    made_at = models.DateTimeField(_("since"), default=timezone.now)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now, null=True, blank=True)
    tries = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = PhraseField(_("last error"), default=Phrase, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("subscription to be removed")
        verbose_name_plural = _("subscriptions to be removed")

    def __str__(self) -> str:
        return f"{self.name} ({self.address})"

    @property
    def is_given_up(self) -> bool:
        """Say whether nobody tries any more."""
        return self.due_at is None

    def facts(self) -> dict[str, Any]:
        """Give what the audit keeps of it."""
        return {"driver": self.driver, "address": self.address, "uri": self.uri}
