"""LDAP and Active Directory servers whose users may sign in, and the groups there that mean something here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.fields import EncryptedJSONField, PhraseField
from apps.core.phrases import Phrase

if TYPE_CHECKING:
    from apps.accounts.services.directories.certificates import Authority

LONGEST_DN = 1000


class DirectoryKind(models.TextChoices):
    """What kind of server answers; it decides the usual filters, attributes and what says that an account is off."""

    LDAP = "ldap", "LDAP"
    ACTIVE_DIRECTORY = "active-directory", "Active Directory"


class Encryption(models.TextChoices):
    """How the connection is encrypted; ``none`` only where the option ``ldap_allow_unencrypted`` allows it."""

    LDAPS = "ldaps", "LDAPS"
    STARTTLS = "starttls", "StartTLS"
    NONE = "none", _("None: passwords travel in clear text")


class GroupKind(models.TextChoices):
    """How a group of the directory names its members."""

    GROUP_OF_NAMES = "group-of-names", "groupOfNames (member)"
    GROUP_OF_UNIQUE_NAMES = "group-of-unique-names", "groupOfUniqueNames (uniqueMember)"
    POSIX_GROUP = "posix-group", "posixGroup (memberUid)"
    ACTIVE_DIRECTORY = "active-directory", "Active Directory (member)"


class Bar(models.TextChoices):
    """Why the directory of an account keeps it from being used."""

    NONE = "", _("nothing")
    REMOVED = "removed", _("no longer in the directory")
    DISABLED = "disabled", _("disabled in the directory")
    EXPIRED = "expired", _("expired in the directory")
    UNMAPPED = "unmapped", _("in no directory group that holds a role")
    NOT_IN_USE = "not-in-use", _("its directory is not in use")


class DirectoryQuerySet(models.QuerySet["Directory"]):
    """Words for asking after directories."""

    def in_use(self) -> Self:
        """Keep those that are asked, in their order."""
        return self.filter(enabled=True)

    def due(self, before: Any) -> Self:
        """Keep those in use whose people were not looked after since a time."""
        return self.in_use().filter(Q(asked_at=None) | Q(asked_at__lte=before))


class Directory(models.Model):
    """Servers that all know the same people: how they are reached and how people and groups are found there."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=DirectoryKind, default=DirectoryKind.LDAP.value)
    servers = models.JSONField(_("servers"), default=list)  # "host" or "host:port", tried in this order
    encryption = models.CharField(_("encryption"), max_length=10, choices=Encryption, default=Encryption.LDAPS.value)
    verify_tls = models.BooleanField(_("check the certificate"), default=True)
    ca_certificate = models.TextField(_("CA certificate"), blank=True, default="")  # PEM; empty: those of the system
    bind_dn = models.CharField(_("bind as"), max_length=LONGEST_DN, blank=True, default="")  # empty: anonymous
    # A text; the stubs know such a field only as a JSON object that is always there.
    bind_password: Any = EncryptedJSONField(  # type: ignore[misc]
        _("password of the account that searches"), null=True, blank=True, editable=False
    )
    search_base = models.CharField(_("users under"), max_length=LONGEST_DN)
    user_filter = models.CharField(_("user filter"), max_length=1000)
    username_attribute = models.CharField(_("attribute of the user name"), max_length=60)
    first_name_attribute = models.CharField(_("attribute of the first name"), max_length=60, blank=True)
    last_name_attribute = models.CharField(_("attribute of the last name"), max_length=60, blank=True)
    mail_attribute = models.CharField(_("attribute of the mail address"), max_length=60, blank=True)
    group_base = models.CharField(_("groups under"), max_length=LONGEST_DN, blank=True, default="")
    group_filter = models.CharField(_("group filter"), max_length=1000)
    group_kind = models.CharField(
        _("group kind"), max_length=24, choices=GroupKind, default=GroupKind.GROUP_OF_NAMES.value
    )
    nested_groups = models.BooleanField(_("groups in groups count"), default=True)
    let_in_unmapped = models.BooleanField(_("let in who is in no mapped group"), default=False)
    connect_timeout = models.PositiveSmallIntegerField(
        _("time to connect"), default=3, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    answer_timeout = models.PositiveSmallIntegerField(
        _("time to answer"), default=10, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    enabled = models.BooleanField(_("in use"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    # What the periodic look found; an empty fault means that all was well.
    asked_at = models.DateTimeField(_("last asked"), null=True, blank=True, editable=False)
    answered_at = models.DateTimeField(_("last answer"), null=True, blank=True, editable=False)
    fault = PhraseField(_("fault"), default=Phrase, blank=True, editable=False)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("directory")
        verbose_name_plural = _("directories")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=DirectoryKind.values), name="%(app_label)s_%(class)s_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(encryption__in=Encryption.values), name="%(app_label)s_%(class)s_known_encryption"
            ),
            models.CheckConstraint(
                condition=Q(group_kind__in=GroupKind.values), name="%(app_label)s_%(class)s_known_group_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def default_port(self) -> int:
        """Give the port of a server that names none."""
        return 636 if self.encryption == Encryption.LDAPS else 389

    @property
    def scheme(self) -> str:
        """Give the scheme of its addresses."""
        return "ldaps" if self.encryption == Encryption.LDAPS else "ldap"

    @property
    def authorities(self) -> Sequence["Authority"]:
        """Give the certificates of the authorities that were uploaded."""
        from apps.accounts.services.directories import certificates

        return certificates.authorities(self.ca_certificate)

    @property
    def worst_authority(self) -> "Authority | None":
        """Give the certificate that has ended or ends first, where one is to be replaced."""
        return min((one for one in self.authorities if one.ends_soon), key=lambda one: one.ends_at, default=None)


class DirectoryGroup(models.Model):
    """A group of a directory that roles are granted to, with those of our users who are in it as last seen."""

    directory = models.ForeignKey(
        Directory, verbose_name=_("directory"), on_delete=models.CASCADE, related_name="groups"
    )
    dn = models.CharField(_("distinguished name"), max_length=LONGEST_DN)
    key = models.CharField(max_length=LONGEST_DN, editable=False)  # the name in the one way that is compared
    name = models.CharField(_("name"), max_length=200)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("members"), related_name="directory_groups", blank=True, editable=False
    )

    class Meta:
        ordering = ["directory", "name"]
        verbose_name = _("directory group")
        verbose_name_plural = _("directory groups")
        constraints = [
            models.UniqueConstraint(
                fields=["directory", "key"],
                name="%(app_label)s_%(class)s_once",
                violation_error_message=_("This group is here already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.directory.name}: {self.name}"
