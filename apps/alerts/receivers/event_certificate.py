"""What the port of events shows: the portal's certificate, which the app that keeps certificates gives."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from apps.core.registries import Registry


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate with which connections are taken."""

    mark: str  # another one, when anything about it changed
    context: ssl.SSLContext = field(repr=False)


Source = Callable[[Shown | None], Shown]
"""Is given what is shown so far, and gives what is to be shown from now on: the same where nothing changed."""

sources: Registry[Source] = Registry("source of the certificate of events")
marks: Registry[Callable[[], str]] = Registry("source of the mark of that certificate")


def current(held: Shown | None) -> Shown | None:
    """Give what is to be shown; None where nobody keeps certificates. The database is asked."""
    for source in sources:
        held = source(held)
    return held


def mark() -> str:
    """Give the mark of the certificate of this moment, without its key; empty where there is none yet."""
    return next((found for give in marks if (found := give())), "")
