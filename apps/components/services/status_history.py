"""Forgets changes of status that are too old; the last one of each component stays, which says since when it is so."""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.components.models import StatusChange
from apps.core import audit
from apps.core.actors import SCHEDULE
from apps.core.writes import turn

AT_ONCE = 300
MOST = 60_000  # of one run; the next one goes on


def remove_old(days: int) -> int:
    """Remove the changes that are more than so many days old, 0 for none; gives how many went."""
    if not days:
        return 0
    horizon = timezone.now() - timedelta(days=days)
    later = StatusChange.objects.filter(component=OuterRef("component"), at__gt=OuterRef("at"))
    old = StatusChange.objects.filter(Exists(later), at__lt=horizon)
    removed = 0
    while removed < MOST and (ids := list(old.order_by("at").values_list("pk", flat=True)[:AT_ONCE])):
        with turn():
            StatusChange.objects.filter(pk__in=ids).delete()
        removed += len(ids)
    if removed:
        with turn():
            after = {"entries": removed, "before": horizon.isoformat(), "status_change_retention": days}
            audit.record(SCHEDULE, "status-change.forget", after=after)
    return removed
