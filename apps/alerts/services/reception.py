"""How reception stands: the receiver's last sign of life, what was counted, and who may send."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from apps.alerts.models import REFUSALS, Count, Counter
from apps.components.models import Credential, CredentialVersion
from apps.core.secrets import Undecipherable

log = logging.getLogger(__name__)

HEARTBEAT = "alerts.receiver"
ALIVE = 30  # seconds that a sign of life holds
FRESH = timedelta(days=1)
USER_KIND = "snmp-v3"


@dataclass(frozen=True)
class Reception:
    """What the receiver said of itself last."""

    at: str  # ISO 8601
    addresses: list[str]
    waiting: int  # datagrams in memory
    storing: bool  # the database takes alerts
    engine_id: str = ""  # our SNMP engine's, in hexadecimal
    engine_boots: int = 0
    event_addresses: list[str] = field(default_factory=list)  # where events are posted
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Counted:
    """One number with when it changed last."""

    what: Count
    value: int
    changed_at: datetime | None  # None: it never did

    @property
    def is_fresh_refusal(self) -> bool:
        """Say whether a sender has to be set right for it, by what came within a day."""
        return self.what in REFUSALS and self.changed_at is not None and self.changed_at > timezone.now() - FRESH


@dataclass(frozen=True)
class Sender:
    """A user of version 3 who may send; without what is secret."""

    credential: Credential
    username: str  # empty: it cannot be decrypted
    auth_protocol: str
    priv_protocol: str


def note_alive(
    addresses: list[str],
    waiting: int,
    storing: bool,
    engine_id: str,
    engine_boots: int,
    event_addresses: list[str] | None = None,
) -> None:
    """Give a sign of life; a broker that is away is not the receiver's fault."""
    now, events = timezone.now().isoformat(), event_addresses or []
    state = Reception(now, addresses, waiting, storing, engine_id, engine_boots, events)
    try:
        cache.set(HEARTBEAT, asdict(state), ALIVE)
    except Exception as error:  # every cache backend has errors of its own
        log.debug("no sign of life could be given: %s", error)


def reception_state() -> Reception | None:
    """Give how the receiver stands, with all counts; None when it gave no sign of life for 30 seconds."""
    said = cache.get(HEARTBEAT)
    return Reception(**{**said, "counts": Counter.values()}) if said else None


def counted() -> list[Counted]:
    """Give every count, in the order in which they are declared."""
    rows = {row.name: row for row in Counter.objects.all()}
    return [
        Counted(what, rows[what].value, rows[what].changed_at) if what in rows else Counted(what, 0, None)
        for what in Count
    ]


def senders(user: Any) -> Sequence[Sender]:
    """Give the users of version 3 whose credentials somebody may use, by name."""
    visible = Credential.objects.visible_to(user, "credentials").filter(kind=USER_KIND).select_related("group")
    newest = CredentialVersion.objects.filter(credential__in=visible, number=F("credential__version"))
    try:
        fields = dict(newest.values_list("credential_id", "fields"))
    except Undecipherable:
        fields = {}
    found = []
    for credential in visible:
        known = fields.get(credential.pk, {})
        words = (str(known.get(name, "")) for name in ("username", "auth_protocol", "priv_protocol"))
        found.append(Sender(credential, *words))
    return sorted(found, key=lambda sender: (sender.username, sender.credential.name))
