"""The verbs of components: register, change, move, remove. Joining two of them is in ``joining``."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from apps.components import extensions, ownership
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes, inheritance, interfaces, machines
from apps.components.services.cause_rows import REGISTRATION
from apps.components.services.drafts import (
    NewComponent,
    NewInterface,
    clean_alert_addresses,
    clean_interfaces,
    clean_uuid,
    default_category,
)
from apps.components.services.search_text import refresh_search_text
from apps.core import audit, events, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.writes import turn
from apps.groups.models import Group
from apps.groups.services import one_at_a_time, topmost_group

__all__ = ["NewComponent", "NewInterface", "change", "move", "register", "remove"]

TEXTS = ("name", "alias", "slot", "serial_number", "manufacturer", "model")
PLAIN = (*TEXTS, "category", "group", "parent", "uuid", "alert_addresses", "managed_elsewhere", "unmanaged")


def register(new: NewComponent, actor: Actor) -> Component:
    """Register a component without waiting for the device.

    Raises ValidationError by field, Conflict when it is registered already or a limit is reached, PermissionDenied
    when the actor may register nowhere.
    """
    group = new.group or topmost_group(actor.user, "components")
    if group is None:
        raise PermissionDenied
    new = replace(
        new,
        group=group,
        category=new.category or default_category(new.interfaces),
        uuid=clean_uuid(new.uuid),
        alert_addresses=clean_alert_addresses(new.alert_addresses),
        managed_elsewhere=ownership.clean(new.managed_elsewhere),
        interfaces=clean_interfaces(new.interfaces, actor),
    )
    component = Component(**{name: getattr(new, name) for name in PLAIN})
    _strip(component)
    with turn():
        one_at_a_time()
        _refuse_duplicates(component, new.interfaces, actor)
        ask_checks([new])
        component.full_clean(validate_unique=False)
        component.save()
        interfaces.add(component, new.interfaces)
        refresh_search_text(component)
        causes.recompute([component.pk])
        inheritance.follow_component(component, actor)
        audit.record(actor, "component.register", component, after=facts_of(component))
        events.publish("component")
    return component


def change(component: Component, values: Mapping[str, Any], actor: Actor) -> Component:
    """Change what is named in ``values`` (fields of NewComponent) and nothing else; ``interfaces`` is the full new set.

    Raises ValidationError and Conflict as ``register`` does.
    """
    unknown = values.keys() - {*PLAIN, "interfaces"}
    if unknown:
        raise TypeError(f"a component has no {', '.join(sorted(unknown))} to change")
    with turn():
        one_at_a_time()
        component = Component.objects.select_for_update().get(pk=component.pk)
        before, moved_from = facts_of(component), component.group_id
        was = (component.category, component.unmanaged)
        for name in PLAIN:
            if name in values:
                setattr(component, name, values[name])
        component.uuid = clean_uuid(component.uuid)
        component.alert_addresses = clean_alert_addresses(component.alert_addresses)
        if "managed_elsewhere" in values:
            component.managed_elsewhere = ownership.clean(component.managed_elsewhere)
        _strip(component)
        _check_parent(component)
        wanted: list[NewInterface] | None = None
        if "interfaces" in values:
            present = {row.pk: row for row in component.interfaces.all()}
            wanted = clean_interfaces(values["interfaces"], actor, present)
        _refuse_duplicates(component, wanted or [], actor)
        component.full_clean(validate_unique=False)
        if (component.category, component.unmanaged) != was:
            ask_checks([_as_new(component)])
        component.save()
        if wanted is not None:
            interfaces.replace_all(component, wanted)
        refresh_search_text(component)
        causes.recompute([component.pk])
        if moved_from != component.group_id or before["uuid"] != str(component.uuid or "") or "serial_number" in values:
            machines.compare([component.pk])
        if moved_from != component.group_id:
            inheritance.follow_component(component, actor)
        after = facts_of(component)
        if after != before:
            audit.record(actor, "component.change", component, before=before, after=after, former_group=moved_from)
            events.publish("component")
    component.refresh_from_db()
    return component


def move(components: Sequence[Component], group: Group, actor: Actor) -> None:
    """Put components into another group."""
    for component in components:
        if component.group_id != group.pk:
            change(component, {"group": group}, actor)


def remove(components: Sequence[Component], actor: Actor) -> int:
    """Remove components with everything that was kept of them; jobs and the audit keep their names. Gives how many."""
    with turn():
        rows = list(Component.objects.select_for_update().filter(pk__in=[one.pk for one in components]).order_by("pk"))
        for component in rows:
            audit.record(actor, "component.remove", component, before=facts_of(component))
        delete([component.pk for component in rows])
        events.publish("component")
    return len(rows)


def delete(ids: Sequence[int]) -> None:
    """Delete rows of components with all that hangs on them; who calls has audited it."""
    for hook in extensions.removal_hooks:
        hook(ids)
    mentioned = {f"{machines.SAME_MACHINE}:{pk}" for pk in ids}
    on_others = StatusCause.objects.filter(source=REGISTRATION, key__in=mentioned)
    others = set(on_others.values_list("component", flat=True)) - set(ids)
    on_others.delete()
    said = machines.said_by(interface__component__in=ids)
    Component.objects.filter(pk__in=ids).delete()
    causes.recompute(others)
    machines.compare((), said)


def _strip(component: Component) -> None:
    for name in TEXTS:
        setattr(component, name, getattr(component, name).strip())


def _check_parent(component: Component) -> None:
    """Refuse a parent that stands below the component itself."""
    parents = dict(Component.objects.exclude(parent=None).values_list("pk", "parent_id"))
    at, seen = component.parent_id, set()
    while at is not None and at not in seen:
        if at == component.pk:
            raise ValidationError({"parent": [_("A component cannot stand in itself.")]})
        seen.add(at)
        at = parents.get(at)


def _refuse_duplicates(component: Component, wanted: Sequence[NewInterface], actor: Actor) -> None:
    """Raise Conflict naming the other component where this is registered already."""
    same: UUID | None = component.uuid
    serial = component.serial_number
    if component.pk:
        stored = Component.objects.values("uuid", "serial_number").get(pk=component.pk)
        same = same if stored["uuid"] != same else None
        serial = serial if stored["serial_number"] != serial else ""
    for field, holders in (("uuid", machines.holders(same, "")), ("serial_number", machines.holders(None, serial))):
        for other in holders:
            if other.pk != component.pk:
                raise _registered(other, field, actor)
    for position, one in enumerate(wanted):
        taken = ManagementInterface.objects.filter(
            driver=one.driver, address__iexact=one.address, port=one.port
        ).select_related("component")
        for row in taken:
            if row.component_id != component.pk:
                raise _managed(row, position, actor)


def _sees(other: Component, actor: Actor) -> bool:
    return actor.user is None or scoping.may(actor.user, "view", other.group_id)


def _registered(other: Component, field: str, actor: Actor) -> Conflict:
    if not _sees(other, actor):
        return Conflict(_("This machine is registered already, in a group that you may not see."), field=field)
    names = {"name": str(other), "id": other.pk}
    if field == "uuid":
        sentence = _("This machine is registered already: %(name)s (component %(id)s) has the same hardware UUID.")
    else:
        sentence = _("This machine is registered already: %(name)s (component %(id)s) has the same serial number.")
    return Conflict(sentence % names, component_id=other.pk, field=field)


def _managed(row: ManagementInterface, position: int, actor: Actor) -> Conflict:
    if not _sees(row.component, actor):
        sentence = _("%(address)s is managed in this way already, in a group that you may not see.")
        return Conflict(sentence % {"address": row.address}, field="address", position=position)
    names = {"address": row.address, "name": str(row.component), "id": row.component_id}
    sentence = _("%(address)s is managed in this way already: it belongs to %(name)s (component %(id)s).")
    return Conflict(sentence % names, component_id=row.component_id, field="address", position=position)


def ask_checks(new: Sequence[NewComponent]) -> None:
    """Raise Conflict with the reasons why these must not come, a limit that is reached for instance."""
    reasons = [reason for check in extensions.registration_checks for reason in check(new)]
    if reasons:
        raise Conflict(" ".join(str(reason) for reason in reasons))


def _as_new(component: Component) -> NewComponent:
    return NewComponent(
        id=component.pk,
        name=component.name,
        category=component.category,
        group=component.group,
        unmanaged=component.unmanaged,
    )


def facts_of(component: Component) -> dict[str, Any]:
    """Give what the audit keeps of a component: no secret is among it."""
    facts = {name: getattr(component, name) for name in TEXTS}
    rows = component.interfaces.order_by("pk")
    return facts | {
        "category": component.category,
        "group": component.group_id,
        "parent": component.parent_id,
        "uuid": str(component.uuid or ""),
        "alert_addresses": list(component.alert_addresses),
        "unmanaged": component.unmanaged,
        **{f"managed_elsewhere.{name}": manager or True for name, manager in component.managed_elsewhere.items()},
        "interfaces": [
            {
                "id": row.pk,
                "driver": row.driver,
                "address": row.address,
                "port": row.port,
                "credential": row.credential_id,
                "parameters": row.parameters,
                "enabled": row.enabled,
            }
            for row in rows
        ],
    }
