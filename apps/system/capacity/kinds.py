"""The kinds of things that are stored: which tables hold them, what counts as one, and how long one is kept."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import options
from apps.monitoring.models import Span
from apps.system.capacity import tables

LOOKED_BACK = timedelta(days=7)
HOUR = timedelta(hours=1)
LEAST = HOUR  # that must have been written before a rate is told


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: ``one`` is the model of which a row is one; ``others``, and what is left of some apps, belong to it.

    ``at`` names the field of ``one`` that grows with the number of the row; without one nothing is written steadily.
    """

    name: str
    label: Promise | str
    one: str
    others: tuple[str, ...] = ()
    rest_of: tuple[str, ...] = ()
    at: str = ""
    where: str = ""  # which rows of the table, as SQL of our own; the others are another kind's
    retention: str = ""  # the option that says for how many days one is kept
    limit: str = ""  # the option that says how many are kept

    @property
    def model(self) -> type[models.Model]:
        """Give the model of which a row is one."""
        return apps.get_model(self.one)

    @property
    def kept_for(self) -> int | None:
        """Give the days for which one is kept; None without an end."""
        return _number(self.retention)

    @property
    def kept_at_most(self) -> int | None:
        """Give how many are kept; None without a bound."""
        return _number(self.limit)

    def rows(self, low: int | None = None) -> int:
        """Give how many there are, from a row's number on where one is given."""
        return tables.rows(self.model._meta.db_table, low=low, where=self.where or "1 = 1")

    def owns(self, model: type[models.Model]) -> bool:
        """Say whether the table of a model belongs to this kind."""
        return model._meta.label in {self.one, *self.others} or model._meta.app_label in self.rest_of


def _number(option: str) -> int | None:
    """Give the value of an option; None where there is no such option, or it says 0."""
    return int(options.get(option)) or None if option and option in options.registry else None


SAMPLE, HOURLY, DAILY, COMPONENT, ALERT = "sample", "hourly", "daily", "component", "alert"
ROLL_UP = "monitoring.RollUp"
KINDS: tuple[Kind, ...] = (
    Kind(SAMPLE, _("Polls with their values"), "monitoring.Sample", at="at", retention="sample_retention"),
    Kind(HOURLY, _("Hourly roll-ups"), ROLL_UP, at="at", where="span = 'hour'", retention="hourly_retention"),
    Kind(DAILY, _("Daily roll-ups"), ROLL_UP, where="span = 'day'", retention="daily_retention"),
    Kind(
        ALERT,
        _("Alerts with their incidents"),
        "alerts.Alert",
        ("alerts.Incident",),
        at="received_at",
        retention="alert_retention",
        limit="alert_limit",
    ),
    Kind(
        "status-change", _("Changes of status"), "components.StatusChange", at="at", retention="status_change_retention"
    ),
    Kind("audit", _("Audit entries"), "core.AuditEntry", at="at", retention="audit_retention"),
    Kind("job", _("Jobs with their steps"), "core.Job", ("core.JobStep",), at="created_at", retention="job_retention"),
    # The last: what of these apps is not named above.
    Kind(COMPONENT, _("Components"), "components.Component", rest_of=("groups", "components", "monitoring")),
)
BY_NAME = {kind.name: kind for kind in KINDS}


def by_table() -> dict[str, Kind]:
    """Give the kind of each table; those of no kind are left out."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        kind = next((kind for kind in KINDS if kind.owns(model)), None)
        if kind is not None:
            found[model._meta.db_table] = kind
    return found


def per_day(kind: Kind, now: datetime | None = None) -> float | None:
    """Give how many were written a day in the last days; None where too little was written to tell."""
    if kind.name == DAILY:  # one of them is made of an interface's twenty-four hours
        hourly = per_day(BY_NAME[HOURLY], now)
        return None if hourly is None else hourly / 24
    return _written(kind, now or timezone.now()) if kind.at else None


def _written(kind: Kind, now: datetime) -> float | None:
    rows: Any = kind.model._default_manager.all()
    if kind.name == HOURLY:
        rows = rows.filter(span=Span.HOUR)

    def first(number: int) -> tuple[int, datetime] | None:
        """Give number and time of the first row from a number on."""
        row = rows.filter(pk__gte=number).order_by("pk").values_list("pk", kind.at).first()
        return None if row is None else (row[0], _moment(row[1]))

    oldest = first(0)
    newest = rows.order_by("-pk").values_list("pk", kind.at).first()
    if oldest is None or newest is None:
        return None
    since = now - LOOKED_BACK
    low, high = oldest[0], newest[0] + 1
    while low < high:  # rows are written in the order of time: the first one of the last days
        middle = (low + high) // 2
        found = first(middle)
        if found is None or found[1] >= since:
            high = middle
        else:
            low = found[0] + 1
    end = max(_moment(newest[1]) + HOUR, now - 2 * HOUR) if kind.name == HOURLY else now
    window = end - max(since, oldest[1])
    return None if window < LEAST else kind.rows(low) / (window / timedelta(days=1))


def _moment(value: Any) -> datetime:
    """Give a time that is stored as one, or as milliseconds."""
    return datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else value
