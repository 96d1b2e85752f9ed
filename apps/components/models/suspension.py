"""When components are suspended: still collected from, their alerts kept and marked, and nobody told."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.recurring import Recurring
from apps.core.scope_sql import within
from apps.core.scoping import Everything, Scoped, scope_of
from apps.groups.models import Group

LEAD = timedelta(seconds=5)  # the clock's own period: what is to be silent from ten is silent at ten


class SuspendPeriodQuerySet(Scoped):
    """Words for asking after suspend periods."""

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep those on a group, or on a component in a group, in which the user holds the permission."""
        scope = scope_of(user, permission)
        if isinstance(scope, Everything):
            return self
        groups = within(scope)
        return self.filter(Q(group__in=groups) | Q(component__group__in=groups))

    def in_force(self) -> Self:
        """Keep those that suspend something now."""
        return self.filter(in_force=True)

    def on_groups(self) -> Self:
        """Keep those that reach everything below a group."""
        return self.filter(group__isnull=False)

    def lasting(self) -> Self:
        """Keep those that are not over."""
        return self.filter(upcoming_from__isnull=False)

    def due(self, now: datetime) -> Self:
        """Keep those that have to begin or end, also those that began in a future which the clock took back."""
        begins = Q(enabled=True, in_force=False, upcoming_from__lte=now + LEAD)
        ends = Q(in_force=True) & (Q(upcoming_until__lte=now) | Q(upcoming_from__gt=now + LEAD) | Q(enabled=False))
        return self.filter(begins | ends)

    def soonest_first(self) -> Self:
        """Order by what is in force, then by what comes next; what is over comes last."""
        return self.order_by("-in_force", "-enabled", F("upcoming_from").asc(nulls_last=True), "-first_day", "pk")


class SuspendPeriod(Recurring):
    """A single or recurring pause of a component, or of everything below a group.

    The occurrence that is in force or comes next is kept as columns, so that the clock finds what is due by an index.
    """

    name = models.CharField(_("reason"), max_length=200)
    component = models.ForeignKey(
        "components.Component",
        verbose_name=_("component"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="suspend_periods",
    )
    group = models.ForeignKey(
        Group,
        verbose_name=_("group"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="suspend_periods",
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    in_force = models.BooleanField(_("in force"), default=False, editable=False)
    upcoming_from = models.DateTimeField(_("next from"), null=True, blank=True, editable=False)
    upcoming_until = models.DateTimeField(_("next until"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("made by (user)"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_by_name = models.CharField(_("made by"), max_length=300, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = SuspendPeriodQuerySet.as_manager()

    class Meta(Recurring.Meta):
        ordering = ["name", "pk"]
        verbose_name = _("suspend period")
        verbose_name_plural = _("suspend periods")
        indexes = [
            models.Index(fields=["upcoming_from"], condition=Q(enabled=True), name="components_suspend_begins"),
            models.Index(fields=["upcoming_until"], condition=Q(in_force=True), name="components_suspend_ends"),
        ]
        constraints = [
            *Recurring.Meta.constraints,
            models.CheckConstraint(
                condition=Q(component=None, group__isnull=False) | Q(component__isnull=False, group=None),
                name="%(app_label)s_%(class)s_one_target",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the page of the period."""
        return reverse("suspend_periods:period", args=[self.pk])

    @property
    def target(self) -> Any:
        """Give the component or group that it suspends."""
        return self.component if self.component_id is not None else self.group

    @property
    def group_in_charge(self) -> int | None:
        """Give the id of the group in which a permission is needed to change it."""
        return self.component.group_id if self.component is not None else self.group_id

    def place(self, now: datetime) -> None:
        """Bring the columns to the occurrence that is in force or comes next."""
        found = self.rule.current_or_next(now)
        self.upcoming_from = found.start if found else None
        self.upcoming_until = found.end if found else None
        self.in_force = self.enabled and found is not None and found.start <= now + LEAD
