"""Brings the interfaces of a component to a wanted set."""

from collections.abc import Sequence

from django.utils import timezone

from apps.components import extensions
from apps.components.models import Component, ManagementInterface
from apps.components.services import machines
from apps.components.services.drafts import NewInterface
from apps.components.services.search_text import refresh_search_text
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.phrases import Phrase
from apps.core.writes import turn


def add(component: Component, wanted: Sequence[NewInterface]) -> None:
    """Give a component its interfaces; each is polled as soon as a worker is free."""
    ManagementInterface.objects.bulk_create([_row(component, one) for one in wanted])


def replace_all(component: Component, wanted: Sequence[NewInterface]) -> None:
    """Make these the interfaces of a component: those with an id change, those without come, the others go."""
    said = machines.said_by(interface__component=component)
    kept = {one.id for one in wanted if one.id is not None}
    present = {row.pk: row for row in component.interfaces.all()}
    changed = [(present[one.id], one) for one in wanted if one.id is not None]
    moved = {row.pk for row, one in changed if one.place != (row.driver, row.address, row.port or 0)}
    left = sorted({*(present.keys() - kept), *moved})
    for hook in extensions.interface_hooks if left else ():
        hook(left)
    ManagementInterface.objects.filter(pk__in=present.keys() - kept).delete()
    for row, _one in changed:
        if row.pk in moved:
            # Out of the way first: two interfaces may exchange their addresses.
            ManagementInterface.objects.filter(pk=row.pk).update(address=f"{row.pk}.moving.invalid")
    for row, one in changed:
        _change(row, one)
    add(component, [one for one in wanted if one.id is None])
    if gone := said - machines.said_by(interface__component=component):
        machines.compare([component.pk], gone)


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
        row.state, row.identity, row.power_actions, row.kept_apart = {}, {}, None, False
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
