"""A problem that is open until something, or somebody, ends it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.alerts.models.definition import AlertDefinition, Severity
from apps.components.models import Component
from apps.core.fields import PhraseField
from apps.core.scope_sql import AnyIn, standing_in
from apps.core.scoping import Everything, Scoped, scope_of


class IncidentState(models.TextChoices):
    """Where an incident stands; an acknowledged one is still a problem."""

    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CLOSED = "closed", _("Closed")


OPEN_INCIDENTS = (IncidentState.OPEN.value, IncidentState.ACKNOWLEDGED.value)
WORST_FIRST = models.Case(
    models.When(severity=Severity.CRITICAL.value, then=0),
    models.When(severity=Severity.WARNING.value, then=1),
    default=2,
)


class OfComponents(Scoped):
    """Rows that belong to a component or to none; one without a component is seen only by who sees the whole fleet.

    The components are asked for as a set of their own: joined, a database may begin with them and sort a million rows
    where it could walk along an index and stop after fifty.
    """

    def visible_to(self, user: Any, permission: str = "view", *, on_the_way: bool = False) -> Self:
        """Keep the rows of components in whose group the user holds the permission."""
        scope = scope_of(user, permission)
        return self if isinstance(scope, Everything) else self.of_groups(scope, on_the_way=on_the_way)

    def few_visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep the same of rows that are few: each one's component is looked at, instead of all that he may see."""
        scope = scope_of(user, permission)
        if isinstance(scope, Everything):
            return self
        return self.filter(AnyIn(Component, "id", scope, "component_id")) if scope else self.none()

    def of_groups(self, groups: Iterable[int], *, on_the_way: bool = False) -> Self:
        """Keep the rows of the components that stand in these groups.

        Alone, the newest rows of each component are quickly found and put together. Where something else is asked
        of each row, too, that would read all of them: then the component is looked at ``on_the_way`` along the list.
        """
        components = standing_in(Component, groups)
        if not on_the_way:
            return self.filter(component__in=components)
        return self.alias(of_component=F("component_id") + 0).filter(of_component__in=components)  # for no index


class IncidentQuerySet(OfComponents):
    """Words for asking after incidents."""

    def open(self) -> Self:
        """Keep the problems that have not ended, acknowledged or not."""
        return self.filter(state__in=OPEN_INCIDENTS)

    def unacknowledged(self) -> Self:
        """Keep the open problems that nobody has taken note of."""
        return self.filter(state=IncidentState.OPEN)

    def held(self) -> Self:
        """Keep the problems that nobody has taken note of or was told of."""
        return self.filter(state=IncidentState.OPEN.value, held=True)

    def overdue(self, now: datetime) -> Self:
        """Keep the acknowledged ones whose time is up."""
        return self.filter(state=IncidentState.ACKNOWLEDGED, acknowledged_until__lte=now)

    def newest_first(self) -> Self:
        """Order by the time of the last alert."""
        return self.order_by("-last_at", "-pk")

    def worst_first(self) -> Self:
        """Order by severity, then the newest first."""
        return self.order_by(WORST_FIRST, "-last_at", "-pk")


class Incident(models.Model):
    """One open problem of one object in one place; repeated alerts fold into it."""

    component = models.ForeignKey(
        Component,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="incidents",
        verbose_name=_("component"),
        db_index=False,  # another index begins with it
    )
    component_name = models.CharField(_("component's name"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    place = models.CharField(
        _("place"), max_length=60, editable=False
    )  # component, else address: what the one open incident is for
    definition = models.ForeignKey(
        AlertDefinition, verbose_name=_("definition"), on_delete=models.PROTECT, related_name="incidents"
    )
    object = models.CharField(_("object"), max_length=200, blank=True)
    severity = models.CharField(_("severity"), max_length=12, choices=Severity)
    title = PhraseField(_("title"))
    state = models.CharField(_("state"), max_length=12, choices=IncidentState, default=IncidentState.OPEN.value)
    count = models.PositiveIntegerField(_("count"), default=1)
    first_at = models.DateTimeField(_("first"), default=timezone.now)
    last_at = models.DateTimeField(_("last"), default=timezone.now)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acknowledged by (user)"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    acknowledged_by_name = models.CharField(_("acknowledged by"), max_length=300, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_until = models.DateTimeField(
        _("acknowledged until"), null=True, blank=True
    )  # None: until it is closed
    note = models.TextField(_("note"), blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("closed by (user)"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    closed_by_name = models.CharField(_("closed by"), max_length=300, blank=True)
    closed_why = PhraseField(_("why it was closed"), default="", blank=True)
    # Nobody was told of it so far, because its component was quiet when it began.
    held = models.BooleanField(_("not told yet"), default=False, editable=False)

    objects = IncidentQuerySet.as_manager()
    scope_path = "component__group"

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        indexes = [
            # What is checked of every row while the list is walked stands in the index, behind what orders it.
            models.Index(fields=["state", "last_at", "id", "component", "severity"], name="alerts_incident_walk"),
            models.Index(fields=["component", "state"], name="alerts_incident_component"),
            models.Index(fields=["id"], condition=Q(held=True, state="open"), name="alerts_incident_held"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["place", "definition", "object"],
                condition=Q(state__in=OPEN_INCIDENTS),
                name="%(app_label)s_%(class)s_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=IncidentState.values), name="%(app_label)s_%(class)s_known_state"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="%(app_label)s_%(class)s_known_severity"
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        """Give the incident's own page."""
        return reverse("alerts:incident", args=[self.pk])

    @property
    def alerts_url(self) -> str:
        """Give the list of its alerts."""
        return f"{reverse('alerts:list')}?show=all&incident={self.pk}"

    @property
    def is_open(self) -> bool:
        """Say whether the problem has not ended."""
        return self.state in OPEN_INCIDENTS

    @property
    def where(self) -> str:
        """Give the component as pages call it, the name of one that is gone, else the address it came from."""
        return str(self.component) if self.component is not None else self.component_name or self.address or ""

    @staticmethod
    def place_of(component_id: int | None, address: Any) -> str:
        """Give what an incident is for, as one word."""
        if component_id is not None:
            return f"component {component_id}"
        return f"address {address}" if address else "portal"
