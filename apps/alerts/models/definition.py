"""How an alert is recognised and what is said about it."""

from collections.abc import Iterable
from functools import cached_property
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

DEFAULT_ALERT_TYPE = gettext_noop("SNMP Trap")


class Severity(models.TextChoices):
    """How bad an alert is; normal is the end of a problem."""

    CRITICAL = "critical", _("Critical")
    WARNING = "warning", _("Warning")
    INFORMATION = "information", _("Information")
    NORMAL = "normal", _("Recovered")
    UNKNOWN = "unknown", _("Unknown")


PROBLEMS = (Severity.CRITICAL.value, Severity.WARNING.value)


class DefinitionQuerySet(models.QuerySet["AlertDefinition"]):
    """Words for asking after definitions."""

    def own(self) -> Self:
        """Keep those that users made."""
        return self.filter(origin="")

    def shipped(self) -> Self:
        """Keep those that come with the portal."""
        return self.exclude(origin="")

    def of_traps(self) -> Self:
        """Keep those that explain traps; the portal itself raises the others."""
        return self.exclude(trap_oid="")


class AlertDefinition(models.Model):
    """What one kind of alert is called, how bad it is, what to do, and which problems it ends.

    Texts are English with ``%(name)s`` places; a place is filled by the binding of that name in ``bindings`` (name →
    object identifier, or ``#2`` for the second variable), by ``object``, or by what the portal itself gives. Without
    ``trap_oid`` only the portal raises it. A definition with an ``origin`` comes with the portal; ``made`` keeps how
    its file had it, so that what people changed can be told apart and taken back.
    """

    key = models.CharField(_("key"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    family = models.CharField(_("family"), max_length=60, blank=True)
    trap_oid = models.CharField(_("trap OID"), max_length=400, blank=True)
    also = models.JSONField(_("other trap OIDs"), default=list, blank=True)
    prefix = models.BooleanField(_("with everything below the OID"), default=False)
    enterprise = models.CharField(_("only from this enterprise"), max_length=400, blank=True)
    severity = models.CharField(_("severity"), max_length=12, choices=Severity)
    severity_by = models.JSONField(_("severity by value"), default=dict, blank=True)  # {binding, values, from}
    alert_type = models.CharField(_("type"), max_length=60, default=DEFAULT_ALERT_TYPE)
    title = models.TextField(_("title"))
    detail = models.TextField(_("detail"), blank=True)
    remedy = models.TextField(_("what to do"), blank=True)
    bindings = models.JSONField(_("bindings"), default=dict, blank=True)
    words = models.JSONField(_("words for values"), default=dict, blank=True)  # binding → {value: word}
    object = models.CharField(_("object"), max_length=60, blank=True)  # the bindings that tell one part from another
    object_kind = models.CharField(_("kind of object"), max_length=20, blank=True)  # whom to ask for the part's name
    clears = models.JSONField(_("ends"), default=list, blank=True)  # keys of the definitions whose problem it ends
    counts = models.BooleanField(_("counts in the status"), default=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    origin = models.CharField(_("file"), max_length=200, blank=True, editable=False)
    made = models.JSONField(_("as it came with the portal"), default=dict, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        verbose_name = _("alert definition")
        verbose_name_plural = _("alert definitions")
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="%(app_label)s_%(class)s_known_severity"
            ),
        ]

    def __str__(self) -> str:
        return gettext(self.name)

    def get_absolute_url(self) -> str:
        """Give the definition's page."""
        return reverse("definitions:definition", args=[self.pk])

    @cached_property
    def named_objects(self) -> tuple[tuple[str, str, str], ...]:
        """Give what ``bindings`` says as (name, object identifier, how the names of its instances begin)."""
        return tuple((name, str(oid), f"{oid}.") for name, oid in self.bindings.items())

    @property
    def is_problem(self) -> bool:
        """Say whether an alert of this kind opens an incident, where no value says otherwise."""
        return self.severity in PROBLEMS

    @property
    def is_own(self) -> bool:
        """Say whether a user made it."""
        return not self.origin

    @property
    def severities(self) -> frozenset[str]:
        """Give every severity that its alerts may have."""
        by_value = (*self.severity_by.get("values", {}).values(), *self.severity_by.get("from", {}).values())
        return frozenset((self.severity, *by_value))

    @property
    def oids(self) -> list[str]:
        """Give every trap that it recognises."""
        return [oid for oid in (self.trap_oid, *self.also) if oid]

    @classmethod
    def labels(cls, names: Iterable[str]) -> list[str]:
        """Give fields as pages call them."""
        wanted = set(names)
        return [str(field.verbose_name) for field in cls._meta.fields if field.name in wanted]

    @property
    def changes(self) -> list[str]:
        """Name the fields that people changed; an own definition is all theirs."""
        return sorted(name for name, value in self.made.items() if getattr(self, name) != value)
