"""How an alert is recognised and what is said about it."""

from functools import cached_property

from django.db import models
from django.db.models import Q
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


class AlertDefinition(models.Model):
    """What one kind of alert is called, how bad it is, what to do, and which problems it ends.

    Texts are English with ``%(name)s`` places; a place is filled by the binding of that name in ``bindings`` (name →
    object identifier), by ``object``, or by what the portal itself gives. Without ``trap_oid`` only the
    portal raises it.
    """

    key = models.CharField(_("key"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    trap_oid = models.CharField(_("trap OID"), max_length=400, blank=True)
    prefix = models.BooleanField(_("with everything below the OID"), default=False)
    severity = models.CharField(_("severity"), max_length=12, choices=Severity)
    alert_type = models.CharField(_("type"), max_length=60, default=DEFAULT_ALERT_TYPE)
    title = models.TextField(_("title"))
    detail = models.TextField(_("detail"), blank=True)
    remedy = models.TextField(_("what to do"), blank=True)
    bindings = models.JSONField(_("bindings"), default=dict, blank=True)
    object = models.CharField(_("object"), max_length=60, blank=True)  # the binding that tells one part from another
    object_kind = models.CharField(_("kind of object"), max_length=20, blank=True)  # whom to ask for the part's name
    clears = models.JSONField(_("ends"), default=list, blank=True)  # keys of the definitions whose problem it ends
    counts = models.BooleanField(_("counts in the status"), default=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    origin = models.CharField(_("file"), max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["key"]
        verbose_name = _("alert definition")
        verbose_name_plural = _("alert definitions")
        constraints = [
            models.UniqueConstraint(
                fields=["trap_oid", "prefix"], condition=~Q(trap_oid=""), name="%(app_label)s_%(class)s_trap_once"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="%(app_label)s_%(class)s_known_severity"
            ),
        ]

    def __str__(self) -> str:
        return gettext(self.name)

    @cached_property
    def named_objects(self) -> tuple[tuple[str, str, str], ...]:
        """Give what ``bindings`` says as (name, object identifier, how the names of its instances begin)."""
        return tuple((name, str(oid), f"{oid}.") for name, oid in self.bindings.items())

    @property
    def is_problem(self) -> bool:
        """Say whether an alert of this kind opens an incident."""
        return self.severity in PROBLEMS
