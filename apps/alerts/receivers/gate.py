"""Where messages of version 3 are opened: as they come, in the loop's thread, so that who asks is told at once."""

import logging

from apps.alerts.models import Count
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.refusals import Refusals
from apps.alerts.receivers.snmp_trap import text_of
from apps.alerts.receivers.users import Admitted
from apps.protocols.snmp.ber import Malformed
from apps.protocols.snmp.receiving import Reason, Receiving, Refused, is_version_3
from apps.protocols.snmp.usm import Engine

log = logging.getLogger(__name__)


class Gate:
    """Tells genuine messages from others. Those of the other versions, which prove nothing, pass."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._receiving = Receiving(engine)
        self._admitted: Admitted | None = None
        self._refusals = Refusals()

    def admit(self, admitted: Admitted) -> None:
        """Take over who may send."""
        if admitted != self._admitted:
            self._receiving.admit(admitted.users, admitted.least_level)
            self._admitted = admitted

    def lets_in(self, datagram: Datagram) -> bool:
        """Say whether a datagram is to be kept; the sender of one that is not is told why, if he wants to know.

        While nobody knows yet who may send, messages are kept closed, and have to come here once more.
        """
        if datagram.opened is not None or not is_version_3(datagram.data):
            return True
        try:
            datagram.opened = self._receiving.open(datagram.data, datagram.arrived)
        except Refused as refused:
            if refused.reason is Reason.TOO_EARLY:
                return True
            if refused.report is not None:
                datagram.answer(refused.report)
            what = Count.ASKED if refused.teaches else Count(refused.reason.value)
            self._note(datagram, what, text_of(refused.user_name))
        except Malformed as error:
            log.debug("no message of version 3 from %s: %s", datagram.address, error)
            self._note(datagram, Count.MALFORMED)
        except Exception:  # a fault of ours in one datagram must not stop the others
            log.exception("a message of version 3 from %s could not be opened", datagram.address)
            self._note(datagram, Count.FAILED)
        else:
            return True
        return False

    def take_refusals(self) -> Refusals:
        """Give what was not let in since the last time."""
        taken, self._refusals = self._refusals, Refusals()
        return taken

    def _note(self, datagram: Datagram, what: Count, user: str = "") -> None:
        self._refusals.counts[Count.RECEIVED] += 1
        self._refusals.note(datagram.address, what, user)
