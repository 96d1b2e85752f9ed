"""Has every device that can send its events here do so: made, looked at daily, made anew where it is gone or not right.

A row is the wish; what the device says is the truth, and it is asked. Nothing is sent to a device but by ``follow``,
once a minute, and by farewells.
"""

import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.alerts.models import EventSubscription, SubscriptionState
from apps.alerts.receivers import event_certificate
from apps.alerts.subscriptions import farewells, here, talking
from apps.alerts.subscriptions.paths import hash_of, new_path
from apps.alerts.subscriptions.talking import Kept, Plan
from apps.components import contact, noting, ownership
from apps.components.contact import Line
from apps.components.models import ManagementInterface
from apps.components.noting import Outcome
from apps.core import audit, events, options
from apps.core.actors import SYSTEM
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers import registry
from apps.drivers.contract import Capability
from apps.protocols.errors import AuthenticationFailed, ContactError, Unreachable, Unsupported

SWITCHES = ("redfish_events", "event_reception")
DAILY = timedelta(days=1)
LEASE = timedelta(minutes=10)  # until another worker may look at what one has begun with
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
MOST_MANAGERS = 3  # to how many managers a device is to send
MOST_IN_A_RUN = 200


def follow(now: datetime | None = None) -> int:
    """Bring wishes and devices together as far as it is time for it; gives how many devices were spoken to."""
    now = now or timezone.now()
    _wish(now)
    _notice(now)
    rows = _claim(now)
    for start in range(0, len(rows), talking.AT_ONCE):
        _look_at(rows[start : start + talking.AT_ONCE], now)
    return len(rows) + farewells.follow(now)


def drivers() -> list[str]:
    """Name the drivers whose devices can send events."""
    return [name for name, spec in registry.specs().items() if Capability.SUBSCRIPTIONS in spec.capabilities]


def wanted() -> "QuerySet[ManagementInterface]":
    """Give the interfaces whose devices are to send here."""
    if not all(options.get(name) for name in SWITCHES):
        return ManagementInterface.objects.none()
    found = ManagementInterface.objects.managed().filter(driver__in=drivers())
    return found.exclude(component__managed_elsewhere__has_key=ownership.CONTROLLER)


def _wish(now: datetime) -> None:
    """Make the rows of new interfaces; let those go whose interface is not wanted any more."""
    unwanted = EventSubscription.objects.exclude(interface__in=wanted().order_by().values("pk"))
    gone = list(unwanted.values_list("interface_id", flat=True)[:MOST_IN_A_RUN])
    if gone:
        farewells.of_interfaces(gone)
    fresh = wanted().filter(event_subscription=None).order_by("pk").values_list("pk", flat=True)[:MOST_IN_A_RUN]
    new = [
        EventSubscription(interface_id=pk, context=f"{talking.MARK}{secrets.token_hex(12)}", due_at=now) for pk in fresh
    ]
    if new:
        with turn():
            EventSubscription.objects.bulk_create(new, ignore_conflicts=True)


def _notice(now: datetime) -> None:
    """See what calls for a look before its time: a device that was away, another address or certificate of ours."""
    rows = EventSubscription.objects.order_by()
    away = rows.filter(interrupted=False, interface__failures__gt=0)
    back = rows.filter(interrupted=True, interface__failures=0)
    if away.exists() or back.exists():
        with turn():
            back.update(interrupted=False, due_at=now)
            away.update(interrupted=True)
    active = rows.filter(state=SubscriptionState.ACTIVE).filter(Q(due_at=None) | Q(due_at__gt=now))
    mark = event_certificate.mark()
    moved = set(active.exclude(certificate=mark).values_list("pk", flat=True))
    for pk, place, address in active.exclude(pk__in=moved).values_list("pk", "place", "interface__address"):
        if _is_number(address) and _place(address) not in ("", place):
            moved.add(pk)
    if moved:
        with turn():
            rows.filter(pk__in=moved).update(due_at=now)


def _is_number(address: str) -> bool:
    """Say whether an address is none that a name server has to be asked for."""
    return ":" in address or address.replace(".", "").isdigit()


def _place(address: str) -> str:
    try:
        return here.place_for(address)
    except here.Nowhere:
        return ""


