"""What is let in: in the loop's thread, as it comes, so that who asks by version 3 is told at once.

The database is not asked here: what may come in is told from time to time.
"""

import logging
from collections.abc import Sequence

from apps.alerts.models import Count
from apps.alerts.receivers import snmp_trap
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.refusals import Refusals
from apps.alerts.receivers.snmp_trap import Trap, text_of
from apps.alerts.receivers.storm import StormGuard
from apps.alerts.receivers.users import Admitted
from apps.protocols.snmp.ber import Malformed
from apps.protocols.snmp.receiving import Reason, Receiving, Refused, is_version_3
from apps.protocols.snmp.usm import Engine

log = logging.getLogger(__name__)


class Gate:
    """Tells what is to be stored from what is not."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._receiving = Receiving(engine)
        self._guard = StormGuard()
        self._admitted: Admitted | None = None
        self._refusals = Refusals()

    @property
    def is_told(self) -> bool:
        """Say whether anybody said what may come in."""
        return self._admitted is not None

    def admit(self, admitted: Admitted) -> None:
        """Take over what may come in."""
        if admitted != self._admitted:
            self._receiving.admit(admitted.users, admitted.least_level)
            self._admitted = admitted

    def lets_in(self, datagram: Datagram) -> bool:
        """Open a message of version 3 and say whether it is genuine; the others, which prove nothing, pass.

        The sender of one that is not genuine is told why, if he wants to know. While nobody knows yet who may send,
        messages are kept closed, and are opened when they are sorted.
        """
        if datagram.opened is not None or not is_version_3(datagram.data):
            return True
        try:
            datagram.opened = self._receiving.open(datagram.data, datagram.arrived)
        except Refused as refused:
            if refused.reason is Reason.TOO_EARLY:
                datagram.is_early = True
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

    def sort(self, datagrams: Sequence[Datagram]) -> list[Trap]:
        """Decode, refuse what is malformed, of a version or community that is not admitted, or too much."""
        admitted, traps = self._admitted, []
        if admitted is None:
            raise RuntimeError("nobody said yet what may come in")
        counts = self._refusals.counts
        for datagram in datagrams:
            if datagram.is_early and not self.lets_in(datagram):
                continue
            counts[Count.RECEIVED] += 1
            try:
                received = snmp_trap.receive(datagram)
            except Malformed as error:
                counts[Count.MALFORMED] += 1
                log.debug("not a notification from %s: %s", datagram.address, error)
                continue
            except Exception:  # a fault of ours in one datagram must not stop the others
                counts[Count.FAILED] += 1
                log.exception("a datagram from %s could not be decoded", datagram.address)
                continue
            version = received.notification.version
            if version not in admitted.versions:
                self._refusals.note(datagram.address, Count.VERSION)
                continue
            if version != "3" and admitted.communities and received.notification.community not in admitted.communities:
                self._refusals.note(datagram.address, Count.REFUSED)
                continue
            trap = snmp_trap.understand(datagram, received, admitted.relays)
            if self._guard.admits(trap.address, datagram.arrived, admitted.origin_rate, admitted.total_rate):
                traps.append(trap)
            else:
                counts[Count.SUPPRESSED] += 1
                self._refusals.suppress(trap.address)
        return traps

    def take_refusals(self) -> Refusals:
        """Give what was not let in since the last time."""
        taken, self._refusals = self._refusals, Refusals()
        return taken

    def _note(self, datagram: Datagram, what: Count, user: str = "") -> None:
        self._refusals.counts[Count.RECEIVED] += 1
        self._refusals.note(datagram.address, what, user)
