"""Asks a directory about a person, step by step, the same for a sign-in, for its test and for the periodic look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from apps.accounts.models import Directory, DirectoryGroup
from apps.accounts.services.directories import mapping
from apps.accounts.services.directories.conversation import Conversation, FoundGroup, Stage, Step
from apps.accounts.services.directories.entries import Entry
from apps.accounts.services.directories.faults import Fault, Refusal, Refused
from apps.accounts.services.directories.servers import talk
from apps.core.phrases import Phrase

LONGEST_NAME = 254


@dataclass(slots=True)
class Answer:
    """What a directory says of a person; without fault and refusal he is let in."""

    steps: list[Step] = field(default_factory=list)
    entry: Entry | None = None
    groups: Sequence[FoundGroup] = ()
    mapped: Sequence[DirectoryGroup] = ()  # those of his groups that are known here
    holds: Sequence[str] = ()  # what they hold: "Operator · Tokyo"
    refusal: Refusal | None = None
    words: str = ""
    fault: Fault | None = None

    @property
    def lets_in(self) -> bool:
        """Say whether the directory lets the person in."""
        return self.fault is None and self.refusal is None

    @property
    def known_entry(self) -> Entry:
        """Give the entry of somebody who was found."""
        if self.entry is None:
            raise ValueError("nobody was found")
        return self.entry

    @property
    def milliseconds(self) -> int:
        """Give how long it took."""
        return sum(step.milliseconds for step in self.steps)


def ask(
    directory: Directory,
    name: str,
    password: str | None,
    *,
    feign: bool = False,
    try_all: bool = False,
    admits: Callable[[str], bool] = lambda name: True,
) -> Answer:
    """Ask about a name; with a password also whether it is right, ``None`` asks without.

    ``feign`` takes the time of a wrong password where none was sent, so that nobody can tell which names there are.
    ``admits`` says of the user name that was found whether its password may be looked at; if not, it is wrong.
    """
    answer = Answer()
    try:
        with talk(directory, answer.steps, try_all=try_all) as conversation:
            try:
                _walk(conversation, answer, name, password, admits)
            except Refused as refused:
                answer.refusal, answer.words = refused.why, refused.words
            if feign and not any(step.stage is Stage.PASSWORD for step in answer.steps):
                conversation.feign_password()
    except Fault as fault:
        answer.fault = fault
    return answer


def _walk(
    conversation: Conversation, answer: Answer, name: str, password: str | None, admits: Callable[[str], bool]
) -> None:
    if not name or "\x00" in name or len(name) > LONGEST_NAME:
        raise Refused(Refusal.UNKNOWN)
    answer.entry = entry = conversation.find(name)
    if password is not None:
        if not admits(entry.username):
            conversation.refuse_password()
        conversation.check_password(entry, password)
    conversation.look_at_account(entry)
    look_at_groups(conversation, answer, entry)


def look_at_groups(conversation: Conversation, answer: Answer, entry: Entry) -> None:
    """Find the groups of a person and what they hold here; raises Refused where they hold nothing."""
    directory = conversation.directory
    answer.groups = conversation.groups_of(entry)
    with conversation.step(Stage.MAPPING) as step:
        answer.mapped = mapping.known(directory, answer.groups)
        answer.holds = mapping.holdings(answer.mapped)
        step.words = "; ".join(answer.holds)
        if answer.holds:
            step.text = Phrase(gettext_noop("Holds here what its groups were granted."))
        elif directory.let_in_unmapped:
            step.state = "warning"
            step.text = Phrase(
                gettext_noop("None of its groups holds a role here; this directory lets in all the same.")
            )
        else:
            raise Refused(Refusal.UNMAPPED)
