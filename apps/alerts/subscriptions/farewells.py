"""Tells devices to send no more, also after their component has gone: tried again for a day, then listed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.alerts.models import EventSubscription, Farewell, SubscriptionState
from apps.alerts.subscriptions import talking
from apps.components import contact
from apps.components.contact import Line
from apps.components.models import ManagementInterface
from apps.core import audit, events, secrets
from apps.core.actors import SYSTEM, Actor
from apps.core.models import Outcome
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers import registry
from apps.drivers.contract import Target
from apps.protocols.errors import AuthenticationFailed, ContactError

PAUSES = (1, 5, 15, 60, 180, 360, 720)  # minutes between attempts; afterwards nobody tries any more
LEASE = timedelta(minutes=10)
MOST_IN_A_RUN = 100


def of_components(ids: Sequence[int]) -> None:
    """Say farewell to the devices of components that are about to be removed."""
    of_interfaces(list(ManagementInterface.objects.filter(component__in=ids).values_list("pk", flat=True)))


def of_interfaces(ids: Sequence[int]) -> None:
    """Turn the subscriptions of interfaces into farewells, while it is still known how to reach them."""
    rows = EventSubscription.objects.filter(interface__in=ids).select_related("interface__component").order_by("pk")
    found = list(rows)
    if not found:
        return
    lines = {line.interface_id: line for line in contact.lines([row.interface_id for row in found], talking.PURPOSE)}
    new = [_farewell(row, lines[row.interface_id]) for row in found if row.interface_id in lines and _may_send(row)]
    with turn():
        EventSubscription.objects.filter(pk__in=[row.pk for row in found]).delete()
        Farewell.objects.bulk_create(new)


def _may_send(row: EventSubscription) -> bool:
    """Say whether a device may send here: it said so, or it was asked to, and its answer got lost or is to come."""
    asked = row.next_hash and row.state != SubscriptionState.UNSUPPORTED
    return bool(row.uri or (asked and row.interface.last_answer_at))


def of_line(row: EventSubscription, line: Line) -> None:
    """Say farewell to a device that agreed to send just when nobody wanted that any more."""
    with turn():
        _farewell(row, line).save()


def _farewell(row: EventSubscription, line: Line) -> Farewell:
    target = line.target
    return Farewell(
        name=line.component_name[:200],
        driver=line.driver,
        address=target.address,
        port=target.port,
        uri=row.uri,
        context=row.context,
        login={
            "kind": target.credential_kind,
            "credential": {name: str(value) for name, value in target.credential.items()},
            "parameters": dict(target.parameters),
            "state": dict(target.state),
        },
    )


def follow(now: datetime | None = None) -> int:
    """Try those that are due; gives how many devices were spoken to."""
    now = now or timezone.now()
    due = list(Farewell.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", "due_at")[:MOST_IN_A_RUN])
    mine = []
    with turn() if due else transaction.atomic():
        for pk, at in due:
            if Farewell.objects.filter(pk=pk, due_at=at).update(due_at=now + LEASE):
                mine.append(pk)
    for start in range(0, len(mine), talking.AT_ONCE):
        _try(mine[start : start + talking.AT_ONCE], now)
    return len(mine)


def _try(ids: Sequence[int], now: datetime) -> None:
    rows, lines = [], []
    for pk in ids:
        try:
            row = Farewell.objects.get(pk=pk)
        except Farewell.DoesNotExist:
            continue
        except secrets.Undecipherable:
            row = Farewell.objects.defer("login").get(pk=pk)
            _give_up(row, Phrase(contact.OTHER_KEY))
            continue
        rows.append(row)
        lines.append(line_of(row))
    ends = [partial(talking.end, line, row.context) for row, line in zip(rows, lines, strict=True)]
    for row, error in zip(rows, talking.all_at_once(ends), strict=True):
        if isinstance(error, ContactError):
            _note(row, error, now)
        else:
            _done(row)


def line_of(row: Farewell) -> Line:
    """Give all that is needed to speak with a device that belongs to no component any more."""
    login: Any = row.login
    target = Target(
        address=row.address,
        port=row.port,
        credential_kind=login["kind"],
        credential=login["credential"],
        parameters=login["parameters"],
        state=login["state"],
    )
    spec = registry.specs().get(row.driver)
    return Line(
        interface_id=0,
        component_id=0,
        component_name=row.name,
        group_id=0,
        driver=row.driver,
        spec=spec,
        target=target,
        purpose=talking.PURPOSE,
    )


def _done(row: Farewell) -> None:
    with turn():
        if Farewell.objects.filter(pk=row.pk).delete()[0]:
            audit.record(SYSTEM, "events.unsubscribe", name=str(row), after=row.facts())
            events.publish("alert")


def _note(row: Farewell, error: ContactError, now: datetime) -> None:
    why = contact.words(error)
    if isinstance(error, AuthenticationFailed) or row.tries >= len(PAUSES):
        _give_up(row, why)  # a login that was refused is not offered again: that would lock the account
        return
    due = now + timedelta(minutes=PAUSES[row.tries])
    with turn():
        Farewell.objects.filter(pk=row.pk).update(due_at=due, tries=row.tries + 1, last_error=why)


def _give_up(row: Farewell, why: Phrase) -> None:
    with turn():
        gone = Farewell.objects.filter(pk=row.pk)
        if gone.update(due_at=None, tries=row.tries + 1, last_error=why, login=_NOTHING):
            audit.record(SYSTEM, "events.unsubscribe", name=str(row), after=row.facts(), outcome=Outcome.FAILED)
            events.publish("alert")


_NOTHING: dict[str, Any] = {"kind": "", "credential": {}, "parameters": {}, "state": {}}


def forget(row: Farewell, actor: Actor) -> None:
    """Take one off the list: somebody saw to the device, or it does not exist any more."""
    with turn():
        if Farewell.objects.filter(pk=row.pk).delete()[0]:
            audit.record(actor, "events.forget", name=str(row), before=row.facts())
            events.publish("alert")
