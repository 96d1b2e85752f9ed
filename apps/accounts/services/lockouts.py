"""Refuses sign-in after failures, by account and by address, for longer each time.

An attempt is counted before its password is looked at: a thousand at once get no further than one after another. Who
turns out to be right takes his attempt back, and once he is in everything that failed for him is forgotten, here and at
his address.

Nobody is locked out for ever. The delay has a longest value. A browser in which the user signed in before is counted by
itself, so that strangers who try his name, or share his address, do not shut him out. The machine itself is never
locked as an address. And another administrator, or ``manage.py user unlock`` on the machine, releases at once.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import LockedThing, LockOut, User
from apps.accounts.services import known_browsers
from apps.accounts.services.sign_in_names import folded
from apps.core import audit, options
from apps.core.actors import SYSTEM, Actor
from apps.core.writes import turn

REMEMBERED = timedelta(days=1)  # since the last failure
REFUSALS_TOLD = timedelta(minutes=1)  # attempts while locked are audited not more often, with their number
DOUBLINGS = 20  # more of them pass any longest delay
MOST_ROWS = 20_000  # what an attack with made-up names may leave behind
AT_ONCE = 500  # rows removed in one transaction

Key = tuple[str, str, str]  # kind, name and browser of a row


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who tries to sign in: the name, the address (None for the machine itself), and the browser where it is known."""

    name: str
    address: str | None = None
    browser: str = ""

    @property
    def keys(self) -> list[Key]:
        """Give what the attempt is counted by: the address, where it counts, and last the account.

        The order is always the same, so that two never wait for each other.
        """
        account = (LockedThing.ACCOUNT.value, self.name, self.browser)
        if self.browser or self.address is None:
            return [account]
        return [(LockedThing.ADDRESS.value, self.address, ""), account]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an attempt may go on.

    ``untold`` counts the refusals that the audit has not heard of yet; ``locks`` says until when this attempt itself
    locks what it was counted by, should it turn out wrong.
    """

    locked: LockOut | None = None
    untold: int = 0
    locks: Mapping[Key, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alias:
    """The account itself, where somebody typed another name for it, with what was decided of the attempt there."""

    who: Claimant
    verdict: Verdict


def claimant_of(request: HttpRequest, name: str) -> Claimant:
    """Give who tries to sign in with this name."""
    key = folded(name)
    return Claimant(key, address_key(request.META.get("REMOTE_ADDR", "")), known_browsers.of(request, key))


def address_key(address: str) -> str | None:
    """Give what an address is counted by: IPv6 by its /64, of which one client has all; the machine itself by nothing.

    >>> address_key("192.0.2.7"), address_key("2001:db8::7"), address_key("::ffff:192.0.2.7"), address_key("::1")
    ('192.0.2.7', '2001:db8::/64', '192.0.2.7', None)
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_loopback:
        return None
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def attempt(who: Claimant) -> Verdict:
    """Count an attempt before its password is looked at, unless what it is counted by is locked.

    From a locked address no account is counted, nor is there a row for whatever name it made up.
    """
    now = timezone.now()
    locks: dict[Key, datetime | None] = {}
    with turn():
        for key in who.keys:
            row = _row(key, now)
            if row.is_locked:
                return Verdict(row, _refuse(row, now), locks)
            _count(row, now)
            locks[key] = row.locked_until
    return Verdict(None, 0, locks)


def admits(request: HttpRequest | None, name: str) -> bool:
    """Say whether a password may be looked at for an account that was reached by another name than it has.

    A directory may know one person by several names: each would have failures of its own. The address was counted
    already.
    """
    if request is None:
        return True
    typed, key = getattr(request, "sign_in_as", None), folded(name)
    if typed is None or typed.name == key:
        return True
    found: Alias | None = getattr(request, "sign_in_alias", None)
    if found is None or found.who.name != key:
        who = Claimant(key, None, known_browsers.of(request, key))
        found = request.sign_in_alias = Alias(who, attempt(who))  # type: ignore[attr-defined]
    return found.verdict.locked is None


def take_back(who: Claimant, verdict: Verdict) -> None:
    """Uncount an attempt that turned out right, and end the locks that it began itself."""
    with turn():
        for key in who.keys:
            _reduce(_find(key), 1, verdict.locks.get(key))


def forgive(who: Claimant) -> None:
    """Forget what failed for an account that has signed in, and take it back from its address."""
    with turn():
        *address, account = [_find(key) for key in who.keys]
        if account is None:
            return
        for row in address:
            _reduce(row, account.failures)
        account.delete()


