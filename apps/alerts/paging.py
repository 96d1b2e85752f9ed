"""How the API walks alerts and incidents: piece by piece, by the id of the last one; ``?page=`` works, too."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from rest_framework.request import Request

from apps.alerts.listing import walking, words
from apps.alerts.models import AlertQuerySet, Incident, IncidentQuerySet
from apps.core.paging import LIMIT, MOST, WalkedPages, before_id, number

Rows = TypeVar("Rows", AlertQuerySet, IncidentQuerySet)


class SearchedPages(WalkedPages, ABC, Generic[Rows]):
    """Walks rows by ``?before=<id>``, so that new ones move nothing.

    ``count`` is of all that match the filters and stops at 10,000. With ``?q=`` one answer looks at so many rows;
    ``next`` goes on where it stopped, also when nothing was found there. Counting through by ``?page=`` takes the
    longer the further it goes.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Give a piece of the list."""
        self.request = request
        self.limit, self.page = number(request, "limit", LIMIT, MOST), number(request, "page", 1, None)
        before, sought = before_id(request), request.query_params.get("q", "").strip()
        if "page" in request.query_params:
            found = self.with_words(queryset if before is None else self.earlier(queryset, before), sought)
            self.count = walking.count(found)
            start = (self.page - 1) * self.limit
            ids = list(self.ordered(found).values_list("pk", flat=True)[start : start + self.limit + 1])
            self.older = ids[self.limit - 1] if len(ids) > self.limit else None
            return self.read(ids[: self.limit])
        rows, self.older = self.piece(queryset, sought, before)
        if before is None and self.older is None:
            self.count = len(rows)  # what is here is all; asked again, it may be more
        else:
            self.count = self.count_found(queryset, sought, before) if sought else walking.count(queryset)
        return rows

    @abstractmethod
    def piece(self, found: Rows, sought: str, before: int | None) -> tuple[list[Any], int | None]:
        """Give some rows, and before which id it goes on."""

    @abstractmethod
    def count_found(self, found: Rows, sought: str, before: int | None) -> int:
        """Count what a search finds among the rows that one piece looks at."""

    @abstractmethod
    def with_words(self, found: Rows, sought: str) -> Rows:
        """Keep the rows that hold the words, however far that is."""

    @abstractmethod
    def earlier(self, found: Rows, before: int) -> Rows:
        """Keep the rows before one."""

    @abstractmethod
    def ordered(self, found: Rows) -> Rows:
        """Order the rows."""

    @abstractmethod
    def read(self, ids: list[int]) -> list[Any]:
        """Read rows by their ids, in this order."""


class AlertPages(SearchedPages[AlertQuerySet]):
    """Alerts, the last received first."""

    def piece(self, found: AlertQuerySet, sought: str, before: int | None) -> tuple[list[Any], int | None]:
        """Give some alerts."""
        stretch = walking.alerts_of(found, sought, before, self.limit, whole=True)
        return stretch.alerts, stretch.older

    def count_found(self, found: AlertQuerySet, sought: str, before: int | None) -> int:
        """Count what a search finds."""
        return walking.count_found(found, sought, before)

    def with_words(self, found: AlertQuerySet, sought: str) -> AlertQuerySet:
        """Keep the alerts that hold the words."""
        for word in words.split(sought):
            found = found.filter(words.in_alert(word))
        return found

    def earlier(self, found: AlertQuerySet, before: int) -> AlertQuerySet:
        """Keep the alerts before one."""
        return found.before(before)

    def ordered(self, found: AlertQuerySet) -> AlertQuerySet:
        """Order by the time of receipt."""
        return found.newest_first()

    def read(self, ids: list[int]) -> list[Any]:
        """Read alerts."""
        return walking.in_order(ids, whole=True)


class IncidentPages(SearchedPages[IncidentQuerySet]):
    """Incidents, the last opened first."""

    def piece(self, found: IncidentQuerySet, sought: str, before: int | None) -> tuple[list[Any], int | None]:
        """Give some incidents."""
        ids, older = walking.incidents_by_id(found, sought, before, self.limit)
        return self.read(ids), older

    def count_found(self, found: IncidentQuerySet, sought: str, before: int | None) -> int:
        """Count what a search finds."""
        return walking.count(walking.looked_at_by_id(found, sought, before)[0])

    def with_words(self, found: IncidentQuerySet, sought: str) -> IncidentQuerySet:
        """Keep the incidents that hold the words."""
        for word in words.split(sought):
            found = found.filter(words.in_incident(word))
        return found

    def earlier(self, found: IncidentQuerySet, before: int) -> IncidentQuerySet:
        """Keep the incidents before one."""
        return found.filter(pk__lt=before)

    def ordered(self, found: IncidentQuerySet) -> IncidentQuerySet:
        """Order as they were opened."""
        return found.order_by("-pk")

    def read(self, ids: list[int]) -> list[Any]:
        """Read incidents."""
        rows = Incident.objects.select_related("definition").in_bulk(ids)
        return [rows[pk] for pk in ids if pk in rows]
