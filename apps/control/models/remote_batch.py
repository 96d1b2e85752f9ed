"""Remote batches: operations that are ordered at a set time or by a rule, and what became of each time."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.access.models import ApiToken
from apps.components.models import Component
from apps.control.operations import OPERATIONS
from apps.core import scoping
from apps.core.fields import PhraseField
from apps.core.models import Job
from apps.core.phrases import Phrase
from apps.core.recurring import Recurring
from apps.core.scope_sql import within
from apps.groups.models import Group, Tree


class RemoteBatchQuerySet(scoping.Scoped):
    """Words for asking after remote batches."""

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep those whose every target is in a group in which the user holds the permission, and his own.

        A batch tells of all its targets at once: who may see only some of them would read of the others. One whose
        components are all gone is its owner's, and theirs who see everything.
        """
        scope = scoping.scope_of(user, permission)
        if isinstance(scope, scoping.Everything):
            return self
        groups = within(scope)
        named = RemoteBatchTarget.objects.filter(batch=OuterRef("pk"))
        of_group = Q(group__isnull=False, group__in=groups)
        of_components = Q(group=None) & Exists(named)
        beyond = named.exclude(component__group__in=groups)
        return self.filter((of_group | of_components) & ~Exists(beyond) | Q(owner__in=scoping.owners(user)))

    def due(self, now: datetime) -> Self:
        """Keep those whose time has come."""
        return self.filter(next_at__lte=now)

    def reaching(self, component: Component, tree: Tree) -> Self:
        """Keep those that have a component among their targets."""
        above = Q(group__in=tree.path(component.group_id), include_subgroups=True)
        named = RemoteBatchTarget.objects.filter(batch=OuterRef("pk"), component=component)
        return self.filter(Exists(named) | Q(group=component.group_id) | above)

    def soonest_first(self) -> Self:
        """Order by what comes next; what is over comes last."""
        return self.order_by(F("next_at").asc(nulls_last=True), "name", "pk")


class RemoteBatch(Recurring):
    """An operation on components, or on those of a group, that is ordered by the clock on behalf of its owner.

    What comes next is kept as a column, so that the clock finds what is due by an index. An occurrence takes no time.
    """

    name = models.CharField(_("name"), max_length=200)
    operation = models.CharField(_("operation"), max_length=20)  # a name of OPERATIONS
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    group = models.ForeignKey(
        Group,
        verbose_name=_("group"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    include_subgroups = models.BooleanField(_("also the groups below it"), default=True)
    make_up = models.PositiveIntegerField(_("make up for missed runs within (minutes)"), default=0)
    expect = models.PositiveIntegerField(_("expected components"), null=True, blank=True)
    at_most = models.PositiveIntegerField(_("components at most"), null=True, blank=True)
    paused = models.BooleanField(_("paused"), default=False)
    paused_by_name = models.CharField(_("paused by"), max_length=300, blank=True, default="", editable=False)
    next_at = models.DateTimeField(_("next run"), null=True, blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("on whose behalf (user)"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    owner_name = models.CharField(_("on whose behalf"), max_length=300, editable=False)
    limited_by = models.CharField(_("within the limits of"), max_length=120, blank=True, default="", editable=False)
    token = models.ForeignKey(
        ApiToken,
        verbose_name=_("API token"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )  # by which it was saved, where that may do less than the owner; gone while ``limited_by`` names it: was removed
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = RemoteBatchQuerySet.as_manager()

    class Meta(Recurring.Meta):
        ordering = ["name", "pk"]
        verbose_name = _("remote batch")
        verbose_name_plural = _("remote batches")
        indexes = [models.Index(fields=["next_at"], name="control_batch_next")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the page of the batch."""
        return reverse("remote_batches:batch", args=[self.pk])

    @property
    def title(self) -> Phrase:
        """Give what is ordered."""
        return OPERATIONS[self.operation].title(self.arguments)

    @property
    def permission(self) -> str:
        """Give the permission that its operation needs."""
        return OPERATIONS[self.operation].permission(self.arguments)

    @property
    def target_groups(self) -> frozenset[int]:
        """Give the ids of its group, and of the groups that its components are in."""
        found = {target.component.group_id for target in self.targets.select_related("component")}
        return frozenset(found | ({self.group_id} if self.group_id is not None else set()))

    @property
    def group_in_charge(self) -> int | None:
        """Give the lowest group that holds all its targets, for the audit."""
        return scoping.enclosing(self.target_groups)

    def place(self, now: datetime) -> None:
        """Bring what comes next to what the rule says of the time after a moment."""
        found = self.rule.current_or_next(now)
        self.next_at = found.start if found is not None else None


class RemoteBatchTarget(models.Model):
    """A component that a batch is for; it goes with the component."""

    batch = models.ForeignKey(RemoteBatch, on_delete=models.CASCADE, related_name="targets")
    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="+")

    objects = scoping.Scoped.as_manager()
    scope_path = "component__group"

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "component"], name="%(app_label)s_%(class)s_once"),
        ]

    def __str__(self) -> str:
        return str(self.component)


class RunState(models.TextChoices):
    """What became of one time of a batch."""

    BEGINNING = "beginning", pgettext_lazy("remote batch", "Beginning")
    STARTED = "started", pgettext_lazy("remote batch", "Started")
    MADE_UP = "made_up", pgettext_lazy("remote batch", "Made up for")
    MISSED = "missed", pgettext_lazy("remote batch", "Missed")
    REFUSED = "refused", pgettext_lazy("remote batch", "Refused")
    SKIPPED = "skipped", pgettext_lazy("remote batch", "Left out, paused")


class RemoteBatchRunQuerySet(scoping.Scoped):
    """Words for asking after runs."""

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep those of the batches that a user sees."""
        return self.filter(batch__in=RemoteBatch.objects.visible_to(user, permission))


class RemoteBatchRun(models.Model):
    """One time of a batch; the row is made by whoever wins it, so that no time is begun twice."""

    batch = models.ForeignKey(
        RemoteBatch, verbose_name=_("remote batch"), on_delete=models.CASCADE, related_name="runs"
    )
    planned_at = models.DateTimeField(_("planned for"))
    claimed_at = models.DateTimeField(_("decided"), default=timezone.now)
    state = models.CharField(_("state"), max_length=12, choices=RunState)
    by_hand = models.BooleanField(_("by hand"), default=False)
    actor_name = models.CharField(_("on whose behalf"), max_length=300, blank=True, default="")
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    message = PhraseField(_("message"), default=Phrase, blank=True)

    objects = RemoteBatchRunQuerySet.as_manager()

    class Meta:
        ordering = ["-planned_at", "-pk"]
        verbose_name = _("run of a remote batch")
        verbose_name_plural = _("runs of remote batches")
        indexes = [
            models.Index(fields=["batch", "planned_at"], name="control_run_of_batch"),
            models.Index(fields=["claimed_at"], condition=Q(state="beginning"), name="control_run_beginning"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="%(app_label)s_%(class)s_known_state"),
            models.UniqueConstraint(
                fields=["batch", "planned_at"], condition=Q(by_hand=False), name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch}: {self.planned_at:%Y-%m-%d %H:%M}"

    @property
    def is_begun(self) -> bool:
        """Say whether it led to a job."""
        return self.state in (RunState.STARTED, RunState.MADE_UP)
