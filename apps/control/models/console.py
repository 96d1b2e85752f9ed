"""The consoles that are or were open: on what, by whom, for how long, and what became of them."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.components.models import Component, ManagementInterface
from apps.core.fields import PhraseField
from apps.core.phrases import Phrase
from apps.core.scoping import Scoped, ScopedModel


class ConsoleEnd(models.TextChoices):
    """Why a console is not open any more."""

    CLOSED = "closed", _("Closed by a user")
    LEFT = "left", _("Everybody had left")
    IDLE = "idle", _("Nobody typed any more")
    BARRED = "barred", _("Nobody who had it open may have it open any more")
    FAILED = "failed", _("Could not be opened")
    LOST = "lost", _("The connection to the controller was lost")
    STOPPED = "stopped", _("The portal was stopped")
    DIED = "died", _("The console process had ended unexpectedly")


class ConsoleQuerySet(Scoped):
    """Words for asking after consoles."""

    def open(self) -> Self:
        """Keep those that are open now."""
        return self.filter(closed_at=None)

    def older_than(self, moment: datetime) -> Self:
        """Keep those that were closed before a moment."""
        return self.filter(closed_at__lt=moment)


class ConsoleSession(ScopedModel):
    """One console, from opening to closing; one interface has at most one that is open."""

    component = models.ForeignKey(
        Component, verbose_name=_("component"), on_delete=models.CASCADE, related_name="console_sessions"
    )
    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="console_sessions",
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("opened by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    opened_by_name = models.CharField(_("opened by"), max_length=150)
    opened_from = models.GenericIPAddressField(_("from"), null=True)
    holder_name = models.CharField(pgettext_lazy("console", "holder"), max_length=150, blank=True)
    method = models.CharField(_("method"), max_length=60, blank=True)
    speed = models.PositiveIntegerField(_("speed"), null=True)
    mark = models.CharField(max_length=100, blank=True)  # names what would be left over at the controller
    closed_at = models.DateTimeField(_("closed"), null=True)
    end = models.CharField(_("end"), max_length=10, choices=ConsoleEnd.choices, blank=True)
    reason = PhraseField(_("reason"), default=Phrase, blank=True)
    received = models.PositiveBigIntegerField(_("received"), default=0)  # bytes
    sent = models.PositiveBigIntegerField(_("sent"), default=0)  # bytes; what they were is not kept
    transcript_size = models.PositiveBigIntegerField(_("size of the transcript"), default=0)

    scope_path = "component__group"
    objects: ClassVar = ConsoleQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        verbose_name = pgettext_lazy("serial line", "console")
        verbose_name_plural = pgettext_lazy("serial line", "consoles")
        indexes = [models.Index(fields=["component", "-opened_at"], name="control_console_recent")]
        constraints = [
            models.UniqueConstraint(
                fields=["interface"], condition=models.Q(closed_at=None), name="%(app_label)s_%(class)s_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.component}: {self.opened_at:%Y-%m-%d %H:%M}"

    @property
    def duration(self) -> timedelta:
        """Give how long it was, or has been, open."""
        return (self.closed_at or timezone.now()) - self.opened_at
