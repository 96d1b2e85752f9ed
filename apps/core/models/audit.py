"""The audit: its entries, which are written once and never changed, and what is remembered of their chain."""

from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import scope_sql, scoping
from apps.core.actors import ActorKind


class Outcome(models.TextChoices):
    """How an audited act ended."""

    SUCCESS = "success", _("Success")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class Immutable(TypeError):
    """Somebody tried to change or remove what stays as it was written."""


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise Immutable("Entries of the audit are neither changed nor removed.")


class AuditQuerySet(scoping.Scoped):
    """Words for asking after entries; there are none for changing them."""

    def visible_to(self, user: Any, permission: str = "audit") -> Self:
        """Keep what concerned a group, as on that day, in which the user may read the audit."""
        scope = scoping.scope_of(user, permission)
        if isinstance(scope, scoping.Everything):
            return self
        groups = scope_sql.within(scope)
        return self.filter(Q(group__in=groups) | Q(former_group__in=groups))

    def newest_first(self) -> Self:
        """Order by time; equal times by number."""
        return self.order_by("-at", "-pk")

    update = bulk_update = delete = _raw_delete = _refuse


class AuditEntry(models.Model):
    """Who did what to what, from where, before and after; written in the transaction of the act, chained by hash.

    The object, its group and the user are kept as text and plain ids: an entry is not changed when they go. It is
    visible to whoever may read the audit of the group that the object was in on that day; of one that moved, in both.
    ``form`` says which facts its digest covers.
    """

    at = models.DateTimeField(_("time"), default=timezone.now)
    actor_kind = models.CharField(_("kind of actor"), max_length=12, choices=ActorKind.choices)
    actor_name = models.CharField(_("who"), max_length=300)
    login = models.CharField(_("user name"), max_length=300)  # of a token, the user whose it is
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    request = models.CharField(_("request"), max_length=200, blank=True)
    action = models.CharField(_("action"), max_length=60)
    family = models.CharField(_("kind of action"), max_length=60)  # the action up to its dot
    object_type = models.CharField(_("kind of object"), max_length=60, blank=True)
    object_id = models.CharField(_("object id"), max_length=60, blank=True)
    object_name = models.CharField(_("object"), max_length=300, blank=True)
    group = models.PositiveBigIntegerField(_("group"), null=True, blank=True)
    former_group = models.PositiveBigIntegerField(_("former group"), null=True, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.SUCCESS.value)
    form = models.PositiveSmallIntegerField(_("form"), default=2, editable=False)
    sequence = models.PositiveBigIntegerField(_("sequence"), null=True, blank=True, unique=True)
    digest = models.CharField(_("hash"), max_length=64, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [  # each filter of the page walks its own, newest first
            models.Index(fields=["at", "id"], name="core_audit_at"),
            models.Index(fields=["login", "at", "id"], name="core_audit_login"),
            models.Index(fields=["family", "at", "id"], name="core_audit_family"),
            models.Index(fields=["action", "at", "id"], name="core_audit_action"),
            models.Index(fields=["object_type", "object_id", "at", "id"], name="core_audit_object"),
            models.Index(fields=["address", "at", "id"], name="core_audit_address"),
            models.Index(fields=["outcome", "at", "id"], name="core_audit_outcome"),
            models.Index(fields=["actor_kind", "at", "id"], name="core_audit_kind"),
            models.Index(fields=["group", "at", "id"], name="core_audit_group"),
            models.Index(
                fields=["former_group", "at", "id"], name="core_audit_former", condition=Q(former_group__isnull=False)
            ),
            models.Index(fields=["id"], name="core_audit_unsealed", condition=Q(sequence=None)),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry; a written one stays."""
        if not self._state.adding:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse it."""
        _refuse()


class Break(models.TextChoices):
    """What is wrong with the chain at its first broken place."""

    CHANGED = "changed", _("This entry was changed.")
    GAP = "gap", _("Entries are missing before this one.")
    CUT = "cut", _("Entries are missing at the end, from this one on.")
    REWRITTEN = "rewritten", _("This entry is not the one that was sealed.")
    REMOVED = "removed", _("Entries up to this one were removed, and the audit does not say by whom.")


class AuditChain(models.Model):
    """What is remembered of the chain, in one row: where it ends, where it begins, and how far it was checked.

    ``sealed``: the last entry that was chained. ``removed``: the last of those that retention removed; the rest hangs
    on it. ``verified``: how far it was found unbroken since; ``walk``: the place of a walk through all of it.
    """

    sealed_sequence = models.PositiveBigIntegerField(_("last sealed"), default=0)
    sealed_digest = models.CharField(max_length=64, blank=True)
    sealed_at = models.DateTimeField(_("sealed"), null=True, blank=True)
    removed_sequence = models.PositiveBigIntegerField(_("removed up to"), default=0)
    removed_digest = models.CharField(max_length=64, blank=True)
    removed_until = models.DateTimeField(_("time of the last removed"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    verified_sequence = models.PositiveBigIntegerField(_("verified up to"), default=0)
    verified_digest = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    walk_sequence = models.PositiveBigIntegerField(default=0)
    walk_digest = models.CharField(max_length=64, blank=True)
    walk_since = models.DateTimeField(null=True, blank=True)  # a walk goes on
    walked_at = models.DateTimeField(_("walked through"), null=True, blank=True)
    broken_sequence = models.PositiveBigIntegerField(_("broken at"), null=True, blank=True)
    broken_why = models.CharField(max_length=10, choices=Break, blank=True, default="")
    broken_at = models.DateTimeField(_("found broken"), null=True, blank=True)

    class Meta:
        verbose_name = _("chain of the audit")
        verbose_name_plural = _("chain of the audit")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="%(app_label)s_%(class)s_one")]

    def __str__(self) -> str:
        return f"#{self.removed_sequence + 1}–#{self.sealed_sequence}"

    @classmethod
    def current(cls, *, lock: bool = False) -> "AuditChain":
        """Give the row; ``lock`` inside a transaction, for whoever changes it."""
        if lock:
            return cls.objects.select_for_update().get_or_create(pk=1)[0]
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class FoldedRefusals(models.Model):
    """Refusals of one kind from one network that are counted for a while and not written one by one."""

    network = models.CharField(max_length=50)
    action = models.CharField(max_length=60)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("folded refusals")
        verbose_name_plural = _("folded refusals")
        constraints = [models.UniqueConstraint(fields=["network", "action"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return f"{self.action} {self.network}"
