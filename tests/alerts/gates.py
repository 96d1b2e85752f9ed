"""A gate in front of a store, without the process around them."""

from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.gate import Gate
from apps.alerts.receivers.snmp_trap import Trap
from apps.alerts.receivers.store import Store
from apps.protocols.snmp.usm import Engine

OURS = b"\x80\x00\x1f\x88\x05of a test"


def let_in(store: Store, *datagrams: Datagram) -> list[Trap]:
    """Give what a gate of this store makes of datagrams, and have the store count the rest."""
    gate = Gate(Engine(OURS, 1, 0))
    gate.admit(store.admitted())
    traps = gate.sort(datagrams)
    store.count_refusals(gate.take_refusals())
    return traps
