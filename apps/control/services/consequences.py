"""What an order touches besides its targets, as it is shown before the click and kept with the job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from apps.accounts.models import Session, User
from apps.components import extensions, ownership
from apps.components.models import CONSOLE, Category, Component, Reservation
from apps.control import hints, presence
from apps.control.models import ConsoleSession
from apps.control.operations import BOOT, ENDING
from apps.core import jobs, scoping
from apps.core.models import OPEN_STEPS, Job, JobStep, StepState
from apps.core.phrases import Phrase
from apps.drivers.contract import BootDevice, PowerAction

NAMED = 5
THROUGH_OFF = frozenset({PowerAction.ON, PowerAction.OFF, PowerAction.SHUTDOWN})
SETUP_FOR = timedelta(days=1)
ACTIVE_WITHIN = timedelta(minutes=15)
PEOPLE_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that an order touches; the detail names it as far as the reader may see it."""

    state: str  # a state word: how bad it is
    icon: str
    title: Phrase
    detail: str = ""


def consequences(components: Sequence[Component], user: Any, power: Mapping[str, Any] | None) -> list[Consequence]:
    """Give what is touched, the worst first; ``power`` are the arguments of a power order."""
    ending = power is not None and PowerAction(power["action"]) in ENDING
    switching = power is not None and PowerAction(power["action"]) is not PowerAction.ON
    through_off = power is not None and PowerAction(power["action"]) in THROUGH_OFF
    found = [
        *(_lost(components) if through_off else ()),
        *(_starting(components) if switching else ()),
        *(_inside(components, user) if ending else ()),
        *_jobs(components, user),
        *_holders(components),
        *_consoles(components),
        *_people(components, user),
        *_elsewhere(components),
        *_suspended(components),
    ]
    order = {"critical": 0, "warning": 1}
    return sorted(found, key=lambda one: order.get(one.state, 2))


def _names(words: Sequence[str], hidden: int = 0) -> str:
    """Name a few; the others are counted, also those that the reader may not see."""
    shown = list(dict.fromkeys(words))
    more = max(len(shown) - NAMED, 0) + hidden
    return ", ".join(shown[:NAMED]) + (f" (+{more})" if more else "")


def _starting(components: Sequence[Component]) -> Iterator[Consequence]:
    """Tell which targets may stand in their BIOS setup: a controller that is overtaken there stops reporting."""
    ids = [one.pk for one in components]
    found = _sent_to_setup(ids).union(*(ask(ids) for ask in extensions.starting))
    names = [str(one) for one in components if one.pk in found]
    if names:
        text = gettext_noop("Just starting, or in the BIOS setup, which is to be left before: %(number)s")
        yield Consequence("warning", "settings", Phrase(text, {"number": str(len(names))}), _names(names))


def _lost(components: Sequence[Component]) -> Iterator[Consequence]:
    """Tell which targets may be out of reach while they are off, and what the network has to allow."""
    found = hints.lost_while_off([one.pk for one in components])
    names = [str(one) for one in components if one.pk in found]
    if names:
        text = gettext_noop("May be out of reach while they are off, by the LAN port of their controllers: %(number)s")
        detail = f"{_names(names)} – {gettext(hints.LET_IT_BE_FOUND)}"
        yield Consequence("warning", "plug", Phrase(text, {"number": str(len(names))}), detail)


def _sent_to_setup(ids: Sequence[int]) -> set[int]:
    """Give those whose last boot device, chosen here, is the setup: once counts for a day."""
    steps = JobStep.objects.filter(component__in=ids, job__kind=BOOT, state=StepState.DONE)
    last: dict[int | None, tuple[Mapping[str, Any], datetime | None]] = {
        component: (arguments, at)
        for component, arguments, at in steps.order_by("pk").values_list("component", "job__arguments", "finished_at")
    }
    since = timezone.now() - SETUP_FOR
    return {
        component
        for component, (arguments, at) in last.items()
        if component is not None
        and arguments.get("device") == BootDevice.SETUP
        and (not arguments.get("once", True) or (at is not None and at > since))
    }


def _inside(components: Sequence[Component], user: Any) -> Iterator[Consequence]:
    """Tell what stands or runs in the targets and is not a target itself: blades, guests."""
    hosts = [str(one) for one in components if one.category == Category.HYPERVISOR]
    if hosts:
        text = gettext_noop("Hypervisors, whose guests end without a shutdown: %(number)s")
        yield Consequence("critical", "stack-2", Phrase(text, {"number": str(len(hosts))}), _names(hosts))
    ids = [component.pk for component in components]
    members = Component.objects.filter(parent__in=ids).exclude(pk__in=ids)
    total = members.count()
    if not total:
        return
    seen = list(members.visible_to(user).order_by("name").values_list("name", "alias")[: NAMED + 1])
    visible = members.visible_to(user).count()
    words = [alias or name for name, alias in seen]
    text = gettext_noop("Other components that stand or run in these: %(number)s")
    detail = _names(words[:NAMED], total - min(visible, NAMED))
    yield Consequence("critical", "server-2", Phrase(text, {"number": str(total)}), detail)


