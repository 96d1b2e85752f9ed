"""How reception stands: the receiver's last sign of life and what was counted."""

import logging
from dataclasses import asdict, dataclass, field

from django.core.cache import cache
from django.utils import timezone

from apps.alerts.models import Counter

log = logging.getLogger(__name__)

HEARTBEAT = "alerts.receiver"
ALIVE = 30  # seconds that a sign of life holds


@dataclass(frozen=True)
class Reception:
    """What the receiver said of itself last."""

    at: str  # ISO 8601
    addresses: list[str]
    waiting: int  # datagrams in memory
    storing: bool  # the database takes alerts
    engine_id: str = ""  # our SNMP engine's, in hexadecimal
    engine_boots: int = 0
    counts: dict[str, int] = field(default_factory=dict)


def note_alive(addresses: list[str], waiting: int, storing: bool, engine_id: str, engine_boots: int) -> None:
    """Give a sign of life; a broker that is away is not the receiver's fault."""
    state = Reception(timezone.now().isoformat(), addresses, waiting, storing, engine_id, engine_boots)
    try:
        cache.set(HEARTBEAT, asdict(state), ALIVE)
    except Exception as error:  # every cache backend has errors of its own
        log.debug("no sign of life could be given: %s", error)


def reception_state() -> Reception | None:
    """Give how the receiver stands, with all counts; None when it gave no sign of life for 30 seconds."""
    said = cache.get(HEARTBEAT)
    return Reception(**{**said, "counts": Counter.values()}) if said else None
