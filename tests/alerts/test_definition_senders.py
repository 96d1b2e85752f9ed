"""What net-snmp's own snmptrap sends is recognised, in version 1 and 2c, whichever way a MIB names it."""

import os
import socket
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from apps.alerts.services.arrivals import Binding
from apps.alerts.services.interpretation import interpret
from apps.protocols.snmp.ber import Varbind
from apps.protocols.snmp.notification import decode_notification
from tests.alerts.test_products import shipped

DEADLINE = 20.0  # seconds
ILO = "1.3.6.1.4.1.232"
SERVER = ("1.3.6.1.2.1.1.5.0", "s", "srv-01", f"{ILO}.11.2.11.1.0", "i", "0")
UPS_ALARM = ("1.3.6.1.2.1.33.1.6.2.1.1.9", "i", "9", "1.3.6.1.2.1.33.1.6.2.1.2.9", "o", "1.3.6.1.2.1.33.1.6.3.3")
LOOP = ("1.3.6.1.2.1.2.2.1.1.12", "i", "12", "1.3.6.1.2.1.2.2.1.2.12", "s", "GigabitEthernet1/0/12")
LOAD = (
    *("1.3.6.1.2.1.88.2.1.1.0", "s", "laTable", "1.3.6.1.2.1.88.2.1.2.0", "s", "", "1.3.6.1.2.1.88.2.1.3.0", "s", ""),
    *("1.3.6.1.2.1.88.2.1.4.0", "o", "1.3.6.1.4.1.2021.10.1.100.1", "1.3.6.1.2.1.88.2.1.5.0", "i", "1"),
    *("1.3.6.1.4.1.2021.10.1.2.1", "s", "Load-1", "1.3.6.1.4.1.2021.10.1.101.1", "s", "1 min Load Average too high"),
)
DRIVE = (
    *SERVER,
    *("1.3.6.1.4.1.232.3.2.2.1.1.20.3", "s", "Slot 3", "1.3.6.1.4.1.232.3.2.5.1.1.1.3.4", "i", "3"),
    *("1.3.6.1.4.1.232.3.2.5.1.1.2.3.4", "i", "4", "1.3.6.1.4.1.232.3.2.5.1.1.64.3.4", "s", "Port 1I Box 1 Bay 4"),
    *("1.3.6.1.4.1.232.3.2.5.1.1.60.3.4", "i", "2", "1.3.6.1.4.1.232.3.2.5.1.1.3.3.4", "s", "EG0600"),
    *("1.3.6.1.4.1.232.3.2.5.1.1.4.3.4", "s", "HPD5", "1.3.6.1.4.1.232.3.2.5.1.1.51.3.4", "s", "S0M1"),
    *("1.3.6.1.4.1.232.3.2.5.1.1.63.3.4", "i", "0", "1.3.6.1.4.1.232.3.2.5.1.1.6.3.4", "i", "4"),
    *("1.3.6.1.4.1.232.3.2.5.1.1.50.3.4", "i", "1"),
)

QX_SWITCH = "1.3.6.1.4.1.119.2.3.126.2.23.1.12.1"
UPS_LOW = "1.3.6.1.2.1.33.1.6.3.3"
HPE, QX = "HPE (Compaq), iLO", "UNIVERGE QX"
SUPPLY = (*SERVER, f"{ILO}.6.2.9.3.1.1.0.2", "i", "0", f"{ILO}.6.2.9.3.1.2.0.2", "i", "2")


class Sent(NamedTuple):
    """A trap, by its names in both versions, and what is to be made of it."""

    enterprise: str
    number: int
    trap_oid: str
    variables: tuple[str, ...]
    key: str
    severity: str
    title: str
    about: str = ""
    product: str = ""


