"""Tests a directory as a sign-in would use it, and says what it found; nothing is kept, nobody is signed in."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from apps.accounts.models import Directory
from apps.accounts.services.directories import asking, people
from apps.accounts.services.directories.asking import Answer
from apps.accounts.services.directories.conversation import Conversation, Stage, Step
from apps.accounts.services.directories.faults import Fault, Refusal
from apps.core import audit
from apps.core.actors import Actor
from apps.core.phrases import Phrase
from apps.core.writes import turn

MAY = gettext_noop("%(name)s may sign in.")
MAY_WITH_PASSWORD = gettext_noop("%(name)s may sign in with the right password.")
NOT_ASKED = gettext_noop("The directory cannot be used like this: nothing is known of %(name)s.")
IS_CLASH = gettext_noop("The user “%(name)s” of this portal is not this entry, and is never taken over.")


@dataclass(frozen=True, slots=True)
class Report:
    """What a test found: each step, and whether the user would be let in."""

    steps: Sequence[Step]
    lets_in: bool
    verdict: Phrase
    username: str  # what he would be called here
    holds: Sequence[str]

    @property
    def milliseconds(self) -> int:
        """Give how long it took."""
        return sum(step.milliseconds for step in self.steps)


def test(directory: Directory, name: str, password: str | None) -> Report:
    """Ask about a name as a sign-in does, but every server that a sign-in might use; ``None`` tries no password."""
    answer = asking.ask(directory, name.strip(), password, try_all=True)
    refusal = answer.refusal
    if answer.lets_in and answer.entry is not None and (clash := _clash(directory, answer)) is not None:
        answer.steps.append(clash)
        refusal = Refusal.CLASH
    if answer.fault is None:
        _try_the_others(directory, answer)
    username = answer.entry.username if answer.entry else name
    return Report(
        steps=answer.steps,
        lets_in=answer.fault is None and refusal is None,
        verdict=_verdict(answer, refusal, username, password),
        username=username,
        holds=answer.holds if refusal is None else (),
    )


def note(directory: Directory, name: str, report: Report, actor: Actor) -> None:
    """Write down that somebody tested a directory with a name: he saw what it says of a person."""
    with turn():
        audit.record(actor, "directory.test", directory, after={"user": name[:150], "lets_in": report.lets_in})


def _verdict(answer: Answer, refusal: Refusal | None, username: str, password: str | None) -> Phrase:
    place = {"name": username}
    if answer.fault is not None:
        return Phrase(NOT_ASKED, place)
    if refusal is not None:
        return Phrase(str(refusal.label))
    return Phrase(MAY if password is not None else MAY_WITH_PASSWORD, place)


def _clash(directory: Directory, answer: Answer) -> Step | None:
    """Say where an account is in the way that is not the entry's."""
    entry = answer.known_entry
    same = people.called(entry.username).first()
    if same is None or (same.directory_id == directory.pk and same.entry_id == entry.identity):
        return None
    server = answer.steps[-1].server
    return Step(Stage.ACCOUNT, server, "failed", text=Phrase(IS_CLASH, {"name": same.username}))


def _try_the_others(directory: Directory, answer: Answer) -> None:
    """Open a conversation with each server that was not needed: it will be when the first is down."""
    asked = {step.server for step in answer.steps}
    for server in directory.servers:
        if server not in asked:
            with suppress(Fault), Conversation(directory, server, answer.steps):
                pass  # its steps say what there was; the sign-in did not need it
