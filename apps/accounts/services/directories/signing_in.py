"""Signs people of directories in: the directories in order, until one knows the name."""

import logging
from collections.abc import Callable
from typing import Any

from apps.accounts.models import Directory, User
from apps.accounts.services.directories import asking, health, people
from apps.accounts.services.directories.asking import Answer
from apps.accounts.services.directories.faults import Refusal, Refused
from apps.core import audit
from apps.core.actors import Actor, ActorKind
from apps.core.models import Outcome
from apps.core.writes import turn

log = logging.getLogger(__name__)
ORDINARY = frozenset({Refusal.UNKNOWN, Refusal.WRONG_PASSWORD, Refusal.NO_PASSWORD})  # told as every refused sign-in


def sign_in(
    name: str, password: str, address: str | None, admits: Callable[[str], bool] = lambda name: True
) -> User | None:
    """Give the account of a name and password that a directory accepts; None, with the reason in the audit, when none.

    The password of a local account is nobody else's business, that of an account that came from a directory is asked
    of that one alone. Whoever is refused was looked for in every directory, and some password was tried once, so that
    it takes as long whether and where there is such a name. ``admits`` says, by what the directory calls whom it found,
    whether his password may be looked at.
    """
    name = name.strip()
    if not name or not password or "\x00" in name + password:
        return None
    holder = people.called(name).select_related("directory").first()
    is_local = holder is not None and holder.directory is None
    waiting = list(Directory.objects.in_use())
    for directory in _candidates(holder, waiting):
        waiting.remove(directory)
        answer = _ask(directory, name, None if is_local else password, feign=not waiting, admits=admits)
        if answer.fault is not None or answer.refusal is Refusal.UNKNOWN:
            continue
        if is_local:
            answer.refusal = Refusal.CLASH
        user = _end(directory, name, answer, address)
        if user is None:
            _look_further(waiting, name, tried=not is_local)
        return user
    _look_further(waiting, name, tried=False)
    return None


def _candidates(holder: User | None, in_use: list[Directory]) -> list[Directory]:
    """Give the directories that may let somebody in, in order."""
    if holder is not None and holder.directory is not None:
        return [directory for directory in in_use if directory == holder.directory]
    return list(in_use)


def _look_further(directories: list[Directory], name: str, *, tried: bool) -> None:
    """Look for a name where nobody is let in by it; a password is feigned at the last where none was tried."""
    for directory in directories:
        _ask(directory, name, None, feign=directory is directories[-1] and not tried)


def _ask(directory: Directory, name: str, password: str | None, **how: Any) -> Answer:
    answer = asking.ask(directory, name, password, **how)
    health.note(directory, answer.fault)
    if answer.fault is not None:
        log.warning("directory %s: %s", directory, answer.fault)
    return answer


def _end(directory: Directory, name: str, answer: Answer, address: str | None) -> User | None:
    """Take in whom the directory lets in; say why where not."""
    actor = Actor(ActorKind.USER, name[:150], None, address)
    refusal, words = answer.refusal, answer.words
    if refusal is None:
        try:
            return people.take_in(directory, answer, actor)
        except Refused as refused:
            refusal, words = refused.why, refused.words
    if refusal not in ORDINARY:
        dn = answer.entry.dn if answer.entry else ""
        log.warning("directory %s does not let %s in: %s %s", directory, dn or name[:150], refusal.value, words)
        with turn():
            after = {"reason": refusal.value, "entry": dn}
            audit.record(actor, "directory.refuse", directory, after=after, outcome=Outcome.REFUSED)
    return None
