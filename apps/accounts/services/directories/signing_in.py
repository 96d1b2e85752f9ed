"""Signs people of directories in: the directories in order, until one knows the name."""

import logging
from collections.abc import Callable

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

    The name of a local account is looked for without its password, which is nobody else's business. The name of an
    account that came from a directory is only asked of that one. ``admits`` says, by what the directory calls whom it
    found, whether his password may be looked at.
    """
    name = name.strip()
    if not name or not password or "\x00" in name + password:
        return None
    holder = people.called(name).select_related("directory").first()
    is_local = holder is not None and holder.directory is None
    candidates = _candidates(holder)
    for directory in candidates:
        is_last = directory is candidates[-1]
        answer = asking.ask(directory, name, None if is_local else password, feign=is_last, admits=admits)
        health.note(directory, answer.fault)
        if answer.fault is not None:
            log.warning("directory %s: %s", directory, answer.fault)
            continue
        if answer.refusal is Refusal.UNKNOWN:
            continue
        if is_local:
            answer.refusal = Refusal.CLASH
        return _end(directory, name, answer, address)
    return None


def _candidates(holder: User | None) -> list[Directory]:
    if holder is not None and holder.directory is not None:
        return [holder.directory] if holder.directory.enabled else []
    return list(Directory.objects.in_use())


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
