"""Who is looking: whether anybody is signed in, and whose component pages are open. Both make some polls quicker."""

import time

from django.core.cache import cache

from apps.accounts.models import Session

WATCHED_KEY = "monitoring:watched"
WATCHED_FOR = 150.0  # seconds after the page asked last; an open page asks at least every minute
WATCHED_AT_MOST = 200
_SIGNED_IN_KEY = "monitoring:signed-in"
_TRUSTED = 10  # seconds


def watch(component_id: int) -> None:
    """Note that a component's page is open; the page calls this whenever it asks for its parts."""
    now = time.time()
    watched = {pk: until for pk, until in (cache.get(WATCHED_KEY) or {}).items() if until > now}
    if watched.get(component_id, 0) - now > WATCHED_FOR / 2:
        return
    watched[component_id] = now + WATCHED_FOR
    newest = sorted(watched.items(), key=lambda entry: -entry[1])[:WATCHED_AT_MOST]
    # Two pages that write at once lose one entry until its page asks again: harmless, and cheaper than a lock.
    cache.set(WATCHED_KEY, dict(newest), timeout=WATCHED_FOR)


def watched() -> list[int]:
    """Give the ids of the components whose page is open."""
    now = time.time()
    return sorted(pk for pk, until in (cache.get(WATCHED_KEY) or {}).items() if until > now)


def anybody_signed_in() -> bool:
    """Say whether any session is signed in and not idle."""
    known = cache.get(_SIGNED_IN_KEY)
    if known is None:
        known = Session.objects.alive().exists()
        cache.set(_SIGNED_IN_KEY, known, timeout=_TRUSTED)
    return bool(known)


def forget() -> None:
    """Look again at once; for tests and after signing in."""
    cache.delete_many([_SIGNED_IN_KEY, WATCHED_KEY])
