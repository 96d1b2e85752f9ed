"""What was not taken, by sender and reason, and the alerts that tell of it: one a day for a sender."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.alerts.models import REFUSALS, Alert, Count
from apps.alerts.receivers.senders import Senders
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import ingest
from apps.core.phrases import Phrase

REFUSED, MORE_REFUSED = "portal.notifications-refused", "portal.more-refused"
SENDERS = 1000  # remembered between two reports; sender addresses can be forged
QUIET_FOR = timedelta(days=1)
NAMED = 200  # senders within that time; of more, one alert tells the number

_CREDENTIAL = gettext_noop(
    "Compare protocols and passwords of the device with the credential of the kind SNMP v3 user that has this user."
)
REASONS: Mapping[Count, tuple[str, str]] = {
    Count.REFUSED: (
        gettext_noop("The community is none of the accepted ones."),
        gettext_noop("Set the right community at the device, or add its own to the accepted communities."),
    ),
    Count.VERSION: (
        gettext_noop("Notifications of this SNMP version are not accepted."),
        gettext_noop("Let the device send another version, or accept this one in the options of alert reception."),
    ),
    Count.UNKNOWN_ENGINE: (
        gettext_noop("The message names no valid engine."),
        gettext_noop("Give the device an SNMP engine id of 5 to 32 octets."),
    ),
    Count.UNKNOWN_USER: (
        gettext_noop("No credential has the user “%(user)s”."),
        gettext_noop("Make a credential of the kind SNMP v3 user for this user, or set a known one at the device."),
    ),
    Count.LEVEL: (
        gettext_noop(
            "The user “%(user)s” protects his messages less than the credential or the options of alert reception ask."
        ),
        gettext_noop("Let the device sign, and where it is asked encrypt, what it sends."),
    ),
    Count.WRONG_DIGEST: (
        gettext_noop("The authentication password or protocol of the user “%(user)s” is another one."),
        _CREDENTIAL,
    ),
    Count.UNDECIPHERABLE: (
        gettext_noop("The privacy password or protocol of the user “%(user)s” is another one."),
        _CREDENTIAL,
    ),
    Count.NOT_IN_TIME: (
        gettext_noop("The messages are older than others that came before them."),
        gettext_noop(
            "Look whether the device forgets how often it started, or has the engine id of another one, and give it a "
            "new engine id. If neither is so, somebody repeats what he overheard."
        ),
    ),
    Count.TOO_MANY: (
        gettext_noop("Too many messages with a wrong signature come at once."),
        gettext_noop("Find out who sends them; devices that were heard before are not held up."),
    ),
}


@dataclass(slots=True)
class Refused:
    """What was not taken of one sender, by reason, and the user that it named last for each."""

    counts: Counter[Count] = field(default_factory=Counter)
    users: dict[Count, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Give how many notifications."""
        return self.counts.total()

    def add(self, other: "Refused") -> None:
        """Count what was not taken besides."""
        self.counts.update(other.counts)
        self.users.update(other.users)


class Refusals:
    """What one thread did not take, until another one writes it down."""

    def __init__(self) -> None:
        self.counts: Counter[Count] = Counter()
        self.senders: dict[str, Refused] = {}

    def note(self, address: str, what: Count, user: str = "") -> None:
        """Count what was not taken of a sender."""
        self.counts[what] += 1
        if what in REFUSALS and (sender := self._sender(address)):
            sender.counts[what] += 1
            sender.users[what] = user

    def take_over(self, others: "Refusals") -> None:
        """Count what another noted, and leave it with nothing."""
        self.counts.update(others.counts)
        for address, refused in others.senders.items():
            if sender := self._sender(address):
                sender.add(refused)
        others.counts.clear()
        others.senders.clear()

    def _sender(self, address: str) -> Refused | None:
        if address not in self.senders and len(self.senders) >= SENDERS:
            return None
        return self.senders.setdefault(address, Refused())


def report(refused: Mapping[str, Refused], senders: Senders) -> None:
    """Raise an alert for each sender that none was raised for within a day."""
    known = catalogue.current().by_key
    one, more = known[REFUSED], known[MORE_REFUSED]
    since = timezone.now() - QUIET_FOR
    told = Alert.objects.filter(definition__in=(one, more), received_at__gt=since).order_by()
    addresses = dict.fromkeys(told.values_list("address", flat=True)[: NAMED + 1])
    fresh = sorted((address for address in refused if address not in addresses), key=lambda each: -refused[each].total)
    named, others = fresh[: max(NAMED - len(addresses), 0)], fresh[max(NAMED - len(addresses), 0) :]
    found = senders.find(named) if named else {}
    now = timezone.now()
    arrivals = []
    for address in named:
        sender, candidates = refused[address], found.get(address, ())
        ((what, _number),) = sender.counts.most_common(1)
        reason, remedy = (Phrase(text, {"user": sender.users[what]}) for text in REASONS[what])
        arrivals.append(
            Arrival(
                source="portal",
                received_at=now,
                occurred_at=now,
                definition=one,
                component=candidates[0] if len(candidates) == 1 else None,
                candidates=tuple(each.pk for each in candidates) if len(candidates) > 1 else (),
                address=address,
                params={"count": str(sender.total), "reason": reason, "remedy": remedy},
            )
        )
    if others and None not in addresses:
        count = sum(refused[address].total for address in others)
        params = {"count": str(count), "senders": str(len(others))}
        arrivals.append(Arrival("portal", now, more, occurred_at=now, params=params))
    if arrivals:
        ingest(arrivals)