def _jobs(components: Sequence[Component], user: Any) -> Iterator[Consequence]:
    """Tell which jobs work on the targets."""
    steps = JobStep.objects.filter(component__in=[one.pk for one in components], state__in=OPEN_STEPS)
    ids = set(steps.order_by().values_list("job", flat=True).distinct())
    if not ids:
        return
    visible = Job.objects.visible_to(user).filter(pk__in=ids)
    changing = Job.objects.filter(pk__in=ids, kind__in=[kind.name for kind in jobs.kinds if kind.changes_devices])
    names = [str(job) for job in visible[: NAMED + 1]]
    text = gettext_noop("Jobs that are working on these components: %(number)s")
    detail = _names(names[:NAMED], len(ids) - min(visible.count(), NAMED))
    state = "critical" if changing.exists() else "warning"
    yield Consequence(state, "progress", Phrase(text, {"number": str(len(ids))}), detail)


def _holders(components: Sequence[Component]) -> Iterator[Consequence]:
    """Tell who holds an interface of a target: an update, another order."""
    held = Reservation.objects.filter(
        interface__component__in=[one.pk for one in components], until__gt=timezone.now()
    ).select_related("interface__component")
    rows = list(held.exclude(purpose=CONSOLE).order_by("pk"))
    if rows:
        text = gettext_noop("Held by somebody, so that orders are refused until they are free: %(number)s")
        detail = _names([f"{row.interface.component}: {row.holder} ({row.purpose})" for row in rows])
        yield Consequence("critical", "lock", Phrase(text, {"number": str(len(rows))}), detail)


def _consoles(components: Sequence[Component]) -> Iterator[Consequence]:
    """Tell whose console is open, and who types there."""
    rows = ConsoleSession.objects.open().filter(component__in=[one.pk for one in components])
    found = list(rows.select_related("component").order_by("pk"))
    if found:
        text = gettext_noop("Open consoles: %(number)s")
        detail = _names([f"{row.component}: {row.holder_name}" for row in found])
        yield Consequence("warning", "terminal-2", Phrase(text, {"number": str(len(found))}), detail)


def _people(components: Sequence[Component], user: Any) -> Iterator[Consequence]:
    """Tell who else has the page of a target open."""
    found = presence.others([one.pk for one in components], user)
    if found:
        names = {one.pk: str(one) for one in components}
        people = {person for _component, person in found}
        text = gettext_noop("Other users who have these components open: %(number)s")
        detail = _names([f"{person} ({names[component]})" for component, person in found])
        yield Consequence("warning", "users", Phrase(text, {"number": str(len(people))}), detail)
    looking = {person for _component, person in found}
    names_only = [name for name in _signed_in(components, user) if name not in looking]
    if names_only:
        text = gettext_noop("Others who are signed in and may order the same: %(number)s")
        yield Consequence("information", "users", Phrase(text, {"number": str(len(names_only))}), _names(names_only))


def _signed_in(components: Sequence[Component], user: Any) -> list[str]:
    """Name who else was active just now and may switch the power of a target."""
    since = timezone.now() - ACTIVE_WITHIN
    active = Q(active_at__gt=since) | Q(active_at=None, signed_in_at__gt=since)
    rows = Session.objects.alive().filter(active).exclude(user=None).exclude(user=user.pk)
    people = User.objects.filter(pk__in=rows.order_by().values("user")).order_by("username")[:PEOPLE_AT_MOST]
    groups = {one.group_id for one in components}
    return [one.get_username() for one in people if any(scoping.may(one, "power", group) for group in groups)]


def _elsewhere(components: Sequence[Component]) -> Iterator[Consequence]:
    """Tell of which targets another manager has the controller: it is not told of the order."""
    rows = [one for one in components if ownership.CONTROLLER in one.managed_elsewhere]
    if rows:
        text = gettext_noop("Another manager, which does not know of this order, has their controllers: %(number)s")
        managers = [(str(one), one.managed_elsewhere[ownership.CONTROLLER]) for one in rows]
        detail = _names([f"{name}: {manager}" if manager else name for name, manager in managers])
        yield Consequence("warning", "users", Phrase(text, {"number": str(len(rows))}), detail)


def _suspended(components: Sequence[Component]) -> Iterator[Consequence]:
    """Tell which targets are suspended: nobody is told of what the order causes there."""
    rows = [one for one in components if one.suspended]
    if rows:
        text = gettext_noop("Suspended, so that nobody is told of their alerts: %(number)s")
        yield Consequence(
            "suspended", "player-pause", Phrase(text, {"number": str(len(rows))}), _names([str(one) for one in rows])
        )
