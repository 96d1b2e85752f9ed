"""Asks every managed address once a minute whether it is there, and tells when access to one is lost or recovered.

An address is lost after so many silent sweeps in a row (option ``access_lost_retries``), unless a driver heard from it
meanwhile; one that never answers pings, because something filters them, is lost only when its drivers fail too.
"""

import os
import socket
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.alerts.models import Incident
from apps.alerts.services import incidents
from apps.alerts.services.raising import raise_alert
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes, host_names, identity, power_states
from apps.components.services.causes import Cause
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers.per_loop import PerLoop
from apps.monitoring.models import Liveness
from apps.monitoring.services import event_loop
from apps.protocols.errors import Unreachable
from apps.protocols.ping import Pinger, rights

SOURCE = "liveness"
LOST = Phrase(gettext_noop("Access is lost: the address does not answer."))
IS_OFF = Phrase(gettext_noop("Its controller says that the machine is off, or starts."))
NOT_WATCHED = Phrase(gettext_noop("The address is not watched any more."))
ACCESS_LOST, ACCESS_RECOVERED = "portal.access-lost", "portal.access-recovered"
PERIOD = 60  # seconds
DRIVERS_FAILED = 2  # polls in a row without an answer, which count where pings are never answered
AT_ONCE = 500
_LOCK_KEY = "monitoring:sweep"
_LOCK_FOR = 110  # seconds: one who died holds up one sweep only
_SWEPT_KEY = "monitoring:swept-at"
_CURRENT_FOR = 2.5 * PERIOD

Place = tuple[int, str]  # component, address


@dataclass(frozen=True, slots=True)
class _Heard:
    """What drivers know of one address of one component."""

    interface_ids: tuple[int, ...]
    last_answer_at: datetime | None
    unreachable: bool  # all of them, more than once in a row
    of_agents: bool = False  # nobody but agents of the operating system answers there


def sweep() -> int | None:
    """Ping all managed addresses once and keep what changed; gives how many answered, None when one is under way."""
    owner = uuid.uuid4().hex
    if not cache.add(_LOCK_KEY, owner, timeout=_LOCK_FOR):
        return None
    try:
        places = _places()
        names = event_loop.submit(host_names.look_up(host_names.in_use())).result()
        host_names.keep(names)
        answers = event_loop.submit(_ping({address for _component, address in places}, names)).result()
        keep(places, answers, timezone.now())
        cache.set(_SWEPT_KEY, time.time(), timeout=3600)
        return sum(answers.values())
    finally:
        if cache.get(_LOCK_KEY) == owner:
            cache.delete(_LOCK_KEY)


def take_over(stays_id: int, goes_id: int) -> None:
    """Give the addresses of one component to another: both are the same machine, and what was told of them holds."""
    known = Liveness.objects.filter(component=stays_id).values_list("address", flat=True)
    Liveness.objects.filter(component=goes_id).exclude(address__in=list(known)).update(component=stays_id)


def part(interface: ManagementInterface, made_id: int, rest: Sequence[ManagementInterface]) -> None:
    """Give the address of an interface to the component that is made of it, unless another one is there, too."""
    if interface.address not in {row.address for row in rest}:
        mine = Liveness.objects.filter(component=interface.component_id, address=interface.address)
        mine.update(component=made_id)


def is_current() -> bool:
    """Say whether the last sweep is recent enough to believe that who was silent is silent."""
    swept_at = cache.get(_SWEPT_KEY)
    return swept_at is not None and time.time() - swept_at < _CURRENT_FOR


def _places() -> dict[Place, _Heard]:
    """Give every address of every managed component with what its drivers heard last."""
    rows: dict[Place, list[tuple[int, datetime | None, bool, bool]]] = defaultdict(list)
    controllers = identity.controllers()
    found = ManagementInterface.objects.managed().exclude(address="").order_by("pk")
    fields = ("pk", "component_id", "address", "last_answer_at", "failures", "last_error_code", "driver")
    for pk, component_id, address, answered_at, failures, code, driver in found.values_list(*fields).iterator(2000):
        unreachable = failures >= DRIVERS_FAILED and code == Unreachable.code
        rows[component_id, address].append((pk, answered_at, unreachable, driver not in controllers))
    return {
        place: _Heard(
            interface_ids=tuple(row[0] for row in mine),
            last_answer_at=max((row[1] for row in mine if row[1] is not None), default=None),
            unreachable=all(row[2] for row in mine),
            of_agents=all(row[3] for row in mine),
        )
        for place, mine in rows.items()
    }


