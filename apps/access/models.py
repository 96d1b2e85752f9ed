"""Roles, their grants on group subtrees, API tokens, and the addresses that may connect."""

import ipaddress
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import DirectoryGroup, Team
from apps.core.scoping import PERMISSIONS, may, owners
from apps.groups.models import Group

BUILT_IN = {
    "administrator": tuple(PERMISSIONS),
    "operator": (
        *("view", "alerts", "check", "suspend", "power", "force", "console", "device_settings", "firmware"),
        *("schedules", "reports"),
    ),
    "viewer": ("view",),
}


ROLE_NAMES = {"administrator": _("Administrator"), "operator": _("Operator"), "viewer": _("Viewer")}


def known_permissions(value: object) -> None:
    """Refuse anything that is not a list of permission names."""
    if not isinstance(value, list) or any(name not in PERMISSIONS for name in value):
        raise ValidationError(_("Give a list of known permissions."))


class Role(models.Model):
    """A named set of permissions."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    permissions = models.JSONField(_("permissions"), default=list, validators=[known_permissions])
    built_in = models.BooleanField(_("built in"), default=False, editable=False)
    needs_second_factor = models.BooleanField(_("needs a second factor"), default=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> Promise | str:
        """Give the name, of a built-in role in the reader's language."""
        return ROLE_NAMES[self.name] if self.built_in and self.name in ROLE_NAMES else self.name


@dataclass(frozen=True)
class Holder:
    """One kind of holder that a grant may have: a user himself, or what makes its members hold it."""

    field: str  # of the grant
    members: str  # the way from the holder to the users
    grants: str  # the way from a user to his grants by it


HOLDERS = (
    Holder("user", "pk", "grants"),
    Holder("team", "members", "teams__grants"),
    Holder("directory_group", "members", "directory_groups__grants"),
)


def exactly_one(*fields: str) -> Q:
    """Say that one of these fields is set and no other."""
    return reduce(or_, (Q(**{f"{field}__isnull": field != chosen for field in fields}) for chosen in fields))


class GrantQuerySet(models.QuerySet["Grant"]):
    """Words for asking after grants."""

    def of(self, user_id: int) -> Self:
        """Keep what a user holds by any way."""
        held = Q()
        for holder in HOLDERS:
            model: Any = Grant._meta.get_field(holder.field).related_model
            held |= Q(**{f"{holder.field}__in": model._default_manager.filter(**{holder.members: user_id}).order_by()})
        return self.filter(held)

    def complete(self) -> Self:
        """Bring what a grant is made of with it."""
        holders = (*(holder.field for holder in HOLDERS), "directory_group__directory")
        return self.select_related("role", "group", *holders)


class Grant(models.Model):
    """Gives its holder a role in a group and everything below it; several grants add up."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="grants",
    )
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    directory_group = models.ForeignKey(
        DirectoryGroup,
        verbose_name=_("directory group"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="grants",
    )
    role = models.ForeignKey(Role, verbose_name=_("role"), on_delete=models.PROTECT, related_name="grants")
    group = models.ForeignKey(Group, verbose_name=_("group"), on_delete=models.CASCADE, related_name="grants")

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.CheckConstraint(
                condition=exactly_one(*(holder.field for holder in HOLDERS)),
                name="%(app_label)s_%(class)s_one_holder",
                violation_error_message=_("A grant has exactly one holder."),
            ),
            *(
                models.UniqueConstraint(
                    fields=[holder.field, "role", "group"],
                    name=f"%(app_label)s_%(class)s_{holder.field}_once",
                    violation_error_message=_("This is granted already."),
                )
                for holder in HOLDERS
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.role} · {self.group}"

    @property
    def holder(self) -> Any:
        """Give who holds it: a user, a team or a group of a directory."""
        return next(found for one in HOLDERS if (found := getattr(self, one.field)) is not None)

    @property
    def holder_field(self) -> str:
        """Say what kind of holder it has."""
        return next(one.field for one in HOLDERS if getattr(self, f"{one.field}_id") is not None)


def network(value: str) -> None:
    """Refuse what is not an IPv4 or IPv6 address or prefix."""
    try:
        ipaddress.ip_network(value, strict=True)
    except ValueError as error:
        raise ValidationError(_("Enter an address or a prefix like 192.0.2.0/24 or 2001:db8::/64.")) from error


def known_networks(value: object) -> None:
    """Refuse anything that is not a list of addresses and prefixes."""
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of addresses and prefixes."))
    for one in value:
        network(str(one))


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Words for asking after tokens."""

    def alive(self) -> Self:
        """Keep the tokens that have not expired and whose user is active."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep the user's own tokens; who manages access sees all."""
        return self if may(user, "access") else self.filter(user__in=owners(user))


class ApiToken(models.Model):
    """A bearer token of a user: 256 random bits, of which only a prefix and the SHA-256 are kept.

    It does what its user may do at that moment, within its limits: ``roles`` (ids), ``permissions`` and ``groups``
    (ids, with everything below) are those that are left of it, None leaves all; it is used only from ``networks``,
    anywhere when there are none. A role or group that was removed stays in the list and opens nothing.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=8)
    digest = models.CharField(_("hash"), max_length=64, unique=True)
    read_only = models.BooleanField(_("read only"), default=False)
    roles = models.JSONField(_("roles"), null=True, blank=True)
    permissions = models.JSONField(_("permissions"), null=True, blank=True, validators=[known_permissions])
    groups = models.JSONField(_("groups"), null=True, blank=True)
    networks = models.JSONField(_("used only from"), default=list, blank=True, validators=[known_networks])
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    last_used_from = models.GenericIPAddressField(_("last used from"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_limited(self) -> bool:
        """Say whether it may do less than its user, where and what."""
        return any(limit is not None for limit in (self.roles, self.permissions, self.groups))

    def leaves_role(self, role: int) -> bool:
        """Say whether what its user holds by this role is left of it."""
        return self.roles is None or role in self.roles

    @property
    def permission_labels(self) -> list[str]:
        """Give what it may do at most, in the reader's language; nothing where that is not limited."""
        return [str(label) for word, label in PERMISSIONS.items() if word in (self.permissions or ())]

    @property
    def has_expired(self) -> bool:
        """Say whether its time is over."""
        return self.expires_at <= timezone.now()


class AllowedAddress(models.Model):
    """An address or prefix that may connect besides the machine itself."""

    network = models.CharField(_("address or prefix"), max_length=49, unique=True, validators=[network])
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["network"]
        verbose_name = _("allowed address")
        verbose_name_plural = _("allowed addresses")

    def __str__(self) -> str:
        return self.network


class SignInRule(models.Model):
    """The addresses and prefixes from which a user, or everybody who holds a role, may sign in; others may anywhere."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="sign_in_rule",
    )
    role = models.OneToOneField(
        Role, verbose_name=_("role"), null=True, blank=True, on_delete=models.CASCADE, related_name="sign_in_rule"
    )
    networks = models.JSONField(_("only from"), default=list, validators=[known_networks])

    class Meta:
        ordering = ["pk"]
        verbose_name = _("sign-in rule")
        verbose_name_plural = _("sign-in rules")
        constraints = [
            models.CheckConstraint(condition=exactly_one("user", "role"), name="%(app_label)s_%(class)s_one_subject")
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {', '.join(self.networks)}"

    @property
    def subject(self) -> Any:
        """Give whom it concerns."""
        return self.user if self.user_id is not None else self.role