def _claim(now: datetime) -> list[EventSubscription]:
    """Take what is due: whoever changes the time first has it."""
    due = list(EventSubscription.objects.due(now).order_by("due_at").values_list("pk", "due_at")[:MOST_IN_A_RUN])
    mine = []
    with turn() if due else transaction.atomic():
        for pk, at in due:
            if EventSubscription.objects.filter(pk=pk, due_at=at).update(due_at=now + LEASE):
                mine.append(pk)
    still = EventSubscription.objects.filter(pk__in=mine, interface__in=wanted().order_by().values("pk"))
    return list(still.select_related("interface").order_by("pk"))


def _look_at(rows: Sequence[EventSubscription], now: datetime) -> None:
    mark, ways = event_certificate.mark(), []
    lines = {line.interface_id: line for line in contact.lines([row.interface_id for row in rows], talking.PURPOSE)}
    for row in rows:
        line = lines.get(row.interface_id)
        if line is None:
            continue
        try:
            place = here.place_for(row.interface.address)
        except here.Nowhere as nowhere:
            _note_failure(row, nowhere.phrase, now)
            continue
        path = new_path()
        renew = row.certificate != mark
        ways.append((row, line, Plan(place, row.context, row.token_hash, path, renew)))
    with turn() if ways else transaction.atomic():  # the device may send before it has answered
        for row, _line, plan in ways:
            EventSubscription.objects.filter(pk=row.pk).update(next_hash=hash_of(plan.new_path))
    found = talking.all_at_once([partial(talking.keep, line, plan) for _row, line, plan in ways])
    told = []
    for (row, line, plan), result in zip(ways, found, strict=True):
        if isinstance(result, ContactError):
            _note_error(row, result, now)
            if isinstance(result, AuthenticationFailed):
                told.append(Outcome(line, result))  # so that nobody offers the same login again
        else:
            _note_kept(row, line, plan, result, mark, now)
            told.append(Outcome(line, None, result.state))
    noting.note(told)
    if ways:
        events.publish("component")


def _note_kept(row: EventSubscription, line: Line, plan: Plan, kept: Kept, mark: str, now: datetime) -> None:
    facts: dict[str, Any] = {
        "state": SubscriptionState.ACTIVE.value,
        "uri": kept.key[:500],
        "place": plan.place,
        "certificate": mark,
        "tests": kept.tests,
        "others": sorted(set(kept.others)),
        "next_hash": "",
        "looked_at": now,
        "due_at": _next_look(now),
        "failures": 0,
        "last_error": Phrase(),
    }
    if kept.is_new:
        facts |= {"token_hash": hash_of(plan.new_path), "since": now}
    with turn():
        changed = EventSubscription.objects.filter(pk=row.pk).update(**facts)
        if changed and kept.is_new:
            after = {"address": row.interface.address, "events_to": plan.place}
            audit.record(SYSTEM, "events.subscribe", row.interface.component, after=after)
    if not changed:  # its component was removed, or events were switched off, while we talked
        row.uri = kept.key[:500]
        farewells.of_line(row, line)


def _next_look(now: datetime) -> datetime:
    """Give the time of the daily look, spread out: devices that were registered together are not asked together."""
    return now + DAILY - timedelta(minutes=random.randrange(120))


def _note_error(row: EventSubscription, error: ContactError, now: datetime) -> None:
    if isinstance(error, Unsupported):
        state, due = SubscriptionState.UNSUPPORTED, now + DAILY
    else:
        state, due = SubscriptionState.FAILED, _again(row, now)
    _note(row, state, contact.words(error), due, now, heard=not isinstance(error, Unreachable))


def _note_failure(row: EventSubscription, why: Phrase, now: datetime) -> None:
    _note(row, SubscriptionState.FAILED, why, _again(row, now), now, heard=False)


def _again(row: EventSubscription, now: datetime) -> datetime:
    return now + min(FIRST_PAUSE * 2 ** min(row.failures, 10), LONGEST_PAUSE)


def _note(
    row: EventSubscription, state: SubscriptionState, why: Phrase, due: datetime, now: datetime, *, heard: bool
) -> None:
    """Keep what went wrong. A device that was only silent keeps what it has: it goes on sending."""
    facts: dict[str, Any] = {"last_error": why, "due_at": due, "failures": F("failures") + 1, "looked_at": now}
    if heard or row.state != SubscriptionState.ACTIVE:
        facts |= {"state": state.value}
    with turn():
        EventSubscription.objects.filter(pk=row.pk).update(**facts)


def line_of(row: EventSubscription) -> Line | None:
    """Give all that is needed to speak with the device of a subscription."""
    return next(iter(contact.lines([row.interface_id], talking.PURPOSE)), None)
