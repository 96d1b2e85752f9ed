"""What reception counts but does not keep."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core import rows


class Count(models.TextChoices):
    """What is counted."""

    RECEIVED = "received", pgettext_lazy("number", "Received")
    STORED = "stored", _("Stored")
    REPEATED = "repeated", _("Informs repeated by their sender")
    MALFORMED = "malformed", _("Not readable")
    REFUSED = "refused", _("Refused: unknown community")
    VERSION = "version", _("Refused: version not accepted")
    UNKNOWN_ENGINE = "unknown-engine", _("Refused: no valid engine id")
    UNKNOWN_USER = "unknown-user", _("Refused: unknown user")
    LEVEL = "level", _("Refused: security level")
    WRONG_DIGEST = "wrong-digest", _("Refused: authentication password or protocol")
    NOT_IN_TIME = "not-in-time", _("Refused: old message")
    UNDECIPHERABLE = "undecipherable", _("Refused: privacy password or protocol")
    TOO_MANY = "too-many", _("Refused: too many wrong signatures at once")
    EVENT_PATH = "event-path", _("Refused: event for an address that nobody was given")
    EVENT_CONTEXT = "event-context", _("Refused: event with a foreign context")
    EVENT_KIND = "event-kind", _("Refused: report of measured values")
    ASKED = "asked", _("Told: our engine id and its clock")
    SUPPRESSED = "suppressed", _("Suppressed: too many at once")
    DROPPED = "dropped", _("Dropped: the waiting line was full")
    LOST = "lost", _("Lost by the operating system: the receive buffer was full")
    FAILED = "failed", _("Not storable")


REFUSALS = frozenset(
    {
        Count.REFUSED,
        Count.VERSION,
        Count.UNKNOWN_ENGINE,
        Count.UNKNOWN_USER,
        Count.LEVEL,
        Count.WRONG_DIGEST,
        Count.NOT_IN_TIME,
        Count.UNDECIPHERABLE,
        Count.TOO_MANY,
    }
)
"""What the sender has to be set right for."""


class Counter(models.Model):
    """A number that only grows."""

    name = models.CharField(_("name"), max_length=20, primary_key=True, choices=Count)
    value = models.PositiveBigIntegerField(_("value"), default=0)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name = _("reception counter")
        verbose_name_plural = _("reception counters")

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

    @classmethod
    def add(cls, counts: dict[str, int]) -> None:
        """Add to several counters, inside the caller's transaction."""
        now = rows.moment(timezone.now())
        rows.insert(
            cls,
            ("name", "value", "changed_at"),
            [(name, number, now) for name, number in sorted(counts.items()) if number],
            f"ON CONFLICT (name) DO UPDATE SET value = {cls._meta.db_table}.value + excluded.value,"
            " changed_at = excluded.changed_at",
        )

    @classmethod
    def values(cls) -> dict[str, int]:
        """Give every count, 0 where nothing was counted."""
        stored = dict(cls.objects.values_list("name", "value"))
        return {name: stored.get(name, 0) for name in Count.values}
