"""Looks after the accounts of directories: whoever was disabled, removed or left his groups there is signed out."""

import logging
import time
from datetime import timedelta

from django.utils import timezone

from apps.accounts.models import Bar, Directory, User
from apps.accounts.services.directories import asking, health, people
from apps.accounts.services.directories.asking import Answer
from apps.accounts.services.directories.conversation import Conversation
from apps.accounts.services.directories.entries import AccountState, Entry
from apps.accounts.services.directories.faults import Fault, Refusal, Refused
from apps.accounts.services.directories.servers import talk
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.writes import turn

log = logging.getLogger(__name__)
LONGEST = 200.0  # seconds that one look may take; whom it does not reach is first the next time
NOTED_AT_ONCE = 500
AT_ONCE = 1000
# A password that has run out or a lock after wrong ones only keeps somebody from signing in anew.
LASTING = frozenset({AccountState.DISABLED, AccountState.EXPIRED})


def claim_due() -> list[int]:
    """Give the directories whose people are to be looked after now; each is given to one who asks."""
    before = timezone.now() - timedelta(minutes=options.get("directory_refresh")) + timedelta(seconds=5)
    due = list(Directory.objects.due(before).values_list("pk", "asked_at"))
    with turn():
        return [
            pk for pk, asked in due if Directory.objects.filter(pk=pk, asked_at=asked).update(asked_at=timezone.now())
        ]


def bar_where_not_in_use() -> int:
    """Sign out the people of directories that an administrator switched off; gives how many."""
    users = User.objects.filter(is_active=True, directory__enabled=False).order_by("pk")
    return sum(people.bar(user, Bar.NOT_IN_USE, SYSTEM) for user in users[:AT_ONCE])


def refresh(directory: Directory) -> int:
    """Bring the accounts of a directory up to date; gives how many were barred. A fault changes nobody."""
    people_of = directory.users.exclude(is_active=False, barred=Bar.NONE).order_by("entry_seen_at", "pk")
    barred, seen, until = 0, [], time.monotonic() + LONGEST
    fault: Fault | None = None
    try:
        with talk(directory) as conversation:
            conversation.see_base()
            for user in people_of:
                if time.monotonic() > until:
                    log.warning("directory %s: not everybody was looked after in time", directory)
                    break
                conversation.steps.clear()
                barred += _look_after(conversation, user)
                seen.append(user.pk)
    except Fault as found:
        fault = found
        log.warning("directory %s: %s", directory, found)
    _note(directory, seen, fault)
    return barred


def _look_after(conversation: Conversation, user: User) -> bool:
    """Ask about one account and act on it; gives whether it was barred now. Raises Fault."""
    answer = Answer()
    try:
        answer.entry = _entry_of(conversation, user)
        if answer.entry.state in LASTING:
            conversation.look_at_account(answer.entry)
        asking.look_at_groups(conversation, answer, answer.entry)
    except Refused as refused:
        why = people.BARS.get(refused.why)
        return why is not None and people.bar(user, why, SYSTEM)
    people.refresh(user, answer, SYSTEM)
    return False


def _entry_of(conversation: Conversation, user: User) -> Entry:
    """Find the entry by the name, else by what stays of it; raises Refused when it is gone or is another one now."""
    try:
        entry = conversation.find(user.username)
        if entry.identity == user.entry_id:
            return entry
    except Refused as refused:
        if refused.why is not Refusal.UNKNOWN:
            raise
    moved = conversation.find_again(user.entry_id)
    if moved is None or not moved.username:
        raise Refused(Refusal.UNKNOWN)
    entry = conversation.find(moved.username)  # the user filter decides under the new name as well
    if entry.identity != user.entry_id:
        raise Refused(Refusal.UNKNOWN)
    return entry


def _note(directory: Directory, seen: list[int], fault: Fault | None) -> None:
    now = timezone.now()
    for start in range(0, len(seen), NOTED_AT_ONCE):
        with turn():
            User.objects.filter(pk__in=seen[start : start + NOTED_AT_ONCE]).update(entry_seen_at=now)
    with turn():
        Directory.objects.filter(pk=directory.pk).update(asked_at=now)
    health.note(directory, fault)
