"""Holds interfaces for one purpose: a device has one writer at a time."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from apps.components.models import CONSOLE, Component, Reservation
from apps.core.writes import turn


def reserve(
    interface_id: int, purpose: str, holder: str, duration: timedelta, *, beside: Collection[str] | None = None
) -> bool:
    """Hold an interface for one purpose; False when somebody else holds it. The same purpose extends its time.

    With ``beside`` nobody else may hold any other interface of its component either, but for these purposes: two ways
    to one machine are one writer. A console stands beside everything.
    """
    now = timezone.now()
    with turn():
        if beside is not None:
            # One after another: two ways to one machine must not both find it free.
            of_interface = Component.objects.filter(interfaces=interface_id)
            list(Component.objects.select_for_update().filter(pk__in=of_interface).values_list("pk"))
            if _others(interface_id, now).exclude(purpose__in=[*beside, CONSOLE]).exists():
                return False
        Reservation.objects.filter(interface=interface_id, until__lte=now).delete()
        mine = Reservation.objects.filter(interface=interface_id, purpose=purpose, holder=holder)
        if mine.update(until=now + duration):
            return True
        try:
            with turn():
                Reservation.objects.create(
                    interface_id=interface_id, purpose=purpose, holder=holder, until=now + duration
                )
        except IntegrityError:
            return False
    return True


def holder_of(interface_id: int) -> Reservation | None:
    """Give who holds an interface, or else another one of its component, for more than a console."""
    held = Reservation.objects.exclude(purpose=CONSOLE)
    others = held.filter(pk__in=_others(interface_id, timezone.now()))
    return held.filter(interface=interface_id).first() or others.first()


def _others(interface_id: int, now: datetime) -> QuerySet[Reservation]:
    """Give what is held of the same component besides an interface."""
    held = Reservation.objects.filter(interface__component__interfaces=interface_id, until__gt=now)
    return held.exclude(interface=interface_id)


def let_read(interface_id: int, purpose: str, holder: str) -> bool:
    """Let polls and checks come again while other writers stay away; False when it is not held."""
    with turn():
        mine = Reservation.objects.filter(interface=interface_id, purpose=purpose, holder=holder)
        return bool(mine.update(lets_read=True))


def release(interface_id: int, purpose: str, holder: str) -> bool:
    """Give an interface back; False when it was not held."""
    with turn():
        return bool(Reservation.objects.filter(interface=interface_id, purpose=purpose, holder=holder).delete()[0])
