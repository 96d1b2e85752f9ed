"""Tells alerts what the numbered network ports of a component are called."""

from collections import defaultdict
from collections.abc import Iterable

from apps.alerts.services.naming import Part
from apps.monitoring import port_reports
from apps.monitoring.models import LastPorts


def names_of_ports(parts: Iterable[Part]) -> dict[Part, str]:
    """Give the names of ports by component and number, as their devices told at the last poll."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for component_id, number in parts:
        wanted[component_id].add(number)
    names: dict[Part, str] = {}
    last = LastPorts.objects.filter(interface__component__in=list(wanted)).order_by("interface")
    for component_id, report in last.values_list("interface__component", "report"):
        for port in port_reports.views(bytes(report), 0.0, None, None):
            if str(port.index) in wanted[component_id] and port.name:
                names.setdefault((component_id, str(port.index)), port.name)
    return names
