"""The passwords that somebody had before, as hashes, so that they do not come back."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.users import User


class FormerPassword(models.Model):
    """The hash of a password that was replaced."""

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="former_passwords", editable=False
    )
    password = models.CharField(_("hash"), max_length=128, editable=False)
    replaced_at = models.DateTimeField(_("replaced"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("former password")
        verbose_name_plural = _("former passwords")

    def __str__(self) -> str:
        return f"{self.user} #{self.pk}"
