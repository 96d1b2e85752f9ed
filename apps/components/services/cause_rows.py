"""The open reasons why components are not normal as the database keeps them: put, closed and read many at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from apps.components.models import Status, StatusCause
from apps.core import rows
from apps.core.phrases import Phrase

KEY_LENGTH = 200
REGISTRATION = "registration"  # the source of what is known of a component before it was ever read

Place = tuple[int, int | None, str, str]  # component, interface, source, key

_COLUMNS = ("component_id", "interface_id", "source", "key", "status", "text", "since")
_TABLE = StatusCause._meta.db_table
_AGAIN = (  # since stays as long as the status does
    'ON CONFLICT (component_id, COALESCE(interface_id, 0), source, "key") DO UPDATE SET status = excluded.status,'
    f" text = excluded.text, since = CASE WHEN {_TABLE}.status = excluded.status THEN {_TABLE}.since"
    f" ELSE excluded.since END WHERE {_TABLE}.status <> excluded.status OR {_TABLE}.text <> excluded.text"
)
_CLOSED = {"component_id": "bigint", "COALESCE(interface_id, 0)": "bigint", "source": "text", '"key"': "text"}


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a component not to be normal; ``source`` is who says it, ``key`` what it is about."""

    component_id: int
    source: str
    key: str
    status: str
    text: Phrase
    interface_id: int | None = None

    def __post_init__(self) -> None:
        if self.status not in {Status.CRITICAL, Status.WARNING, Status.UNKNOWN}:
            raise ValueError(f"{self.status!r} is no reason: withdraw the cause instead")

    @property
    def place(self) -> Place:
        """Give what makes it the same cause as one that was put before."""
        return self.component_id, self.interface_id, self.source, self.key[:KEY_LENGTH]


class Standing(NamedTuple):
    """What a cause that is open says."""

    status: str
    text: Phrase


def put(causes: Iterable[Cause], now: datetime) -> bool:
    """Open causes, or bring open ones up to date; says whether any is new or other than before."""
    since = rows.moment(now)
    wanted = {cause.place: (cause.status, cause.text.dumps()) for cause in causes}
    told = [(*place, status, text, since) for place, (status, text) in wanted.items()]
    return rows.insert(StatusCause, _COLUMNS, told, _AGAIN) > 0


def close(places: Collection[Place]) -> bool:
    """Close the causes at these places; says whether any was open."""
    told = [(component, interface or 0, source, key) for component, interface, source, key in places]
    return rows.delete(StatusCause, _CLOSED, told) > 0


def standing(**conditions: Any) -> dict[Place, Standing]:
    """Give the open causes that meet the conditions."""
    found = StatusCause.objects.filter(**conditions).order_by().values_list(*_COLUMNS[:6])
    return {(component, interface, source, key): Standing(*said) for component, interface, source, key, *said in found}