# --- on the loop ---------------------------------------------------------------------------------------------------


def _own_sockets() -> Pinger:
    """Use sockets of our own; where that is not permitted, those that were handed down (file descriptors)."""
    if rights() == "raw":
        return Pinger()
    handed = [int(word) for word in os.environ.get("ESM_PING_FDS", "").replace(",", " ").split() if word.isdigit()]
    return Pinger([os.dup(descriptor) for descriptor in handed if _is_socket(descriptor)])


def _is_socket(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)):
            return True
    except OSError:
        return False


_pinger = PerLoop(_own_sockets)


async def _ping(addresses: Iterable[str], names: host_names.Names) -> dict[str, bool]:
    """Ping addresses and names; a name that nobody knows is silent. Raises PingNotPermitted."""
    numbers = {address: _number(address, names) for address in addresses}
    answers = await _pinger().sweep({number for number in numbers.values() if number})
    return {address: bool(number) and answers[number] is not None for address, number in numbers.items()}


def _number(address: str, names: host_names.Names) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return next(iter(names.get(address, ())), "")


# --- what follows --------------------------------------------------------------------------------------------------


def keep(places: Mapping[Place, _Heard], answers: Mapping[str, bool], now: datetime) -> None:
    """Bring the rows to what a sweep heard, and tell what was lost or recovered."""
    enough = options.get("access_lost_retries")
    known = {(row.component_id, row.address): row for row in Liveness.objects.all().iterator(2000)}
    _forget(known, places)
    for part in _parts(list(places)):
        _keep_part(part, known, answers, enough, now)
    _withdraw_strangers(known)
    _note_seen({component for component, address in places if answers[address]}, now)
    excused = _excused(places, known, enough)
    for place, heard in places.items():
        row = known.get(place)
        if row is None:
            continue
        if place in excused:
            if row.access_lost_at is not None:
                _explain(row)
        elif row.access_lost_at is None and not row.answers and row.lost >= enough and _is_lost(row, heard):
            _tell_lost(row, heard, now)
        elif row.access_lost_at is not None and (row.answers or _heard_since(heard, row.access_lost_at)):
            _tell_recovered(row, now)


def _excused(places: Mapping[Place, _Heard], known: Mapping[Place, Liveness], enough: int) -> set[Place]:
    """Give the silent addresses of agents whose machine is off, or starts, by the word of its controller."""
    silent = {
        place
        for place, heard in places.items()
        if heard.of_agents and (row := known.get(place)) is not None and not row.answers and row.lost >= enough
    }
    components = power_states.excused({component for component, _address in silent})
    return {place for place in silent if place[0] in components}


def _explain(row: Liveness) -> None:
    """End what was told of an address before its controller said that the machine is off; nothing has recovered."""
    place = row.component_id, row.address
    with turn():
        mine = Liveness.objects.filter(component=row.component_id, address=row.address)
        if mine.exclude(access_lost_at=None).update(access_lost_at=None):
            _close(place, IS_OFF)


