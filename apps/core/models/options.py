"""The values of options."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OptionValue(models.Model):
    """The value of an option that somebody set; an option without a row has its default."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    value = models.JSONField(_("value"))
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    changed_by_name = models.CharField(_("changed by"), max_length=300)

    class Meta:
        ordering = ["name"]
        verbose_name = _("option")
        verbose_name_plural = _("options")

    def __str__(self) -> str:
        return self.name
