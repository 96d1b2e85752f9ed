"""When a change that a controller did not take is tried once more, and in which words that is told.

What waiting may help with: silence, a controller that is busy, a refusal that passes, and one that took a change and
still shows the old value. Not tried again is what would come out the same or do harm: a refused login (it would lock
the account), a value that is refused, what is not supported, what somebody else changed meanwhile, a name that is not
known, and a restart of the controller that was ordered.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.control.conversations import GIVEN_UP, Spoken
from apps.control.services.running import Begun
from apps.control.settings.writing import WriteOrder
from apps.core.models import StepCode
from apps.core.phrases import Phrase
from apps.protocols.errors import AuthenticationFailed, NotNow, Stage

REFUSED = gettext_noop("It refused %(what)s: %(error)s")
REFUSED_AFTER = gettext_noop("It refused %(what)s: %(error)s Written before: %(number)s settings.")
RESTART_REFUSED = gettext_noop("All was written, but it does not restart: %(error)s")
WAITS = gettext_noop("Waits to try again at %(moment)s (%(number)s of %(tries)s). %(what)s")
TRIED = gettext_noop("Tried %(number)s times. %(what)s")
LEFT = gettext_noop("Not tried again. %(why)s %(what)s")
CANCELLED = gettext_noop("The job was cancelled before it was tried again. %(what)s")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that is to be tried again, how it went last, and when it is time by the clock that never jumps."""

    begun: Begun
    order: WriteOrder
    spoken: Spoken
    due: float


def helps(order: WriteOrder, spoken: Spoken) -> bool:
    """Say whether it may help to give an order again in some minutes, and does no harm."""
    if order.absence.has_begun or order.is_half_done or isinstance(spoken.error, AuthenticationFailed):
        return False
    match spoken.code:
        case StepCode.NOT_CONFIRMED:
            return spoken.message != GIVEN_UP
        case StepCode.OUTCOME_UNKNOWN:
            return spoken.asked  # else it was a mistake of ours
        case StepCode.UNREACHABLE:
            return spoken.error is not None and spoken.error.stage is not Stage.NAME
    return isinstance(spoken.error, NotNow)


def failure(order: WriteOrder, spoken: Spoken) -> Phrase:
    """Say in words what went wrong with a change."""
    if order.problem is not None:
        return order.problem
    by_its_word = spoken.code in (StepCode.DEVICE_ERROR, StepCode.UNSUPPORTED)
    if by_its_word and order.about:
        told: dict[str, str | Phrase] = {
            "what": order.labelled(order.about),
            "error": spoken.message,
            "number": str(len(order.accepted)),
        }
        return Phrase(REFUSED_AFTER if order.accepted else REFUSED, told)
    if by_its_word and order.absence.has_begun:
        return Phrase(RESTART_REFUSED, {"error": spoken.message})
    return spoken.message


def waits(message: Phrase, at: datetime, number: int, tries: int) -> Phrase:
    """Say until when it waits, and why."""
    told: dict[str, str | Phrase] = {"what": message, "moment": at.isoformat(timespec="seconds")}
    return Phrase(WAITS, {**told, "number": str(number), "tries": str(tries)})


def tried(message: Phrase, order: WriteOrder) -> Phrase:
    """Say how often it was tried, where that was more than once."""
    return Phrase(TRIED, {"what": message, "number": str(order.tries)}) if order.tries > 1 else message
