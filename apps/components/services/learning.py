"""Keeps what devices say of themselves."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.components.models import Component, ManagementInterface
from apps.components.services import identity, joining, machines
from apps.components.services.search_text import refresh_search_text
from apps.core.writes import turn
from apps.drivers.contract import IdentityFacts

AT_ONCE = 200
CLOCK_SLACK = timedelta(minutes=1)  # a device's own uptime jitters; less than this is the same start


def learn(interface: ManagementInterface | int, facts: IdentityFacts) -> None:
    """Keep what a device said of itself."""
    learn_many([(interface if isinstance(interface, int) else interface.pk, facts)])


def learn_many(said: Iterable[tuple[int, IdentityFacts]]) -> None:
    """Keep what devices said of themselves, by interface id; what did not change costs one query for all.

    A component's model, serial number and so on follow the device as long as nobody has typed something else. The same
    machine under two registrations is found here, and made one component where that is sure.
    """
    facts = dict(said)
    ids = list(facts)
    for start in range(0, len(ids), AT_ONCE):
        chunk = ids[start : start + AT_ONCE]
        rows = ManagementInterface.objects.filter(pk__in=chunk).select_related("component").order_by("pk")
        news = [row for row in rows if machines.stored(facts[row.pk]) != row.identity]
        starts = [row for row in rows if _started(row.component.up_since, facts[row.pk].up_since)]
        if not news and not starts:
            continue
        compared: set[int] = set()
        with turn():
            for row in starts:
                Component.objects.filter(pk=row.component_id).update(up_since=facts[row.pk].up_since)
            changed = {row: gone for row in news if (gone := _learn(row, facts[row.pk])) is not None}
            compared = {row.component_id for row in changed}
            machines.compare(compared, frozenset().union(*changed.values()))
        joining.join_found(compared)


def _started(known: datetime | None, said: datetime | None) -> bool:
    return said is not None and (known is None or abs(said - known) > CLOCK_SLACK)


def _learn(row: ManagementInterface, facts: IdentityFacts) -> machines.Ids | None:
    """Keep one device's words; gives what it no longer says that identified it, None where that is as it was."""
    component = Component.objects.select_for_update().get(pk=row.component_id)
    before = identity.said_of(component.interfaces.order_by("pk"))
    after = machines.stored(facts)
    ManagementInterface.objects.filter(pk=row.pk).update(identity=after)
    identity.follow(component, before, identity.with_news(before, row.pk, after))
    component.save(update_fields=[*identity.LEARNED, identity.UUID])
    refresh_search_text(component)
    return machines.remember(row, facts)
