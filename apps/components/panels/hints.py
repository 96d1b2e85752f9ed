"""What the guide warns of parts, said only where it applies."""

import re
from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.components.models import Component, InventoryItem
from apps.components.services.identity import controllers
from apps.drivers.contract import InventoryKind

MISCOUNTED_FROM = 64  # logical processors: what a group of Windows holds
LOGICAL = "Logical processors"
_MISCOUNTS = re.compile(r"Windows Server (2016|2019)\b")


def of_processors(component: Component, rows: Sequence[InventoryItem]) -> str:
    """Say that what an agent tells of many processors may be wrong, where it is of a Windows that miscounts them."""
    if not _MISCOUNTS.search(component.operating_system):
        return ""
    mine = [row for row in rows if row.kind == InventoryKind.PROCESSOR]
    drivers = {row.interface_id: row.interface.driver for row in mine}
    totals: Counter[int] = Counter()
    for row in mine:
        count = row.details.get(LOGICAL)
        totals[row.interface_id] += count if isinstance(count, int) else 0
    by_agent = any(driver not in controllers() for driver in drivers.values())
    if not by_agent or max(totals.values(), default=0) < MISCOUNTED_FROM:
        return ""
    return _(
        "Windows 2016 and 2019 may tell wrong values of more than 64 logical processors; the update KB4598296 "
        "mends that. What the management controller says of them is right."
    )
