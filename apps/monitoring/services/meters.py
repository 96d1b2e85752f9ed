"""Which way of managing says what a component draws, where several of its own measure power."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from apps.monitoring.models import LastPower
from apps.monitoring.services.asking import Polled

FORGOTTEN_AFTER = timedelta(hours=1)  # a meter that has not told anything for so long leads no more
COLUMN = "power"  # of the component: what lists sort by


def columns(polled: Polled, leading: Mapping[int, int]) -> dict[str, float | None]:
    """Give what lists sort by, without the power where another way's meter says it: it measures the whole."""
    found = dict(polled.readings.columns) if polled.readings is not None else {}
    if leading.get(polled.line.component_id, polled.line.interface_id) != polled.line.interface_id:
        found.pop(COLUMN, None)
    return found


def leading(batch: Sequence[Polled]) -> dict[int, int]:
    """Give for each component with a meter the interface whose meter counts, the first one that told lately."""
    measuring = [one for one in batch if one.readings is not None and COLUMN in one.readings.columns]
    if not measuring:
        return {}
    now = {one.line.interface_id: one.line.component_id for one in measuring if one.drawn is not None}
    rows = LastPower.objects.filter(
        interface__component__in=[one.line.component_id for one in measuring],
        interface__enabled=True,
        told_at__gte=timezone.now() - FORGOTTEN_AFTER,
    ).order_by()
    known = dict(rows.values_list("interface_id", "interface__component_id")) | now
    return {known[interface]: interface for interface in sorted(known, reverse=True)}