SENT = [
    Sent(
        *("1.3.6.1.2.1.33.2", 3, "1.3.6.1.2.1.33.2.3", UPS_ALARM),
        *("ups.alarm", "critical", "The UPS reports: battery low", UPS_LOW),
    ),
    Sent(
        *("1.3.6.1.4.1.318", 5, "1.3.6.1.4.1.318.0.5", ("1.3.6.1.4.1.318.2.3.3.0", "s", "UPS: On battery power.")),
        *("apc.on-battery", "warning", "The UPS runs on battery"),
    ),
    Sent(
        *(ILO, 6050, f"{ILO}.0.6050", SUPPLY),
        *("hpe.power-supply-failed", "critical", "Power supply 2 failed", "0.2", HPE),
    ),
    Sent(
        *(ILO, 3046, f"{ILO}.0.3046", DRIVE),
        *("hpe.drive", "warning", "Drive Port 1I Box 1 Bay 4: about to fail", "3.4", HPE),
    ),
    Sent(
        *("1.3.6.1.4.1.25506.2.95.1", 1, "1.3.6.1.4.1.25506.2.95.1.0.1", LOOP),
        *("comware.loop", "critical", "Port 12 has a loop", "12"),
    ),
    Sent(
        *("1.3.6.1.4.1.119.2.3.126.10.2.95.1", 1, "1.3.6.1.4.1.119.2.3.126.10.2.95.1.0.1", LOOP),
        *("comware.loop", "critical", "Port 12 has a loop", "12", QX),
    ),
    Sent(
        *(QX_SWITCH, 6, f"{QX_SWITCH}.6", ("1.3.6.1.4.1.1.1", "i", "2")),
        *("comware.fan-failed", "critical", "Fan 2 failed", "2", QX),
    ),
    Sent(
        *("1.3.6.1.2.1.88.2", 1, "1.3.6.1.2.1.88.2.0.1", LOAD),
        *("mteTriggerFired", "warning", "laTable: the condition that is watched came true"),
        "laTable.1.3.6.1.4.1.2021.10.1.100.1",
    ),
    Sent(
        *("1.3.6.1.4.1.8072.4", 2, "1.3.6.1.4.1.8072.4.0.2", ()),
        *("net-snmp.shutdown", "warning", "The agent was shut down"),
    ),
    Sent(
        *("1.3.6.1.4.1.119.1.83.1.31", 9, "1.3.6.1.4.1.119.1.83.1.31.0.9", ()),
        *("portal.known-enterprise", "unknown", "iStorage T30A: trap 9", "", "iStorage T30A"),
    ),
]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(DEADLINE)
        yield opened


def send(listening: socket.socket, version: str, *arguments: str) -> bytes:
    """Have snmptrap send to a socket; gives what arrived."""
    where = f"127.0.0.1:{listening.getsockname()[1]}"
    command = ["snmptrap", "-v", version, "-c", "public", where, *arguments]
    subprocess.run(command, check=True, timeout=DEADLINE, env={**os.environ, "MIBS": ""}, capture_output=True)
    return listening.recv(65535)


def stored(varbind: Varbind) -> Binding:
    value = varbind.value.decode() if isinstance(varbind.value, bytes) else str(varbind.value)
    return {"oid": varbind.oid, "type": "", "value": value}


@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("sent", SENT, ids=lambda sent: f"{sent.key} {sent.enterprise}")
def test_what_snmptrap_sends_is_recognised(listening, version: str, sent: Sent):
    named = (sent.enterprise, "127.0.0.1", "6", str(sent.number), "") if version == "1" else ("", sent.trap_oid)
    trap = decode_notification(send(listening, version, *named, *sent.variables))
    bindings = [stored(varbind) for varbind in trap.varbinds]
    found = interpret(shipped(), trap.trap_oid, trap.enterprise or "", bindings, None)
    assert found.definition is not None
    places = {**found.params, "product": found.product, "number": str(sent.number)}
    places.setdefault("object", found.object)
    said = found.definition.title % {name: str(value) for name, value in places.items()}
    assert (found.definition.key, found.severity, said) == (sent.key, sent.severity, sent.title)
    assert (found.object, found.product) == (sent.about, sent.product)
