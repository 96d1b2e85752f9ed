"""Makes one component of several registrations of a machine, and takes an interface out of one again."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.components import extensions
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes, identity, inheritance, machines, registration, same_machines
from apps.components.services.cause_rows import REGISTRATION
from apps.components.services.drafts import NewComponent
from apps.components.services.search_text import refresh_search_text
from apps.core import audit, events, options
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Conflict
from apps.core.models import OPEN_STEPS, JobStep
from apps.core.writes import turn
from apps.drivers import registry
from apps.groups.services import one_at_a_time

GIVEN = ("alias", "slot", *identity.LEARNED)
MEASURED = ("cpu", "memory", "disk", "temperature", "power", "up_since")
POWER = ("power_state", "power_seen_at", "power_since", "restart_cause")


def join(component: Component, other: Component, actor: Actor) -> Component:
    """Make one component of two registrations of a machine: the first stays with its history, the other goes.

    Its interfaces move with all they have measured; what the first one does not know is taken from the other.
    """
    if component.pk == other.pk:
        raise ValidationError({"with": [_("A component cannot be joined with itself.")]})
    with turn():
        one_at_a_time()
        both = Component.objects.select_for_update().filter(pk__in=[component.pk, other.pk]).order_by("pk")
        rows = {row.pk: row for row in both}
        component, other = rows[component.pk], rows[other.pk]
        before, gone = registration.facts_of(component), registration.facts_of(other)
        for hook in extensions.join_hooks:
            hook(component.pk, other.pk)
        StatusCause.objects.filter(component=other, interface__isnull=False).update(component=component)
        ManagementInterface.objects.filter(component__in=[component, other]).update(
            component=component, kept_apart=False
        )
        JobStep.objects.filter(component=other.pk, state__in=OPEN_STEPS).update(component=component.pk)
        Component.objects.filter(parent=other).exclude(pk=component.pk).update(parent=component)
        inheritance.take_over(component, other, actor)
        registration.delete([other.pk])
        _take_over(component, other)
        component.save()
        refresh_search_text(component)
        causes.recompute([component.pk])
        machines.compare([component.pk])
        inheritance.follow_component(component, actor)
        after = {**registration.facts_of(component), "joined": gone}
        audit.record(actor, "component.join", component, before=before, after=after)
        events.publish("component")
    component.refresh_from_db()
    return component


def _take_over(component: Component, other: Component) -> None:
    """Give a component, which is not saved, what it lacks and the other knew; of both it is what is newer."""
    for name in (*GIVEN, *MEASURED, "uuid"):
        if getattr(component, name) in (None, ""):
            setattr(component, name, getattr(other, name))
    if component.parent_id is None and other.parent_id != component.pk:
        component.parent_id = other.parent_id
    if component.parent_id == other.pk:
        component.parent_id = other.parent_id if other.parent_id != component.pk else None
    component.alert_addresses = list(dict.fromkeys([*component.alert_addresses, *other.alert_addresses]))
    component.managed_elsewhere = {**other.managed_elsewhere, **component.managed_elsewhere}
    if _is_later(other.power_seen_at, component.power_seen_at):
        for name in POWER:
            setattr(component, name, getattr(other, name))
    if _is_later(other.last_seen_at, component.last_seen_at):
        component.last_seen_at = other.last_seen_at
    said = identity.said_of(component.interfaces.order_by("pk"))
    identity.follow(component, said, said)


def _is_later(one: Any, other: Any) -> bool:
    return one is not None and (other is None or one > other)


def split(interface: ManagementInterface, actor: Actor, name: str = "") -> Component:
    """Take an interface out into a component of its own, with all that came by it; gives the new one.

    It stays apart: nothing joins it again by itself. What came by no interface that is known stays where it was.
    Raises Conflict where it is the only interface, or where no further component may come.
    """
    with turn():
        one_at_a_time()
        component = Component.objects.select_for_update().get(pk=interface.component_id)
        rows = list(component.interfaces.order_by("pk"))
        interface = next(row for row in rows if row.pk == interface.pk)
        rest = [row for row in rows if row.pk != interface.pk]
        if not rest:
            raise Conflict(_("It is the only way of managing: there is nothing that it could be taken out of."))
        spec = registry.specs().get(interface.driver)
        made = Component(
            name=name.strip() or f"{component.name} ({interface.address})"[:200],
            category=spec.category.value if spec is not None else component.category,
            group_id=component.group_id,
            unmanaged=component.unmanaged,
            managed_elsewhere=dict(component.managed_elsewhere),
            last_seen_at=interface.last_answer_at,
        )
        wanted = NewComponent(made.name, category=made.category, group=component.group, unmanaged=made.unmanaged)
        registration.ask_checks([wanted])
        before = registration.facts_of(component)
        _part(component, made, interface, rest)
        made.full_clean(validate_unique=False)
        component.save()
        made.save()
        for hook in extensions.split_hooks:
            hook(interface, made.pk, rest)
        StatusCause.objects.filter(component=component, interface=interface).update(component=made)
        ManagementInterface.objects.filter(pk=interface.pk).update(component=made, kept_apart=True)
        for one in (component, made):
            refresh_search_text(one)
            inheritance.follow_component(one, actor)
        causes.recompute([component.pk, made.pk])
        machines.compare([component.pk, made.pk])
        after = {**registration.facts_of(component), "split": registration.facts_of(made)}
        audit.record(actor, "component.split", component, before=before, after=after)
        audit.record(actor, "component.register", made, after=registration.facts_of(made))
        events.publish("component")
    made.refresh_from_db()
    return made


def _part(
    component: Component, made: Component, interface: ManagementInterface, rest: list[ManagementInterface]
) -> None:
    """Give each of the two, which are not saved, what its own interfaces know."""
    all_said = identity.said_of([*rest, interface])
    theirs, own = identity.said_of(rest), identity.said_of([interface])
    identity.follow(component, all_said, theirs, forget=True)
    Component.objects.filter(pk=component.pk).update(uuid=component.uuid)  # out of the way of the other's
    identity.follow(made, own, own)
    drivers = identity.controllers()
    if interface.driver in drivers:
        for name in POWER:
            setattr(made, name, getattr(component, name))
    if not any(row.driver in drivers for row in rest):
        component.power_state, component.power_seen_at, component.power_since = "", None, None
        component.restart_cause = ""
    # What lists sort by is measured again at the next poll; until then nobody says whose it was.
    for name in MEASURED:
        setattr(component, name, None)


def join_found(component_ids: Iterable[int] | None = None) -> list[Component]:
    """Join those of these components, or of all, that are found to be the same machine and surely are.

    Only where the option says so. Gives those that stayed; each act is the portal's own in the audit.
    """
    if not options.get("join_same_machines"):
        return []
    found = StatusCause.objects.filter(
        source=REGISTRATION, key__startswith=f"{machines.SAME_MACHINE}:", component__unmanaged=False
    )
    if component_ids is not None:
        ids = set(component_ids)
        found = found.filter(Q(component__in=ids) | Q(key__in=[f"{machines.SAME_MACHINE}:{pk}" for pk in ids]))
    pairs = {
        (min(pk, twin), max(pk, twin))
        for pk, key in found.values_list("component", "key")
        if (twin := int(key.partition(":")[2])) != pk
    }
    stayed = []
    for first, second in sorted(pairs):
        with turn():
            one_at_a_time()
            both = Component.objects.in_bulk([first, second])
            if len(both) == 2 and same_machines.are_surely_one(both[first], both[second]):
                stayed.append(join(both[first], both[second], SYSTEM))
    return stayed
