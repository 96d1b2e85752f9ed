"""Takes network ports out of the status of their component and back in: one by one, or by the guide's file."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.alerts.models import Incident
from apps.alerts.services.folding import settle_causes
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes
from apps.core import audit, events, rows
from apps.core.actors import Actor
from apps.core.writes import turn
from apps.monitoring import exclusions, port_reports
from apps.monitoring.exclusions import Exclusions
from apps.monitoring.models import ExcludedPort, LastPorts
from apps.monitoring.port_reports import PortView

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
COUNTED_BY = ("poll", "limit")  # sources of causes that a poll makes


def of_components(component_ids: Collection[int]) -> dict[int, Exclusions]:
    """Give the exclusions by component; those without any are left out."""
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    told = ExcludedPort.objects.filter(component__in=rows.among(component_ids)).order_by()
    for component_id, mac_address, port_name in told.values_list("component_id", "mac_address", "port_name"):
        found[component_id].add((mac_address, port_name))
    return {component_id: frozenset(told) for component_id, told in found.items()}


def of_component(component: Component) -> Exclusions:
    """Give the exclusions of one component."""
    return of_components([component.pk]).get(component.pk, exclusions.NONE)


def take_over(stays_id: int, goes_id: int) -> None:
    """Give the exclusions of one component to another, because both are the same machine."""
    known = set(ExcludedPort.objects.filter(component=stays_id).values_list("mac_address", "port_name"))
    theirs = ExcludedPort.objects.filter(component=goes_id).values_list("pk", "mac_address", "port_name")
    moved = [pk for pk, mac_address, port_name in theirs if (mac_address, port_name) not in known]
    ExcludedPort.objects.filter(pk__in=moved).update(component=stays_id)


def part(interface: ManagementInterface, made_id: int, rest: Sequence[ManagementInterface]) -> None:
    """Give the exclusions of an interface's ports to the component that is made of it."""
    ports = _reported([interface.component_id])
    mine = {port.mac_address for port in ports.get(interface.pk, ())}
    staying = {port.mac_address for row in rest for port in ports.get(row.pk, ())}
    for excluded in ExcludedPort.objects.filter(component=interface.component_id).order_by("pk"):
        if excluded.mac_address in mine - staying:
            ExcludedPort.objects.filter(pk=excluded.pk).update(component=made_id)
        elif excluded.mac_address in mine:
            kept = {"mac_address": excluded.mac_address, "port_name": excluded.port_name}
            ExcludedPort.objects.create(component_id=made_id, excluded_at=excluded.excluded_at, **kept)


def exclude(component: Component, port: PortView, actor: Actor) -> None:
    """Take one port out of the status now. Raises ValidationError for one without a MAC address."""
    if port.mac_address is None:
        raise ValidationError(_("A port without a MAC address cannot be excluded."))
    with turn():
        before = _told(component)
        if not exclusions.is_excluded(port, of_component(component)):
            ExcludedPort.objects.create(component=component, mac_address=port.mac_address, port_name=port.name[:200])
        _settle(component, before, actor)


def add(component: Component, mac_address: str, port_name: str, actor: Actor) -> ExcludedPort:
    """Exclude the ports with a MAC address, or the one of them with this name; raises ValidationError."""
    found = _MAC.fullmatch(mac_address.strip().replace("-", ":").lower())
    if found is None:
        raise ValidationError({"mac_address": [_("This is no MAC address.")]})
    with turn():
        before = _told(component)
        row, _is_new = ExcludedPort.objects.get_or_create(
            component=component, mac_address=found[0], port_name=port_name.strip()
        )
        _settle(component, before, actor)
    return row


def include(component: Component, port: PortView, actor: Actor) -> None:
    """Let one port count again; others with the same MAC address stay as they are."""
    with turn():
        before = _told(component)
        mine = ExcludedPort.objects.filter(component=component, mac_address=port.mac_address or "")
        if mine.filter(port_name="").exists():
            alike = {each.name[:200] for each in ports_of(component) if each.mac_address == port.mac_address}
            ExcludedPort.objects.bulk_create(
                [
                    ExcludedPort(component=component, mac_address=port.mac_address or "", port_name=name)
                    for name in sorted(alike - {port.name[:200]})
                ],
                ignore_conflicts=True,
            )
        mine.filter(port_name__in=["", port.name[:200]]).delete()
        _settle(component, before, actor)


def replace(component: Component, mac_addresses: Iterable[str], actor: Actor) -> None:
    """Exclude every port with one of these MAC addresses, and no other."""
    with turn():
        before = _told(component)
        wanted = set(mac_addresses)
        mine = ExcludedPort.objects.filter(component=component)
        mine.exclude(mac_address__in=wanted, port_name="").delete()
        present = set(mine.values_list("mac_address", flat=True))
        ExcludedPort.objects.bulk_create(
            [ExcludedPort(component=component, mac_address=mac) for mac in sorted(wanted - present)]
        )
        _settle(component, before, actor)


def remove(row: ExcludedPort, actor: Actor) -> None:
    """Forget one exclusion."""
    with turn():
        before = _told(row.component)
        row.delete()
        _settle(row.component, before, actor)


def _told(component: Component) -> list[str]:
    return [str(row) for row in ExcludedPort.objects.filter(component=component).order_by("mac_address", "port_name")]


def _settle(component: Component, before: list[str], actor: Actor) -> None:
    """Audit what changed, and bring the status to it: at once for what is excluded, by a poll for what is not."""
    after = _told(component)
    if after == before:
        return
    audit.record(actor, "component.exclude_ports", component, before={"ports": before}, after={"ports": after})
    withdraw(component)
    settle_causes(Incident.objects.open().filter(component=component).select_related("definition"))
    if set(before) - set(after):
        ManagementInterface.objects.filter(component=component, enabled=True).update(next_poll_at=timezone.now())
    events.publish("component")


def withdraw(component: Component) -> None:
    """Close the causes that excluded ports have open."""
    excluded = of_component(component)
    mine: dict[int, frozenset[int]] = {}
    for interface_id, ports in _reported([component.pk]).items():
        mine[interface_id] = exclusions.indexes(ports, excluded)
    standing = StatusCause.objects.filter(component=component, source__in=COUNTED_BY, interface__in=list(mine))
    for cause in standing:
        if exclusions.port_of(cause.key) in mine[cause.interface_id]:
            causes.withdraw(component.pk, cause.source, cause.key, cause.interface_id)


def ports_of(component: Component) -> list[PortView]:
    """Give the ports of a component as they were at the last poll."""
    return [port for ports in _reported([component.pk]).values() for port in ports]


def excluded_parts(parts: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Give those numbered ports, by component and number, that are excluded."""
    wanted: Mapping[int, set[str]] = defaultdict(set)
    for component_id, number in parts:
        wanted[component_id].add(number)
    found: set[tuple[int, str]] = set()
    excluded = of_components(list(wanted))
    last = LastPorts.objects.filter(interface__component__in=list(excluded)).order_by("interface")
    for component_id, report in last.values_list("interface__component", "report"):
        ports = port_reports.views(bytes(report), 0.0, None, None)
        for index in exclusions.indexes(ports, excluded[component_id]):
            if str(index) in wanted[component_id]:
                found.add((component_id, str(index)))
    return found


def _reported(component_ids: Collection[int]) -> dict[int, list[PortView]]:
    last = LastPorts.objects.filter(Q(interface__component__in=component_ids)).order_by("interface")
    return {
        interface_id: port_reports.views(bytes(report), 0.0, None, None)
        for interface_id, report in last.values_list("interface_id", "report")
    }
