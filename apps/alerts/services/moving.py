"""Moves alerts and incidents when two components are joined, and when an interface is taken out of one again."""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Max, Min, Q

from apps.alerts.models import Alert, EventSubscription, Incident, Severity
from apps.alerts.models.alert import AlertQuerySet
from apps.alerts.services.folding import SOURCE, cause_key, settle_causes
from apps.alerts.services.incidents import end_joined
from apps.alerts.sources import EVENT_SOURCE
from apps.components.models import Component, ManagementInterface
from apps.components.services import causes, host_names, identity
from apps.core import events
from apps.core.writes import turn
from apps.protocols.ipmi.platform_event import ENTERPRISE

PORTAL = "portal"  # the source of alerts that are about an address, which their object names


def join(stays_id: int, goes_id: int) -> None:
    """Give what one component has to another, because both are the same machine."""
    with turn():
        Alert.objects.filter(component=goes_id).update(component=stays_id)
        taken = set(Incident.objects.open().filter(component=stays_id).values_list("definition_id", "object"))
        moved: list[Incident] = []
        doubled: list[Incident] = []
        rows = Incident.objects.filter(component=goes_id).select_related("definition").select_for_update(of=("self",))
        for incident in rows.order_by("pk"):
            (doubled if incident.is_open and (incident.definition_id, incident.object) in taken else moved).append(
                incident
            )
        end_joined(doubled)
        _place([*moved, *doubled], stays_id)
        settle_causes(moved)


def split(interface: ManagementInterface, made_id: int, rest: Sequence[ManagementInterface]) -> None:
    """Give what came by an interface to the component that is made of it; what nobody knows of stays.

    A problem in which alerts of both are folded becomes two, each with its own.
    """
    with turn():
        made = Component.objects.get(pk=made_id)
        mine = Alert.objects.filter(_came_by(interface, rest), component=interface.component_id)
        rows = Incident.objects.filter(pk__in=mine.order_by().values("incident")).select_related("definition")
        concerned = list(rows.select_for_update(of=("self",)).order_by("pk"))
        staying = Alert.objects.filter(incident__in=concerned).exclude(pk__in=mine.order_by().values("pk"))
        mixed = set(staying.exclude(severity=Severity.NORMAL).order_by().values_list("incident", flat=True))
        whole = [incident for incident in concerned if incident.pk not in mixed]
        left = [incident for incident in concerned if incident.pk in mixed]
        _end_causes(whole)
        parts = [part for incident in left if (part := _parted(incident, mine, made_id)) is not None]
        _place(whole, made_id)
        # A recovery that ended a problem of both stays with the first.
        mine.update(component=made, component_name=made.name)
        settle_causes([*left, *parts, *whole])
        if concerned:
            events.publish("alert")


def _came_by(interface: ManagementInterface, rest: Sequence[ManagementInterface]) -> Q:
    """Say which alerts of a component came by one of its interfaces: from an address that no other one has.

    Events of a device that was asked to send them are its own also where others share its address, and those that came
    by another interface's subscription never are; so are platform events those of the only controller.
    """
    others = {address for row in rest for address in host_names.addresses_of(row)}
    own = host_names.addresses_of(interface) - others
    subscribed = EventSubscription.objects.filter(interface__in=[interface, *rest]).order_by()
    senders = set(subscribed.values_list("interface", flat=True))
    events_of_it = Q(source=EVENT_SOURCE)
    if senders != {interface.pk}:
        events_of_it &= Q(address__in=own)
    traps = Q(address__in=own) & ~Q(source=EVENT_SOURCE)
    controllers = identity.controllers()
    if interface.driver in controllers and not any(row.driver in controllers for row in rest):
        traps |= Q(address__in=host_names.addresses_of(interface), trap_oid__startswith=f"{ENTERPRISE}.")
    hosts = {interface.address, *own} - {row.address for row in rest}
    return events_of_it | traps | Q(source=PORTAL, object__in=hosts)


def _parted(incident: Incident, mine: AlertQuerySet, made_id: int) -> Incident | None:
    """Make a second incident of those alerts of one that go; gives it, None where only recoveries do."""
    going = mine.filter(incident=incident.pk)
    problems = going.exclude(severity=Severity.NORMAL)
    told = problems.aggregate(count=Count("pk"), first=Min("received_at"), last=Max("received_at"))
    if not told["count"]:
        return None
    part = Incident.objects.get(pk=incident.pk)
    part.pk = None
    part._state.adding = True
    part.component_id, part.place = made_id, Incident.place_of(made_id, None)
    part.count, part.first_at, part.last_at = told["count"], told["first"], told["last"]
    part.save()
    problems.update(incident=part)
    rest = Alert.objects.filter(incident=incident.pk).exclude(severity=Severity.NORMAL)
    span = rest.aggregate(first=Min("received_at"), last=Max("received_at"))
    incident.count = max(incident.count - told["count"], 1)
    incident.first_at, incident.last_at = span["first"], span["last"]
    incident.save(update_fields=["count", "first_at", "last_at"])
    return part


def _place(incidents: Sequence[Incident], component_id: int) -> None:
    for incident in incidents:
        incident.component_id = component_id
        incident.place = Incident.place_of(component_id, None)
    Incident.objects.bulk_update(incidents, ["component", "place"], batch_size=100)


def _end_causes(incidents: Iterable[Incident]) -> None:
    """Take what is about to go out of the status of the component that it leaves."""
    places = [(one.component_id, None, SOURCE, cause_key(one)) for one in incidents if one.component_id is not None]
    if places:
        causes.change([], places)