def release(*, actor: Actor, user: User | str | None = None, address: str | None = None) -> int:
    """Let an account, in whatever browser, or an address sign in again at once; gives how many locks that ended."""
    asked = Q(pk__in=[])
    if user is not None:
        asked |= Q(kind=LockedThing.ACCOUNT, name=folded(str(user)))
    if address is not None:
        asked |= Q(kind=LockedThing.ADDRESS, name__in={address, address_key(address) or address})
    return sum(release_row(row, actor) for row in LockOut.objects.filter(asked))


def release_row(row: LockOut, actor: Actor) -> bool:
    """Forget the failures of one row; says whether it was locked."""
    with turn():
        before = {"kind": row.kind, "failures": row.failures, "until": _written(row.locked_until)}
        audit.record(actor, "lockout.release", row, before=before)
        row.delete()
    return row.is_locked


def locks_of(user: User) -> list[LockOut]:
    """Give what is locked now of a user's account."""
    rows = LockOut.objects.locked(timezone.now())
    return list(rows.filter(kind=LockedThing.ACCOUNT, name=folded(user.username)))


def prune() -> int:
    """Forget what failed longest ago, and the oldest of what is too much; gives how many rows."""
    now = timezone.now()
    ended = Q(locked_until=None) | Q(locked_until__lte=now)
    removed = 0
    while True:
        old = LockOut.objects.filter(ended, last_failed_at__lt=now - REMEMBERED).order_by("pk")
        number = _remove(list(old.values_list("pk", flat=True)[:AT_ONCE]))
        removed += number
        if number < AT_ONCE:
            break
    surplus = LockOut.objects.count() - MOST_ROWS
    while surplus > 0:
        oldest = LockOut.objects.order_by("last_failed_at", "pk").values_list("pk", flat=True)
        number = _remove(list(oldest[: min(surplus, AT_ONCE)]))
        removed, surplus = removed + number, surplus - AT_ONCE
    return removed


def limit_of(kind: str) -> int:
    """Give after how many failures a kind is locked."""
    return int(options.get("lockout_account_failures" if kind == LockedThing.ACCOUNT else "lockout_address_failures"))


def delay_after(failures: int, limit: int) -> timedelta:
    """Give for how long so many failures lock: nothing below the limit, then the first delay, doubled each time."""
    if failures < limit:
        return timedelta()
    first = timedelta(seconds=options.get("lockout_first_delay"))
    longest = timedelta(minutes=options.get("lockout_longest_delay"))
    return min(first * 2 ** min(failures - limit, DOUBLINGS), longest)


def _row(key: Key, now: datetime) -> LockOut:
    """Give the row that holds the count, ours until the end of the transaction; old failures are forgotten."""
    kind, name, browser = key
    rows = LockOut.objects.select_for_update()
    row, _made = rows.get_or_create(kind=kind, name=name, browser=browser, defaults={"last_failed_at": now})
    if row.last_failed_at < now - REMEMBERED and not row.is_locked:
        row.failures = 0
    return row


def _find(key: Key) -> LockOut | None:
    kind, name, browser = key
    return LockOut.objects.select_for_update().filter(kind=kind, name=name, browser=browser).first()


def _count(row: LockOut, now: datetime) -> None:
    row.failures += 1
    row.last_failed_at = now
    delay = delay_after(row.failures, limit_of(row.kind))
    row.locked_until = now + delay if delay else None
    row.save()
    if delay:
        after = {"kind": row.kind, "failures": row.failures, "until": _written(row.locked_until)}
        audit.record(SYSTEM, "lockout.begin", row, after=after)


def _reduce(row: LockOut | None, number: int, own_lock: datetime | None = None) -> None:
    if row is None:
        return
    row.failures = max(0, row.failures - number)
    if row.locked_until == own_lock or row.failures < limit_of(row.kind):
        row.locked_until = None
    if row.failures:
        row.save()
    else:
        row.delete()


def _refuse(row: LockOut, now: datetime) -> int:
    """Count a refused attempt; gives how many to tell the audit of, 0 while the last telling is fresh."""
    row.refused += 1
    told = 0
    if row.refusal_told_at is None or row.refusal_told_at < now - REFUSALS_TOLD:
        told, row.refused, row.refusal_told_at = row.refused, 0, now
    row.save(update_fields=["refused", "refusal_told_at"])
    return told


def _remove(pks: list[int]) -> int:
    with turn():
        LockOut.objects.filter(pk__in=pks).delete()
    return len(pks)


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
