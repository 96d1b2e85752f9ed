"""Remembers for some seconds which servers did not answer, so that not every sign-in waits for them.

Each process remembers for itself: what it saves is a wait, and nothing depends on it.
"""

import time

from apps.accounts.models import Directory
from apps.core import options

Key = tuple[int | None, str, str]
_silent_until: dict[Key, float] = {}


def is_silent(directory: Directory, server: str) -> bool:
    """Say whether a server did not answer a short while ago."""
    return _silent_until.get(_key(directory, server), 0.0) > time.monotonic()


def note_silence(directory: Directory, server: str) -> None:
    """Leave a server alone for as long as the option says."""
    now = time.monotonic()
    for key in [key for key, until in list(_silent_until.items()) if until <= now]:
        _silent_until.pop(key, None)
    _silent_until[_key(directory, server)] = now + options.get("directory_retry")


def note_answer(directory: Directory, server: str) -> None:
    """Take a server for answering again."""
    _silent_until.pop(_key(directory, server), None)


def forget() -> None:
    """Ask every server again."""
    _silent_until.clear()


def _key(directory: Directory, server: str) -> Key:
    """A changed directory is another one: what was wrong may be mended."""
    return directory.pk, directory.changed_at.isoformat(), server
