"""What an administrator should mend: default secrets that are in use, options with unwise values.

Apps register functions that find it; the first page, the page about the portal and ``manage.py preflight`` say it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.core import options
from apps.core.registries import Registry

FRESH = 300.0  # seconds that a process trusts what it found


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to mend, with the address of the page where that is done."""

    text: str
    url: str = ""


registry: Registry[Callable[[], Iterable[Caution]]] = Registry("caution")
_found_at = -FRESH
_number = 0


def find() -> list[Caution]:
    """Look now, in every app; it may take a second."""
    global _found_at, _number
    found = [caution for look in registry for caution in look()]
    _found_at, _number = time.monotonic(), len(found)
    return found


def number() -> int:
    """Give how many there are, as this process found a short while ago."""
    return _number if time.monotonic() - _found_at < FRESH else len(find())


def forget() -> None:
    """Make this process look again."""
    global _found_at
    _found_at = -FRESH


@registry.register("options")
def of_options() -> Iterable[Caution]:
    """Give the options with unwise values."""
    return [Caution(f"{option.label}: {text}") for option, text in options.warnings()]
