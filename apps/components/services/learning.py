"""Keeps what devices say of themselves, of many by the same few statements."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from apps.components.models import Component, ManagementInterface
from apps.components.services import identity, joining, machines
from apps.components.services.identity import Said
from apps.components.services.search_text import search_text
from apps.core import rows
from apps.core.writes import turn
from apps.drivers.contract import IdentityFacts

AT_ONCE = 100  # interfaces; each that says something new is up to ten rows
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
        known = ManagementInterface.objects.filter(pk__in=rows.among(chunk)).order_by("pk")
        news: dict[int, int] = {}
        starts: dict[int, datetime] = {}
        for pk, owner, before, up_since in known.values_list("pk", "component_id", "identity", "component__up_since"):
            if machines.stored(facts[pk]) != before:
                news[pk] = owner
            if _started(up_since, said_now := facts[pk].up_since) and said_now is not None:
                starts[owner] = said_now
        if not news and not starts:
            continue
        with turn():
            moment = rows.moment_writer()
            rows.update(Component, ("up_since",), [(moment(at), owner) for owner, at in starts.items()])
            gone = _learn({pk: facts[pk] for pk in news}, set(news.values()))
            compared = {news[pk] for pk in gone}
            machines.compare(compared, frozenset().union(*gone.values()))
        joining.join_found(compared)


def _started(known: datetime | None, said: datetime | None) -> bool:
    return said is not None and (known is None or abs(said - known) > CLOCK_SLACK)


def _learn(facts: Mapping[int, IdentityFacts], component_ids: Iterable[int]) -> dict[int, machines.Ids]:
    """Keep what some devices said; gives what those no longer say that identified them of which that changed."""
    if not facts:
        return {}
    locked = Component.objects.select_for_update().filter(pk__in=rows.among(component_ids)).order_by("pk")
    components = {component.pk: component for component in locked}
    found = ManagementInterface.objects.filter(component__in=rows.among(components)).order_by("pk")
    interfaces: dict[int, list[ManagementInterface]] = defaultdict(list)
    for row in found.only("pk", "component_id", "driver", "address", "identity"):
        interfaces[row.component_id].append(row)
    told = {pk: machines.stored(facts[pk]) for mine in interfaces.values() for row in mine if (pk := row.pk) in facts}
    uuids = _Uuids([identity.said_of(mine) for mine in interfaces.values()], told.values())
    changed, given_up = [], []
    for pk, mine in interfaces.items():
        component, said = components[pk], identity.said_of(mine)
        before = component.uuid
        for row in mine:
            if row.pk in told:
                row.identity = told[row.pk]
                now = identity.with_news(said, row.pk, row.identity)
                identity.follow(component, said, now, taken=uuids.is_taken)
                uuids.move(component.pk, component.uuid)
                said = now
        given_up += [(None, pk)] if before not in (None, component.uuid) else []
        learned = [getattr(component, name) for name in identity.LEARNED]
        words = search_text(component, [(row.address, row.identity) for row in mine])
        changed.append((*learned, component.uuid.hex if component.uuid is not None else None, words, pk))
    rows.update(ManagementInterface, ("identity",), [(json.dumps(after), pk) for pk, after in told.items()])
    rows.update(Component, (identity.UUID,), given_up)  # first: another one may have it from now on
    rows.update(Component, (*identity.LEARNED, identity.UUID, "search_text"), changed)
    return machines.remember({pk: facts[pk] for pk in told})


class _Uuids:
    """Which components have which hardware UUIDs: looked up once for many, and kept up while some get theirs."""

    def __init__(self, said: Iterable[Sequence[Said]], told: Iterable[Mapping[str, Any]]) -> None:
        words = [one.value(identity.UUID) for some in said for one in some]
        words += [str(facts.get(identity.UUID, "")) for facts in told]
        values = {value for word in words if (value := machines.parse_uuid(word)) is not None}
        self._owners: dict[str, set[int]] = defaultdict(set)
        self._keys: dict[int, str] = {}
        if values:
            both = [one for value in values for one in machines.in_both_orders(value)]
            for pk, value in Component.objects.filter(uuid__in=both).order_by().values_list("pk", "uuid"):
                self.move(pk, value)

    def is_taken(self, value: uuid.UUID, component_id: int) -> bool:
        """Say whether another component has it, in either byte order."""
        return bool(self._owners[machines.uuid_key(value)] - {component_id})

    def move(self, component_id: int, value: uuid.UUID | None) -> None:
        """Note what a component has now."""
        self._owners[self._keys.pop(component_id, "")].discard(component_id)
        if value is not None:
            self._keys[component_id] = key = machines.uuid_key(value)
            self._owners[key].add(component_id)
