"""Forgets history that is older than the options say, in slices that hold nobody up."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from apps.core import options
from apps.core.writes import turn
from apps.monitoring.models import (
    FleetSpan,
    FleetValues,
    InventoryChange,
    LastValues,
    LoggedEntry,
    Neighbour,
    RollUp,
    Sample,
    Sensor,
    SensorLayout,
    Span,
)
from apps.monitoring.services import neighbours

SLICE = 500
FLEET_SAMPLES_FOR = 3  # days: nothing that is older is read by samples
LAYOUT_UNUSED_FOR = timedelta(days=1)  # longer than any process trusts what it knows of layouts


def forget_old(slices: int = 2000) -> int:
    """Remove what is too old, at most so many slices at a time; gives how many rows went."""
    now = timezone.now()
    removed = 0
    for rows, days in (
        (Sample.objects.all(), options.get("sample_retention")),
        (RollUp.objects.filter(span=Span.HOUR), options.get("hourly_retention")),
        (RollUp.objects.filter(span=Span.DAY), options.get("daily_retention")),
        (FleetValues.objects.filter(span=FleetSpan.SAMPLE), FLEET_SAMPLES_FOR),
        (FleetValues.objects.filter(span=FleetSpan.HOUR), options.get("hourly_retention")),
        (FleetValues.objects.filter(span__in=[FleetSpan.DAY, FleetSpan.WEEK]), options.get("daily_retention")),
    ):
        before = int((now - timedelta(days=days)).timestamp() * 1000)
        removed += _forget(rows, before, slices)
    removed += _forget_gone(Sensor, now - timedelta(days=options.get("hourly_retention")))
    removed += _forget_gone(Neighbour, now - neighbours.FORGOTTEN_AFTER)
    removed += _forget_entries(now, options.get("event_log_retention"), options.get("event_log_limit"))
    if days := options.get("inventory_change_retention"):
        removed += _delete(InventoryChange.objects.filter(at__lt=now - timedelta(days=days)).order_by("pk"))
    return removed + _forget_layouts(now - LAYOUT_UNUSED_FOR)


def _forget(rows: Any, before: int, slices: int) -> int:
    """Rows are written in the order of time, so the oldest are those with the lowest numbers: no index is needed."""
    removed, last = 0, 0
    for _ in range(slices):
        oldest = list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "at")[:SLICE])
        if not oldest:
            break
        last = oldest[-1][0]
        old = [pk for pk, at in oldest if at < before]
        if not old:
            break
        with turn():
            removed += rows.model.objects.filter(pk__in=old).delete()[0]
    return removed


def _forget_gone(model: type[Sensor | Neighbour], before: Any) -> int:
    removed = 0
    while True:
        with turn():
            gone = list(model.objects.filter(gone_at__lt=before).values_list("pk", flat=True)[:SLICE])
            removed += model.objects.filter(pk__in=gone).delete()[0] if gone else 0
        if len(gone) < SLICE:
            return removed


def _forget_entries(now: datetime, days: int, most: int) -> int:
    """Remove entries of event logs that are too old, then the oldest of those interfaces that have too many."""
    removed = 0
    if days:
        removed += _delete(LoggedEntry.objects.filter(read_at__lt=now - timedelta(days=days)).order_by("pk"))
    counted = LoggedEntry.objects.order_by().values("interface").annotate(number=Count("pk"))
    for interface_id, number in counted.filter(number__gt=most).values_list("interface", "number"):
        mine = LoggedEntry.objects.filter(interface=interface_id).order_by("placed_at", "pk")
        removed += _delete(mine, number - most)
    return removed


def _delete(rows: "QuerySet[LoggedEntry] | QuerySet[InventoryChange]", most: int | None = None) -> int:
    """Remove the first rows, so many at most, in slices."""
    removed = 0
    while most is None or removed < most:
        size = SLICE if most is None else min(SLICE, most - removed)
        with turn():
            chosen = list(rows.values_list("pk", flat=True)[:size])
            removed += rows.model.objects.filter(pk__in=chosen).delete()[0] if chosen else 0
        if len(chosen) < size:
            break
    return removed


def _forget_layouts(before: Any) -> int:
    unused = SensorLayout.objects.filter(used_at__lt=before)
    for model in (Sample, RollUp, LastValues):
        unused = unused.filter(~Exists(model.objects.filter(layout=OuterRef("pk"))))
    with turn():
        chosen = list(unused.values_list("pk", flat=True)[:SLICE])
        return SensorLayout.objects.filter(pk__in=chosen).delete()[0] if chosen else 0
