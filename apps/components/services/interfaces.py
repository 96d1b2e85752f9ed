"""Brings the interfaces of a component to a wanted set, and keeps what devices say of themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.components.models import Component, ManagementInterface
from apps.components.services import machines
from apps.components.services.drafts import NewInterface
from apps.components.services.search_text import refresh_search_text
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers.contract import IdentityFacts

AT_ONCE = 200
CLOCK_SLACK = timedelta(minutes=1)  # a device's own uptime jitters; less than this is the same start
LEARNED = ("serial_number", "manufacturer", "model", "operating_system", "location")


def add(component: Component, wanted: Sequence[NewInterface]) -> None:
    """Give a component its interfaces; each is polled as soon as a worker is free."""
    ManagementInterface.objects.bulk_create([_row(component, one) for one in wanted])


def replace_all(component: Component, wanted: Sequence[NewInterface]) -> None:
    """Make these the interfaces of a component: those with an id change, those without come, the others go."""
    kept = {one.id for one in wanted if one.id is not None}
    present = {row.pk: row for row in component.interfaces.all()}
    ManagementInterface.objects.filter(pk__in=present.keys() - kept).delete()
    changed = [(present[one.id], one) for one in wanted if one.id is not None]
    for row, one in changed:
        if one.place != (row.driver, row.address, row.port or 0):
            # Out of the way first: two interfaces may exchange their addresses.
            ManagementInterface.objects.filter(pk=row.pk).update(address=f"{row.pk}.moving.invalid")
    for row, one in changed:
        _change(row, one)
    add(component, [one for one in wanted if one.id is None])


def _row(component: Component, one: NewInterface) -> ManagementInterface:
    return ManagementInterface(
        component=component,
        driver=one.driver,
        address=one.address,
        port=one.port,
        credential_id=one.credential_id,
        parameters=dict(one.parameters),
        enabled=one.enabled,
    )


def _change(row: ManagementInterface, one: NewInterface) -> None:
    """Write what is wanted; another way or address begins anew, another credential is offered again."""
    place = (row.driver, row.address, row.port)
    login = (row.credential_id, row.parameters)
    row.driver, row.address, row.port = one.driver, one.address, one.port
    row.credential_id, row.parameters = one.credential_id, dict(one.parameters)
    woken = one.enabled and not row.enabled
    row.enabled = one.enabled
    moved = place != (row.driver, row.address, row.port)
    now = timezone.now()
    if moved:
        row.state, row.identity = {}, {}
        row.last_polled_at = row.last_answer_at = None
        row.machine_ids.all().delete()
        row.inventory.all().delete()
        row.causes.all().delete()
    if moved or login != (row.credential_id, row.parameters):
        row.refused_version = row.refused_at = None
        row.failures, row.last_error, row.last_error_code = 0, Phrase(), ""
        woken = True
    if woken:
        row.next_poll_at = row.next_inventory_at = now
    row.save()


def follow(interface: ManagementInterface, address: str, port: int | None, actor: Actor) -> None:
    """Ask a device from now on where it went by our own order; it is the same one, so all that is known stays.

    Raises ValidationError where another interface is there already.
    """
    with turn():
        row = ManagementInterface.objects.select_for_update().select_related("component__group").get(pk=interface.pk)
        before = {"interface": str(row), "address": row.address, "port": row.port}
        row.address, row.port = address, port
        row.validate_constraints()
        row.next_poll_at = timezone.now()
        row.save(update_fields=["address", "port", "next_poll_at"])
        refresh_search_text(row.component)
        after = {"interface": before["interface"], "address": address, "port": port}
        audit.record(actor, "component.change", row.component, before=before, after=after)
        events.publish("component")


def learn(interface: ManagementInterface | int, facts: IdentityFacts) -> None:
    """Keep what a device said of itself."""
    learn_many([(interface if isinstance(interface, int) else interface.pk, facts)])


def learn_many(said: Iterable[tuple[int, IdentityFacts]]) -> None:
    """Keep what devices said of themselves, by interface id; what did not change costs one query for all.

    A component's model, serial number and so on follow the device as long as nobody has typed something else. The same
    machine under two registrations is found here.
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
        with turn():
            for row in starts:
                Component.objects.filter(pk=row.component_id).update(up_since=facts[row.pk].up_since)
            compared = {row.component_id for row in news if _learn(row, facts[row.pk])}
            machines.compare(compared)


def _started(known: datetime | None, said: datetime | None) -> bool:
    return said is not None and (known is None or abs(said - known) > CLOCK_SLACK)


def _learn(row: ManagementInterface, facts: IdentityFacts) -> bool:
    """Keep one device's words; says whether it may now be found to be another component's machine."""
    before: dict[str, Any] = row.identity
    after = machines.stored(facts)
    ManagementInterface.objects.filter(pk=row.pk).update(identity=after)
    component = Component.objects.select_for_update().get(pk=row.component_id)
    for name in LEARNED:
        said, present = str(after.get(name, "")), getattr(component, name)
        longest = getattr(Component._meta.get_field(name), "max_length", None)
        if said and present in {"", str(before.get(name, ""))[:longest]}:
            setattr(component, name, said[:longest])
    value = machines.parse_uuid(facts.uuid)
    known = component.uuid is None or str(component.uuid) == before.get("uuid")
    if value is not None and known and not Component.objects.filter(uuid=value).exclude(pk=component.pk).exists():
        component.uuid = value
    component.save(update_fields=[*LEARNED, "uuid"])
    refresh_search_text(component)
    return machines.remember(row, facts)
