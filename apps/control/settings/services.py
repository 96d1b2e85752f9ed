"""The verbs of settings: read, propose a change and show what it does, carry it out, restart, set a device back."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from apps.components import ownership
from apps.components.models import Component, ManagementInterface
from apps.control.models import SettingsOrder, SettingsSnapshot
from apps.control.services import targets
from apps.control.settings import differences, values
from apps.control.settings.differences import Caution, Change
from apps.core import audit, jobs, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.models import Job
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers import registry
from apps.drivers.contract import Capability, SettingsReport

READ, WRITE, RESET, RESTART = "settings_read", "settings", "settings_reset", "settings_restart"
KINDS = (READ, WRITE, RESET, RESTART)
PERMISSION = "device_settings"
PROPOSALS_LIVE = timedelta(hours=1)  # an order that nobody confirmed is forgotten then
AT_ONCE = 500
MOST_TOLD = 50  # settings that the audit names of one job

READ_TITLE = Phrase(gettext_noop("Read settings"))
WRITE_TITLE = Phrase(gettext_noop("Change settings"))
RESTART_TITLE = Phrase(gettext_noop("Restart the controller"))
RESET_TITLE = Phrase(gettext_noop("Initialize the configuration"))


@dataclass(frozen=True, slots=True)
class Difference:
    """What a wish changes on one component; a reason says why nothing can be changed there."""

    component: Component
    interface: ManagementInterface | None = None
    changes: Sequence[Change] = ()
    cautions: Sequence[Caution] = ()
    lacking: Sequence[str] = ()  # names of settings that it does not have
    why_not: Phrase | None = None
    again: Collection[str] = field(default=())

    @property
    def way(self) -> str:
        """Give what its way of managing is called."""
        return called(self.interface)


NOT_ABLE = Phrase(gettext_noop("None of its ways of managing has settings."))
NEVER_READ = Phrase(gettext_noop("Its settings were not read yet."))
NO_PLACE = Phrase(gettext_noop("Every destination is taken by another address."))


def require(actor: Actor, components: Iterable[Component]) -> None:
    """Raise PermissionDenied unless the actor may set all of these."""
    if not all(scoping.may(actor.user, PERMISSION, one.group_id) for one in components):
        raise PermissionDenied(_("You may not change settings of all these components; nothing was begun."))


def interfaces_of(components: Sequence[Component]) -> dict[int, ManagementInterface]:
    """Give for each component the interface by which it is set: the first enabled one that can."""
    drivers = targets.drivers_with(Capability.SETTINGS)
    found: dict[int, ManagementInterface] = {}
    rows = ManagementInterface.objects.filter(
        component__in=[one.pk for one in components], enabled=True, driver__in=drivers
    )
    for row in rows.select_related("credential", "settings_snapshot").order_by("pk"):
        found.setdefault(row.component_id, row)
    return found


def called(interface: ManagementInterface | None) -> str:
    """Give what a way of managing is called on pages, with its address."""
    if interface is None:
        return ""
    spec = registry.specs().get(interface.driver)
    return f"{_(spec.label) if spec is not None else interface.driver} {interface.address}"


def snapshot_of(interface: ManagementInterface | None) -> SettingsSnapshot | None:
    """Give how it was set when it was read last."""
    return getattr(interface, "settings_snapshot", None) if interface is not None else None


def read(components: Sequence[Component], actor: Actor) -> Job:
    """Read the settings of components now; raises PermissionDenied, and Conflict when none of them has any."""
    require(actor, components)
    ways = interfaces_of(components)
    if not ways:
        raise Conflict(_("None of these components can do this."))
    return jobs.create(READ, READ_TITLE, _steps(components, ways), actor)


def _steps(components: Iterable[Component], ways: Mapping[int, ManagementInterface]) -> list[jobs.NewStep]:
    return [jobs.NewStep(str(one), one.pk, ways[one.pk].pk, one.group_id) for one in components if one.pk in ways]


def keep(interface_id: int, report: SettingsReport, *, came_with: bool = False) -> None:
    """Keep what was just read; right after a controller was set back it is what it came with."""
    found: dict[str, Any] = {"read_at": timezone.now(), "report": values.dump(report)}
    if came_with:
        found["came_with"] = {one.name: one.value for one in report}
    with turn():
        if ManagementInterface.objects.filter(pk=interface_id).exists():
            SettingsSnapshot.objects.update_or_create(interface_id=interface_id, defaults=found)


def differ(components: Sequence[Component], wanted: Mapping[str, object]) -> list[Difference]:
    """Say what a wish changes on each component, by what was read of it last. Raises ValidationError by name."""
    return [_differ(one, way, wanted) for one, way in _with_ways(components)]


def _with_ways(components: Sequence[Component]) -> list[tuple[Component, ManagementInterface | None]]:
    ways = interfaces_of(components)
    return [(one, ways.get(one.pk)) for one in components]


def _differ(
    component: Component,
    interface: ManagementInterface | None,
    wanted: Mapping[str, object],
    again: Collection[str] = (),
) -> Difference:
    if interface is None:
        return Difference(component, why_not=NOT_ABLE)
    if (elsewhere := ownership.refusal(component, ownership.CONTROLLER)) is not None:
        return Difference(component, interface, why_not=elsewhere)
    snapshot = snapshot_of(interface)
    if snapshot is None:
        return Difference(component, interface, why_not=NEVER_READ)
    report = values.load(snapshot.report)
    changes, lacking = differences.compare(report, wanted, again)
    cautions = differences.cautions(changes, report, interface)
    return Difference(component, interface, changes, cautions, lacking, again=again)


def report_to(components: Sequence[Component], address_for: Callable[[ManagementInterface], str]) -> list[Difference]:
    """Say what it takes that these report to us: where our address it stands already it is written once more.

    A controller keeps the MAC address of whom it reports to; after the manager or a gateway was replaced it has to be
    told again, even if the address is the same.
    """
    found = []
    for component, interface in _with_ways(components):
        snapshot = snapshot_of(interface)
        if snapshot is None or interface is None or ownership.CONTROLLER in component.managed_elsewhere:
            found.append(_differ(component, interface, {}))
            continue
        address, report = address_for(interface), values.load(snapshot.report)
        name = differences.place_for(report, address)
        if name is None:
            lacks = NO_PLACE if differences.destinations(report) else NOT_ABLE
            found.append(Difference(component, interface, why_not=lacks))
        else:
            found.append(_differ(component, interface, {name: address}, {name}))
    return found


def propose(found: Sequence[Difference], actor: Actor) -> SettingsOrder:
    """Keep a change that was shown until its user confirms it.

    Raises PermissionDenied, and Conflict when nothing changes.
    """
    require(actor, [one.component for one in found])
    changing = [one for one in found if one.changes and one.interface is not None]
    elsewhere = {str(one.why_not) for one in found if ownership.CONTROLLER in one.component.managed_elsewhere}
    if not changing and len(found) == 1 and elsewhere:
        raise Conflict(next(iter(elsewhere)))
    if not changing:
        raise Conflict(_("Nothing would change."))
    if actor.user is None:
        raise PermissionDenied(_("Only a user can change settings."))
    kept = {str(one.interface.pk): _target(one) for one in changing if one.interface is not None}
    with turn():
        order = SettingsOrder(user=actor.user)
        order.targets = kept
        order.save()
        return order


def _target(one: Difference) -> dict[str, Any]:
    return {
        "component": one.component.pk,
        "again": sorted(one.again),
        "changes": {change.name: change.after for change in one.changes},
        "before": {change.name: change.before for change in one.changes if not change.secret},
        "labels": {change.name: change.label.as_json() for change in one.changes},
        "words": {change.name: [change.before_words.as_json(), change.after_words.as_json()] for change in one.changes},
        "secrets": [change.name for change in one.changes if change.secret],
        "carries": {change.name: change.carries.value for change in one.changes if change.carries},
    }


def apply(order: SettingsOrder, actor: Actor, expect: int | None = None, *, restart: bool = False) -> Job:
    """Carry out a change that was shown, once; raises PermissionDenied, Conflict when it was carried out already.

    With ``restart`` a controller that says that a change counts only after a restart is told to restart at once.
    """
    ids = [target["component"] for target in order.targets.values()]
    rows = Component.objects.visible_to(actor.user).in_bulk(ids)
    if len(rows) < len(set(ids)):
        raise Conflict(_("Some of these components are not there any more; nothing was begun."))
    components = [rows[pk] for pk in dict.fromkeys(ids)]
    require(actor, components)
    targets.expect(components, expect)
    if len(components) == 1:
        _refuse_elsewhere(components[0])
    steps = [
        jobs.NewStep(str(rows[one["component"]]), one["component"], int(pk), rows[one["component"]].group_id)
        for pk, one in order.targets.items()
    ]
    with turn():
        fresh = timezone.now() - PROPOSALS_LIVE
        if not SettingsOrder.objects.select_for_update().filter(pk=order.pk, job=None, created_at__gte=fresh).exists():
            raise Conflict(_("This change was ordered already, or was shown too long ago."))
        told = {"settings": _told(order), "restart": restart}
        job = jobs.create(WRITE, WRITE_TITLE, steps, actor, {"restart": restart}, told)
        SettingsOrder.objects.filter(pk=order.pk, job=None).update(job=job)
    return job


def _refuse_elsewhere(component: Component) -> None:
    """Raise Conflict where another manager has the controller."""
    if (why := ownership.refusal(component, ownership.CONTROLLER)) is not None:
        raise Conflict(str(why))


def _told(order: SettingsOrder) -> dict[str, Any]:
    """Give for the audit what is set, by its labels in English; each device's own entry says what was there before."""
    found: dict[str, list[Any]] = {}
    for target in order.targets.values():
        for label, value in _audited(target, 1).items():
            known = found.setdefault(label, [])
            if value not in known:
                known.append(value)
    return {label: one[0] if len(one) == 1 else one[:MOST_TOLD] for label, one in list(found.items())[:MOST_TOLD]}