def _parts(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    for start in range(0, len(places), AT_ONCE):
        yield places[start : start + AT_ONCE]


def _forget(known: dict[Place, Liveness], places: Mapping[Place, _Heard]) -> None:
    """Drop addresses that nobody manages any more."""
    gone = [place for place in known if place not in places]
    for start in range(0, len(gone), AT_ONCE):
        with turn():
            Liveness.objects.filter(pk__in=[known[place].pk for place in gone[start : start + AT_ONCE]]).delete()
    for place in gone:
        if known.pop(place).access_lost_at is not None:
            _close(place)


def _close(place: Place, why: Phrase = NOT_WATCHED) -> None:
    """Nobody waits any more for it to come back: end what was told of it."""
    component_id, address = place
    _withdraw(component_id, address)
    told = Incident.objects.open().filter(component=component_id, definition__key=ACCESS_LOST, object=address)
    incidents.close(told, SYSTEM, why)


def _withdraw(component_id: int, address: str) -> None:
    mine = StatusCause.objects.filter(component=component_id, source=SOURCE, key=address)
    for interface_id in list(mine.values_list("interface_id", flat=True)):
        causes.withdraw(component_id, SOURCE, address, interface_id)


def _withdraw_strangers(known: Mapping[Place, Liveness]) -> None:
    """Withdraw what no row stands for, as after two components were joined."""
    told = {place for place, row in known.items() if row.access_lost_at is not None}
    rows = StatusCause.objects.filter(source=SOURCE).order_by()
    for component_id, address in set(rows.values_list("component_id", "key")) - told:
        _withdraw(component_id, address)


def _keep_part(
    places: Sequence[Place], known: dict[Place, Liveness], answers: Mapping[str, bool], enough: int, now: datetime
) -> None:
    new, changed, back, gone = [], [], [], set()
    for place in places:
        component_id, address = place
        answered, row = answers[address], known.get(place)
        if row is None:
            row = known[place] = Liveness(
                component_id=component_id,
                address=address,
                answers=answered,
                since=now,
                lost=0 if answered else 1,
                ever_answered=answered,
            )
            new.append(row)
        elif answered and not row.answers:
            row.answers, row.since, row.lost, row.ever_answered = True, now, 0, True
            changed.append(row)
            back.append(place)
        elif not answered and row.lost < enough:
            if row.answers:
                row.answers, row.since = False, now
                gone.add(component_id)
            row.lost += 1
            changed.append(row)
    if not (new or changed):
        return
    with turn():
        present = set(Component.objects.filter(pk__in={row.component_id for row in new}).values_list("pk", flat=True))
        Liveness.objects.bulk_create(
            [row for row in new if row.component_id in present],
            update_conflicts=True,
            unique_fields=["component", "address"],
            update_fields=["answers", "since", "lost", "ever_answered"],
        )
        Liveness.objects.bulk_update(changed, ["answers", "since", "lost", "ever_answered"], batch_size=200)
        _poll_at_once(back, now)
    power_states.ask_controllers(gone)


def _poll_at_once(places: Sequence[Place], now: datetime) -> None:
    """Who came back is asked at once, whatever its back-off; also who it is, if nobody ever knew."""
    if not places:
        return
    mine = Q()
    for component_id, address in places:
        mine |= Q(component=component_id, address=address)
    failing = ManagementInterface.objects.filter(mine, failures__gt=0)
    failing.filter(next_poll_at__gt=now).update(next_poll_at=now)
    failing.filter(identity={}, next_inventory_at__gt=now).update(next_inventory_at=now)


def _note_seen(components: Iterable[int], now: datetime) -> None:
    seen = sorted(components)
    for start in range(0, len(seen), AT_ONCE):
        with turn():
            Component.objects.filter(
                Q(last_seen_at=None) | Q(last_seen_at__lt=now - timedelta(seconds=PERIOD / 2)),
                pk__in=seen[start : start + AT_ONCE],
            ).update(last_seen_at=now)


def _heard_since(heard: _Heard, moment: datetime) -> bool:
    return heard.last_answer_at is not None and heard.last_answer_at > moment


def _is_lost(row: Liveness, heard: _Heard) -> bool:
    """Say whether nothing speaks for an address that has been silent for long enough."""
    return heard.unreachable or (row.ever_answered and not _heard_since(heard, row.since))


def _tell_lost(row: Liveness, heard: _Heard, now: datetime) -> None:
    """One statement decides who tells; the alert stands or falls with it."""
    with turn():
        won = Liveness.objects.filter(
            component=row.component_id, address=row.address, access_lost_at=None, answers=False
        ).update(access_lost_at=now)
        component = Component.objects.filter(pk=row.component_id).first()
        if not won or component is None:
            return
        causes.put([Cause(row.component_id, SOURCE, row.address, "unknown", LOST, heard.interface_ids[0])])
        raise_alert(ACCESS_LOST, component=component, object=row.address, occurred_at=row.since)


def _tell_recovered(row: Liveness, now: datetime) -> None:
    with turn():
        won = Liveness.objects.filter(
            component=row.component_id, address=row.address, access_lost_at__isnull=False
        ).update(access_lost_at=None)
        component = Component.objects.filter(pk=row.component_id).first()
        if not won or component is None:
            return
        _withdraw(row.component_id, row.address)
        raise_alert(ACCESS_RECOVERED, component=component, object=row.address, occurred_at=now)
