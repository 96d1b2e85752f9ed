"""What the web process serves with just now: read by its loop, by middleware and by banners, without the database."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Certified:
    """The certificate that new connections see."""

    fingerprint: str
    not_before: datetime
    not_after: datetime
    own: bool  # signed by our own authority
    renews: bool  # by itself
    sent: str = ""  # a digest of the chain that is sent with it


@dataclass(frozen=True, slots=True)
class InForce:
    """What was read last."""

    https: bool = False
    minimum: str = "1.2"
    hsts_max_age: int = 0
    redirect_port: int = 0
    names: tuple[str, ...] = ()  # by which the portal is called
    certificate: Certified | None = None
    trouble: str = ""  # why it is not as it was wished


_now = InForce()


def now() -> InForce:
    """Give what is in force."""
    return _now


def put(state: InForce) -> None:
    """Let something else be in force."""
    global _now
    _now = state


def note_trouble(sentence: str) -> None:
    """Say why things are not as wished."""
    put(replace(_now, trouble=sentence))
