"""What is kept of consoles: opened, handed over, closed; who holds the interface meanwhile, and what was left over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.accounts.models import User
from apps.components import contact, noting
from apps.components.contact import Line
from apps.components.models import CONSOLE, ManagementInterface, Reservation
from apps.components.services import identity, reservations
from apps.control.consoles import transcripts
from apps.control.models import ConsoleEnd, ConsoleSession
from apps.control.operations import OPERATIONS
from apps.core import audit, events, options
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.protocols.errors import ContactError

HELD_FOR = timedelta(seconds=90)  # renewed long before; so long polls stay away after a process that was killed
FORGOTTEN_AT_ONCE = 200
OPENING = "console"  # a permission: to open them, and to read what machines said on them
TAKING_OVER = "components"  # whoever registers the components of a group is its administrator

GONE = Phrase(gettext_noop("The interface was removed or switched off."))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a console, as the web process has let him in."""

    user_id: int
    name: str
    address: str | None = None
    request: str = ""
    may_force: bool = False  # end what another program has open
    may_take_over: bool = False  # from another person, as an administrator

    @property
    def actor(self) -> Actor:
        """Give him as the audit writes him down."""
        user = User.objects.filter(pk=self.user_id).first()
        return Actor(ActorKind.USER, self.name, user, self.address, self.request)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the options say about consoles."""

    most: int
    idle: timedelta
    pauses_polls: bool
    transcript: int  # bytes; 0: none is kept


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as a file."""

    name: str
    parts: Iterator[bytes]
    kind: str = "text/plain"


def rules() -> Rules:
    """Read them."""
    return Rules(
        most=options.get("console_sessions"),
        idle=timedelta(minutes=options.get("console_idle")),
        pauses_polls=options.get("console_pauses_polls"),
        transcript=options.get("console_transcript_size") * 1024 * 1024,
    )


def line_of(interface_id: int) -> Line | None:
    """Give what is needed to speak with an interface, whatever is ordered of it meanwhile; None where it is gone."""
    if not ManagementInterface.objects.filter(pk=interface_id, enabled=True).exists():
        return None
    return next(iter(contact.lines([interface_id], CONSOLE, despite=tuple(OPERATIONS))), None)


def begin(interface_id: int, person: Person, *, take: bool = False) -> ConsoleSession | None:
    """Write down that somebody opens a console; None where the interface is gone, or one is open already.

    ``take``: he ends what another program has open.
    """
    interface = ManagementInterface.objects.filter(pk=interface_id).first()
    if interface is None:
        return None
    actor = person.actor
    try:
        with turn():
            session = ConsoleSession.objects.create(
                component_id=interface.component_id,
                interface=interface,
                opened_by=actor.user,
                opened_by_name=person.name,
                opened_from=person.address,
                holder_name=person.name,
            )
            told: dict[str, Any] = {"transcript": session.pk, "address": interface.address}
            audit.record(actor, "console.open", session, after={**told, "taken": True} if take else told)
            events.publish("component")
    except IntegrityError:
        return None
    return session


def opened(session: ConsoleSession, line: Line, *, method: str, speed: int | None, mark: str) -> None:
    """Keep how it is spoken, and what would be left over; the device has answered."""
    with turn():
        ConsoleSession.objects.filter(pk=session.pk).update(method=method, speed=speed, mark=mark)
    noting.note([noting.Outcome(line)])


def failed(line: Line, error: ContactError) -> None:
    """Keep that a device did not let a console be opened, where that says something about the device."""
    noting.note([noting.Outcome(line, error)])


def hold(interface_id: int, name: str, *, pauses_polls: bool) -> bool:
    """Hold the machine's controllers for some time more, if the options say so; False when the interface is gone."""
    if not ManagementInterface.objects.filter(pk=interface_id, enabled=True).exists():
        return False
    if pauses_polls:
        for pk in _controllers(interface_id):
            reservations.reserve(pk, CONSOLE, name, HELD_FOR)
    else:
        release(interface_id)
    return True


def release(interface_id: int) -> None:
    """Let polls come again."""
    with turn():
        Reservation.objects.filter(interface__in=_controllers(interface_id), purpose=CONSOLE).delete()


def _controllers(interface_id: int) -> list[int]:
    """Give the interface and the other ways to the same machine that switch its power: they lead to one controller."""
    same = ManagementInterface.objects.filter(component__interfaces=interface_id, driver__in=identity.controllers())
    return [interface_id, *same.exclude(pk=interface_id).order_by("pk").values_list("pk", flat=True)]


def hand_over(session: ConsoleSession, to: Person, former: str) -> None:
    """Write down that the keyboard went to somebody else."""
    with turn():
        ConsoleSession.objects.filter(pk=session.pk).update(holder_name=to.name)
        if former:
            audit.record(to.actor, "console.take_over", session, before={"holder": former}, after={"holder": to.name})


@dataclass(frozen=True, slots=True)
class Counts:
    """How much went through a console."""

    received: int = 0
    sent: int = 0
    transcript: int = 0


def end(
    session: ConsoleSession,
    how: ConsoleEnd,
    *,
    counts: Counts,
    reason: Phrase | None = None,
    by: Person | None = None,
) -> None:
    """Write down that a console is closed, why, and how long it was open."""
    now = timezone.now()
    with turn():
        closed = ConsoleSession.objects.filter(pk=session.pk, closed_at=None).update(
            closed_at=now,
            end=how,
            reason=reason or Phrase(),
            received=counts.received,
            sent=counts.sent,
            transcript_size=counts.transcript,
            mark="",
        )
        if closed:
            seconds = round((now - session.opened_at).total_seconds())
            told: dict[str, Any] = {"end": how.value, "seconds": seconds, "transcript": session.pk}
            audit.record(by.actor if by is not None else SYSTEM, "console.close", session, after=told)
            events.publish("component")
    if session.interface_id is not None:
        release(session.interface_id)


def fetch_transcript(session: ConsoleSession, actor: Actor) -> Transcript | None:
    """Give what the machine said on a console, and write down who took it; None where nothing is kept."""
    if not transcripts.size(session.pk):
        return None
    with turn():
        audit.record(actor, "console.transcript", session)
    name = f"console-{session.component_id}-{session.opened_at:%Y%m%d-%H%M}-{session.pk}.log"
    return Transcript(name, transcripts.read(session.pk))


def left_over() -> Sequence[ConsoleSession]:
    """Give the consoles that a process before this one did not close; polls may come again."""
    with turn():
        Reservation.objects.filter(purpose=CONSOLE).delete()
    return list(ConsoleSession.objects.open().select_related("component", "interface"))


def forget(now: Any = None) -> int:
    """Remove consoles, with their transcripts, that were closed longer ago than the option says."""
    days = options.get("console_transcript_days")
    limit = (now or timezone.now()) - timedelta(days=days)
    removed = 0
    while True:
        old = ConsoleSession.objects.older_than(limit).order_by("pk")
        ids = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        if not ids:
            break
        with turn():
            ConsoleSession.objects.filter(pk__in=ids).delete()
        removed += len(ids)
    kept = transcripts.kept()
    known = set(ConsoleSession.objects.filter(pk__in=kept).values_list("pk", flat=True))
    for pk in kept:
        if pk not in known:
            transcripts.remove(pk)
    return removed
