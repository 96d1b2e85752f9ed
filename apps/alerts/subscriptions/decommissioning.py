"""Ends all subscriptions at once, before the portal goes, and tells what could not be ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from apps.alerts.models import EventSubscription, Farewell
from apps.alerts.subscriptions import farewells
from apps.core import audit, options
from apps.core.actors import Actor
from apps.core.writes import turn

AT_ONCE = 100
SWITCH = "redfish_events"


@dataclass(frozen=True, slots=True)
class Decommissioned:
    """How many subscriptions were ended, and those that could not be."""

    removed: int
    left: Sequence[Farewell]


def decommission(actor: Actor) -> Decommissioned:
    """Switch events off, and have every device told now, each once."""
    if options.get(SWITCH):
        options.set_value(SWITCH, False, actor)
    while ids := list(EventSubscription.objects.order_by("pk").values_list("interface", flat=True)[:AT_ONCE]):
        farewells.of_interfaces(ids)
    known = set(Farewell.objects.values_list("pk", flat=True))
    with turn():
        Farewell.objects.exclude(due_at=None).update(due_at=timezone.now())
        audit.record(actor, "events.decommission", after={"subscriptions": len(known)})
    while farewells.follow():
        pass
    left = list(Farewell.objects.filter(pk__in=known).defer("login").order_by("name", "pk"))
    return Decommissioned(len(known) - len(left), left)
