"""What changed of the parts of a device from one inventory to the next."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.components.models import ManagementInterface
from apps.core.scoping import ScopedModel


class Change(models.TextChoices):
    """What became of a part."""

    APPEARED = "appeared", pgettext_lazy("part", "Appeared")
    GONE = "gone", pgettext_lazy("part", "Gone")
    REPLACED = "replaced", pgettext_lazy("part", "Replaced")  # there is another serial number in its place
    CHANGED = "changed", pgettext_lazy("part", "Changed")


class InventoryChange(ScopedModel):
    """One part of a device that was not there, was gone, or was another one when the parts were read again.

    Facts are ``[label, before, after]``, labels and values as drivers say them; of a part that appeared there is no
    before, of one that is gone no after.
    """

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="inventory_changes",
        db_index=False,
    )
    at = models.DateTimeField(_("noticed"))
    change = models.CharField(pgettext_lazy("part", "change"), max_length=10, choices=Change)
    kind = models.CharField(_("kind"), max_length=20)
    key = models.CharField(_("number in the device"), max_length=200)
    name = models.CharField(_("part"), max_length=300)
    facts = models.JSONField(_("details"), default=list)
    words = models.TextField()  # what a search looks at: the values of the facts

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["-pk"]  # they are written in the order of time
        verbose_name = _("inventory change")
        verbose_name_plural = _("inventory changes")
        indexes = [models.Index(fields=["interface", "-id"], name="monitoring_change_newest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(change__in=Change.values), name="%(app_label)s_%(class)s_known_change"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_change_display()}"
