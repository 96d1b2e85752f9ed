"""Whether anything was heard of a device since a moment: by it one sees that its reports arrive."""

from contextlib import suppress
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Q

from apps.alerts.models import Alert, EventSubscription
from apps.alerts.sources import TRAP_SOURCE
from apps.components import addresses


def by_event(subscription_id: int, since: datetime) -> bool:
    """Say whether a device posted anything to its subscription."""
    return EventSubscription.objects.filter(pk=subscription_id, last_event_at__gte=since).exists()


def by_trap(component_id: int, address: str, since: datetime) -> bool:
    """Say whether a trap of a component came, or one from its address that could not be assigned to any."""
    of_it = Q(component=component_id)
    with suppress(ValidationError):  # a host name: who sends is known by a number
        of_it |= Q(component=None, address=addresses.clean_address(address))
    return Alert.objects.filter(of_it, received_at__gte=since, source=TRAP_SOURCE).exists()
