"""The people who sign in."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import names
from apps.accounts.models.directories import LONGEST_DN, Bar, Directory


class Theme(models.TextChoices):
    """The colours a user prefers."""

    AUTO = "auto", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class NameField(models.CharField):
    """A name in its normal form, also when somebody looks for it."""

    def to_python(self, value: Any) -> Any:
        """Make wide letters plain ones."""
        return names.normalised(value) if isinstance(value, str) else super().to_python(value)


class NameKey(models.CharField):
    """What two names share that nobody could tell apart; it follows the name by itself."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        """Work it out from the name."""
        key = names.key(model_instance.username)
        setattr(model_instance, self.attname, key)
        return key


class User(AbstractUser):
    """A person with preferences; what he may do is said by his grants, not here."""

    username = NameField(
        _("user name"),
        max_length=names.LONGEST,
        unique=True,
        validators=[names.check],
        error_messages={"unique": _("A user of this name exists already.")},
    )
    name_key = NameKey(max_length=names.LONGEST_KEY, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=8, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, default="")
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.AUTO.value)
    start_page = models.CharField(_("start page"), max_length=60, blank=True, default="")
    must_change_password = models.BooleanField(_("must change the password"), default=False)
    password_changed_at = models.DateTimeField(_("password changed"), default=timezone.now, editable=False)
    directory = models.ForeignKey(
        Directory,
        verbose_name=_("directory"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="users",
    )  # where the account came from; None: it is a local one
    entry_id = models.CharField(
        max_length=LONGEST_DN, blank=True, default="", editable=False
    )  # what stays of the entry
    entry_dn = models.CharField(_("entry"), max_length=LONGEST_DN, blank=True, default="", editable=False)
    entry_seen_at = models.DateTimeField(_("seen in the directory"), null=True, blank=True, editable=False)
    barred = models.CharField(
        _("kept out by the directory"), max_length=12, choices=Bar, blank=True, default="", editable=False
    )
    remembered = models.JSONField(default=dict, blank=True, editable=False)  # how he looked at a page last, by page

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]  # the stubs know only the base's plain text
        verbose_name_plural = _("users")  # type: ignore[assignment]  # the same
        constraints = [
            models.UniqueConstraint(
                fields=["directory", "entry_id"],
                condition=~Q(entry_id=""),
                name="%(app_label)s_%(class)s_entry_once",
            ),
        ]

    def __str__(self) -> str:
        return self.username
