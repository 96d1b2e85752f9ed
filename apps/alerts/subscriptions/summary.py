"""How the subscriptions of all devices stand, for those who look after reception."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from apps.alerts.models import EventSubscription, Farewell, SubscriptionState


@dataclass(frozen=True, slots=True)
class Share:
    """How many subscriptions are in one state."""

    state: SubscriptionState
    number: int


def counted(user: Any) -> Sequence[Share]:
    """Count the subscriptions that somebody may see, by state; empty where there is none."""
    rows = EventSubscription.objects.visible_to(user).order_by().values_list("state").annotate(number=Count("pk"))
    found = dict(rows)
    return [Share(state, found[state.value]) for state in SubscriptionState if state.value in found]


def farewells() -> Sequence[Farewell]:
    """List the devices that are still to be told to send no more, those that nobody tries any more first."""
    rows = Farewell.objects.defer("login").order_by("name", "pk")
    return sorted(rows, key=lambda row: not row.is_given_up)
