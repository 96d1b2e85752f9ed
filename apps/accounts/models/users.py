"""The people who sign in."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Theme(models.TextChoices):
    """The colours a user prefers."""

    AUTO = "auto", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A person with preferences; what he may do is said by his grants, not here."""

    language = models.CharField(_("language"), max_length=8, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, default="")
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.AUTO.value)
    must_change_password = models.BooleanField(_("must change the password"), default=False)
    remembered = models.JSONField(default=dict, blank=True, editable=False)  # how he looked at a page last, by page

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]  # the stubs know only the base's plain text
        verbose_name_plural = _("users")  # type: ignore[assignment]  # the same

    def __str__(self) -> str:
        return self.username
