"""From posted events to committed alerts: what the receiver does with them in its one database thread."""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.alerts.models import DEFAULT_ALERT_TYPE, Alert, Count, EventSubscription, Severity
from apps.alerts.models import Counter as CounterRow
from apps.alerts.receivers import redfish_event
from apps.alerts.receivers.redfish_event import Event
from apps.alerts.receivers.store import DatabaseAway, Store, closing_on_failure
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import store
from apps.alerts.services.interpretation import interpret
from apps.components.models import Component, ManagementInterface
from apps.core import options
from apps.core.writes import turn

log = logging.getLogger(__name__)

REPEATS_FOR = timedelta(days=1)  # devices may try for hours
LOOKED_AFTER_EVERY = timedelta(seconds=30)  # a device that tells of something is polled, but not for every event
MOST_AT_ONCE = 500  # events in a write turn


@dataclass(frozen=True, slots=True)
class Known:
    """A subscription as the loop has to know it."""

    pk: int
    context: str = field(repr=False)


@dataclass(slots=True)
class Post:
    """One message that is to be stored, and where it came from."""

    subscription: int
    address: str
    events: Sequence[Event]
    left_out: int = 0
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    arrived: float = field(default_factory=time.monotonic)


class EventStore:
    """Sorts out and stores, with the counts and the storm limits of all that is received."""

    def __init__(self, store_of_traps: Store) -> None:
        self._store = store_of_traps

    def subscriptions(self) -> Mapping[str, Known]:
        """Give the subscriptions by the hashes of their paths."""
        with closing_on_failure():
            rows = EventSubscription.objects.order_by().values_list("pk", "context", "token_hash", "next_hash")
            return {digest: Known(pk, context) for pk, context, *digests in rows for digest in digests if digest}

    def count(self, what: Count, number: int) -> None:
        """Count what was not let in."""
        self._store.count(what, number)

    def commit(self, posts: Sequence[Post]) -> None:
        """Store the events of some messages in one write turn; raises ``DatabaseAway`` when nothing was done.

        What the database does not take for its content is looked for by halves, counted and left out: sent again, it
        would not be taken either.
        """
        with closing_on_failure():
            rates = options.get("trap_origin_rate"), options.get("trap_total_rate")
        counts = self._store.counts
        for post in posts:
            admitted = [one for one in post.events if self._store.guard.admits(post.address, post.arrived, *rates)]
            counts[Count.RECEIVED] += len(post.events) + post.left_out
            counts[Count.SUPPRESSED] += len(post.events) - len(admitted) + post.left_out
            post.events = admitted
        self._commit(posts)

    def _commit(self, posts: Sequence[Post]) -> None:
        counts = self._store.counts
        try:
            with closing_on_failure(), turn():
                stored, repeated = self._keep(posts)
                new = {Count.STORED: stored, Count.REPEATED: repeated}
                CounterRow.add({name.value: counts[name] + new.get(name, 0) for name in Count})
        except DatabaseAway:
            raise
        except Exception as error:
            if len(posts) == 1 and len(posts[0].events) < 2:
                counts[Count.FAILED] += 1
                log.warning("an event from %s could not be stored: %s", posts[0].address, type(error).__name__)
                return
            for half in _halves(posts):
                self._commit(half)
        else:
            counts.clear()

    def _keep(self, posts: Sequence[Post]) -> tuple[int, int]:
        """Store what is new; gives how many events were stored, and how many were known already."""
        rows = EventSubscription.objects.filter(pk__in={post.subscription for post in posts})
        rows = rows.select_related("interface__component").order_by()
        senders = {row.pk: row for row in rows}
        digests = {
            (place, number): _digest(post.subscription, event)
            for place, post in enumerate(posts)
            for number, event in enumerate(post.events)
        }
        earlier = Alert.objects.with_digests(set(digests.values())).received_after(timezone.now() - REPEATS_FOR)
        seen = set(earlier.order_by().values_list("digest", flat=True))
        known, arrivals = catalogue.current(), []
        heard: dict[int, datetime] = {}
        for place, post in enumerate(posts):
            sender = senders.get(post.subscription)
            if sender is None:  # its component was removed between our look and now
                continue
            heard[sender.pk] = max(heard.get(sender.pk, post.received_at), post.received_at)
            for number, event in enumerate(post.events):
                digest = digests[place, number]
                if digest not in seen:
                    seen.add(digest)
                    arrivals.append(_arrival(known, post, event, sender.interface.component, digest))
        if arrivals:
            store(arrivals)
        for pk, at in heard.items():
            EventSubscription.objects.filter(pk=pk).update(last_event_at=at)
        told = {one.component.pk for one in arrivals if one.component is not None and one.grade in _CALLS_FOR_A_LOOK}
        _look_after([sender.interface_id for sender in senders.values() if sender.interface.component_id in told])
        return len(arrivals), len(digests) - len(arrivals)


_CALLS_FOR_A_LOOK = frozenset({Severity.CRITICAL.value, Severity.WARNING.value, Severity.NORMAL.value})


def _look_after(interfaces: Sequence[int]) -> None:
    """Have devices that told of a change polled now, so that what is measured agrees with what they told."""
    if not interfaces:
        return
    now = timezone.now()
    rows = ManagementInterface.objects.managed().filter(pk__in=interfaces)
    rested = Q(last_polled_at=None) | Q(last_polled_at__lt=now - LOOKED_AFTER_EVERY)
    for those, at in ((rows.filter(rested), now), (rows.exclude(rested), now + LOOKED_AFTER_EVERY)):
        those.filter(next_poll_at__gt=at).update(next_poll_at=at)


def _digest(subscription: int, event: Event) -> str:
    return hashlib.blake2b(event.identity, digest_size=16, key=str(subscription).encode()).hexdigest()


def _arrival(known: catalogue.Catalogue, post: Post, event: Event, component: Component, digest: str) -> Arrival:
    meaning = interpret(known, event.name, "", event.bindings, component)
    return Arrival(
        source=redfish_event.SOURCE,
        received_at=post.received_at,
        occurred_at=event.occurred_at,
        definition=meaning.definition,
        severity=meaning.severity,
        alert_type=redfish_event.ALERT_TYPE if meaning.alert_type == DEFAULT_ALERT_TYPE else meaning.alert_type,
        product=meaning.product,
        component=component,
        address=post.address,
        object=meaning.object,
        params={**meaning.params, "object": meaning.object},
        trap_oid=event.name,
        bindings=event.bindings,
        datagram=event.stored,
        digest=digest,
    )


def _halves(posts: Sequence[Post]) -> list[list[Post]]:
    if len(posts) > 1:
        middle = len(posts) // 2
        return [list(posts[:middle]), list(posts[middle:])]
    (post,) = posts
    middle = len(post.events) // 2
    shares = (post.events[:middle], post.events[middle:])
    return [[Post(post.subscription, post.address, share, 0, post.received_at, post.arrived)] for share in shares]
