"""What is read of one MIB."""

from dataclasses import dataclass

from apps.protocols.snmp import Oid


@dataclass(frozen=True, slots=True)
class Mib:
    """Values and columns that are read together where an agent has them.

    With a ``root`` it is first asked whether there is anything below that at all. Columns ``of_events`` may be empty
    today and have rows tomorrow (alarms): nothing is concluded from that.
    """

    name: str
    scalars: tuple[Oid, ...] = ()
    columns: tuple[Oid, ...] = ()
    root: Oid = ""
    of_events: tuple[Oid, ...] = ()
    rows_at_once: int = 12
