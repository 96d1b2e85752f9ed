"""Whether a controller still reports here after its network was changed: it is asked to send something, and we listen.

A controller keeps the MAC address of whom it reports to. What it sends after a change of its own network may go where
nobody is, and neither it nor the portal would notice.
"""

# mypy: disable-error-code="type-abstract"

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.alerts.models import EventSubscription, SubscriptionState
from apps.alerts.services import hearing
from apps.components.models import ManagementInterface
from apps.control.conversations import Spoken
from apps.control.orders import Order, able
from apps.control.services.running import Begun
from apps.control.settings import differences
from apps.control.settings.addresses import own_addresses
from apps.control.settings.orders import LONGEST_CONTACT
from apps.control.settings.writing import WriteOrder
from apps.core.phrases import Phrase
from apps.drivers.contract import Driver, Settings, SettingsReport, Subscriptions
from apps.protocols.errors import Stage, Unreachable

ASKING = Phrase(gettext_noop("Changed. Asking the controller for a test alert, to see whether its reports arrive…"))
ASKED = Phrase(gettext_noop("It was asked to send a test alert."))
ARRIVES = gettext_noop("%(what)s Reports still arrive: a test alert came here.")
SILENT = gettext_noop(
    "%(what)s No report arrived within %(seconds)s s: check the destination at the controller itself."
)
NOT_ASKED = gettext_noop("%(what)s Whether its reports still arrive is not known, it sends no test alert: %(error)s")
NOTHING_OF_OURS = gettext_noop(
    "%(what)s Whether reports arrive could not be checked: it has no alert destination or subscription of this portal."
)
CANCELLED = gettext_noop("%(what)s Nobody waited for its test alert: the job was cancelled.")
CHECK_DESTINATION = Phrase(
    gettext_noop(
        "Set the alert destination at the controller itself, or once more from here, and see whether a firewall lets "
        "its alerts through from its new address."
    )
)


@dataclass(frozen=True, slots=True)
class Way:
    """By which a controller reports here: a subscription to its events, else a row of its alert destinations."""

    subscription: int | None = None
    row: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A device that was asked to report, how its change went, and since when and until when it is listened for."""

    begun: Begun
    order: WriteOrder
    spoken: Spoken
    way: Way
    since: datetime
    until: float = 0.0  # by the clock that never jumps; 0: it was not asked yet


class TestAlert(Order):
    """Have a controller send one report; it is seen to arrive elsewhere."""

    __test__ = False  # it is no test of pytest's
    deadline = LONGEST_CONTACT

    def __init__(self, way: Way) -> None:
        self.way = way

    async def give(self, device: Driver | None) -> Phrase | None:
        """Ask for it."""
        if self.way.subscription is not None:
            await able(device, Subscriptions).send_test_event()
        else:
            await able(device, Settings).send_test_alert(self.way.row)
        return ASKED

    async def look(self, device: Driver) -> Phrase | None:
        """There is nothing to look for at the device."""
        return ASKED


def way_of(interface: ManagementInterface, report: SettingsReport) -> Way | None:
    """Give the way by which it reports here and can be asked to; None where there is none."""
    subscribed = EventSubscription.objects.filter(interface=interface, state=SubscriptionState.ACTIVE, tests=True)
    if (found := subscribed.values_list("pk", flat=True).first()) is not None:
        return Way(subscription=found)
    names, own = set(differences.destinations(report)), own_addresses(interface)
    return next((Way(row=one.row) for one in report if one.name in names and one.value in own), None)


def has_come(check: Check) -> bool:
    """Say whether a report came since it was asked for."""
    if check.way.subscription is not None:
        return hearing.by_event(check.way.subscription, check.since)
    reached, component = check.order.reached, check.begun.step.component
    return hearing.by_trap(component or 0, reached.address if reached is not None else "", check.since)


def may_come(spoken: Spoken) -> bool:
    """Say whether a test alert may be under way: a controller that fell silent may have sent it."""
    fell_silent = isinstance(spoken.error, Unreachable) and spoken.error.stage is Stage.PROTOCOL
    return not spoken.code or fell_silent