def _audited(target: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Give the values before (0) or after (1) for the audit: words of ours as phrases; of a secret nothing."""
    secrets, found = set(target["secrets"]), {}
    with override("en"):
        for name, words in target["words"].items():
            value, label = words[place], str(Phrase.loads(target["labels"][name]))
            plain = (target["before"], target["changes"])[place].get(name)
            if name not in secrets:
                found[label] = plain if isinstance(plain, bool | int) or str(Phrase.loads(value)) == plain else value
            elif place:
                found[label] = audit.CHANGED
    return found


def restart(component: Component, actor: Actor) -> Job:
    """Restart a controller; the machine behind it runs on.

    Raises PermissionDenied, and Conflict where it does not offer that.
    """
    return _order_of_one(component, actor, RESTART)


def reset(component: Component, actor: Actor) -> Job:
    """Set a controller back to what it came with.

    Raises PermissionDenied, and Conflict where it does not offer that.
    """
    return _order_of_one(component, actor, RESET)


def _order_of_one(component: Component, actor: Actor, kind: str) -> Job:
    require(actor, [component])
    _refuse_elsewhere(component)
    ways = interfaces_of([component])
    snapshot = snapshot_of(ways.get(component.pk))
    report = values.load(snapshot.report) if snapshot is not None else SettingsReport(())
    if kind == RESET and not report.may_reset:
        raise Conflict(_("This controller does not offer to be set back to what it came with."))
    if kind == RESTART and not report.may_restart:
        raise Conflict(_("This controller does not offer to be restarted."))
    title = RESET_TITLE if kind == RESET else RESTART_TITLE
    return jobs.create(kind, title, _steps([component], ways), actor)


def forget_proposals() -> int:
    """Forget changes that were shown long ago and never confirmed, passwords among them; gives how many."""
    old = SettingsOrder.objects.filter(job=None, created_at__lt=timezone.now() - PROPOSALS_LIVE)
    with turn():
        return SettingsOrder.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()[0]


def forget(job_id: int) -> None:
    """Forget what a job was told, passwords among it, now that it has ended."""
    SettingsOrder.objects.filter(job=job_id).delete()


def record(component: Component, target: Mapping[str, Any], actor: Actor, *, outcome: str) -> None:
    """Keep in the audit what was written to one device, with how it went; of a secret only that it was set."""
    before, after = _audited(target, 0), _audited(target, 1)
    with turn():
        audit.record(actor, "settings.write", component, before=before, after={**after, "outcome": outcome})
