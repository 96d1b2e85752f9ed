"""Holds interfaces for one purpose: a device has one writer at a time."""

from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone

from apps.components.models import Reservation
from apps.core.writes import turn


def reserve(interface_id: int, purpose: str, holder: str, duration: timedelta) -> bool:
    """Hold an interface for one purpose; False when somebody else holds it. The same purpose extends its time."""
    now = timezone.now()
    with turn():
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


def let_read(interface_id: int, purpose: str, holder: str) -> bool:
    """Let polls and checks come again while other writers stay away; False when it is not held."""
    with turn():
        mine = Reservation.objects.filter(interface=interface_id, purpose=purpose, holder=holder)
        return bool(mine.update(lets_read=True))


def release(interface_id: int, purpose: str, holder: str) -> bool:
    """Give an interface back; False when it was not held."""
    with turn():
        return bool(Reservation.objects.filter(interface=interface_id, purpose=purpose, holder=holder).delete()[0])
