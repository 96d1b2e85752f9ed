"""Who has the page of a component open, so that nobody switches off what a colleague is working on unawares."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.cache import cache

if TYPE_CHECKING:
    from apps.components.pages.look import Look

OPEN_FOR = 150.0  # seconds after the page asked last; an open page asks at least every minute
PEOPLE_AT_MOST = 20  # of one component


def _key(component_id: int) -> str:
    return f"control:open:{component_id}"


def note(look: "Look") -> None:
    """Note that somebody looks at a component; the page comes here whenever it asks for its parts."""
    user, now = look.request.user, time.time()
    key = _key(look.component.pk)
    known = {pk: entry for pk, entry in (cache.get(key) or {}).items() if entry[1] > now}
    mine = str(user.pk)
    if mine in known and known[mine][1] - now > OPEN_FOR / 2:
        return
    known[mine] = [user.get_username(), now + OPEN_FOR]
    newest = sorted(known.items(), key=lambda entry: -entry[1][1])[:PEOPLE_AT_MOST]
    # Two pages that write at once lose one entry until its page asks again: harmless, and cheaper than a lock.
    cache.set(key, dict(newest), timeout=OPEN_FOR)


def others(component_ids: Sequence[int], user: Any) -> list[tuple[int, str]]:
    """Give who else has which of these components open: pairs of a component's id and a user's name."""
    now, mine = time.time(), str(getattr(user, "pk", ""))
    found = cache.get_many([_key(pk) for pk in component_ids])
    return [
        (pk, name)
        for pk in component_ids
        for person, (name, until) in found.get(_key(pk), {}).items()
        if person != mine and until > now
    ]
