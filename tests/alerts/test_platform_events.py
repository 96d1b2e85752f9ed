"""What management controllers tell by SNMP: understood, named, ended and acknowledged."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.utils import timezone, translation

from apps.alerts.models import Alert, AlertDefinition, Count, Incident
from apps.alerts.receivers import controllers
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.store import DatabaseAway, Store
from apps.alerts.services import catalogue
from apps.alerts.services.interpretation import Meaning, interpret
from apps.monitoring.models import LastStates
from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import encode_trap_v1
from apps.simulators.bmc import Controller, Fault, Machine, Server, serve
from tests.alerts.process import net_snmp, wait_for
from tests.factories import make_component, make_interface
from tests.protocols.ipmi.test_platform_event import FAN_TOO_SLOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("receiver")]

ENTERPRISE = "1.3.6.1.4.1.3183.1.1"


class Running:
    """A controller that answers in a thread of its own; what is done with it is done there."""

    def __init__(self, address: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.controller = Controller(Machine("web-01"), address)
        self.server: Server = asyncio.run_coroutine_threadsafe(serve([self.controller], 0), self.loop).result(10)

    def do(self, what: Callable[..., object], *arguments: object) -> None:
        async def done() -> None:
            what(*arguments)

        asyncio.run_coroutine_threadsafe(done(), self.loop).result(10)

    def close(self) -> None:
        self.do(self.server.close)
        self.do(self.controller.machine.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture
def running() -> Iterator[Running]:
    found = Running("127.51.7.1")
    yield found
    found.close()


def test_a_controller_tells_is_heard_and_repeats_nothing(start, running):
    controller = running.controller
    component = make_component("web-01", status="normal")
    interface = make_interface(component, driver="bmc", address=controller.address, port=running.server.port)
    named = '[["20.0.29","PSU2 Status","power",["Present"],"normal",null,0]]'
    LastStates.objects.create(interface=interface, states=named, measured_at=timezone.now())
    receiver = start()
    controller.alerts.port = receiver.port
    destination = controller.settings.destinations[1]
    destination.address = IPv4Address("127.0.0.1")
    destination.kind, destination.timeout, destination.retries = 0x80, 5, 7
    running.do(controller.begin, Fault.PSU_FAILED)
    failed, redundancy = wait_for(lambda: list(receiver.alerts()) if receiver.alerts().count() == 2 else None)
    assert (failed.component_id, failed.severity, failed.alert_type) == (component.pk, "critical", "IPMI event")
    assert (str(failed.title), failed.object) == ("PSU2 Status: Failure detected", "20.0.29.1")
    assert str(redundancy.title).endswith(": Redundancy lost")
    assert failed.occurred_at is not None
    assert abs((failed.occurred_at - failed.received_at).total_seconds()) < 60
    with translation.override("ja"):
        assert str(failed.title) == "PSU2 Status: 故障を検出"
    wait_for(lambda: not controller.alerts.waiting)
    running.do(controller.mend, Fault.PSU_FAILED)
    wait_for(lambda: receiver.alerts().count() == 4)
    assert not Incident.objects.filter(state="open").exists()
    assert receiver.count(Count.REPEATED) == 0


def test_a_repeated_event_is_stored_once_and_nobody_else_is_told(start):
    receiver = start()
    octets = FAN_TOO_SLOW.hex()
    event = (ENTERPRISE, "127.0.0.1", "6", str(0x040102), "0", f"{ENTERPRISE}.1", "x", octets)
    for _ in range(3):
        net_snmp("snmptrap", receiver.port, *event, version="1")
    wait_for(lambda: receiver.count(Count.REPEATED) == 2)
    alert = Alert.objects.get()
    assert str(alert.title) == "Fan 48: Fell below the lower critical limit"
    assert (alert.severity, alert.component) == ("critical", None)
    net_snmp("snmptrap", receiver.port, *event[:3], str(0x040182), *event[4:], version="1")
    wait_for(lambda: receiver.alerts().count() == 2)
    assert Alert.objects.latest("pk").severity == "normal"


@pytest.fixture
def shipped(definitions: None) -> Callable[[int, bytes], Meaning]:
    """What the shipped definitions make of an event."""

    def meaning(specific: int, octets: bytes) -> Meaning:
        bindings = [{"oid": f"{ENTERPRISE}.1", "type": "Octet string", "value": f"0x{octets.hex()}"}]
        return interpret(catalogue.current(), f"{ENTERPRISE}.0.{specific}", ENTERPRISE, bindings, None)

    return meaning


def with_severity(octet: int) -> bytes:
    return FAN_TOO_SLOW[:26] + bytes((octet,)) + FAN_TOO_SLOW[27:]


@pytest.mark.parametrize(
    ("specific", "severity", "grade", "words", "subject"),
    [
        (0x040102, 0x10, "critical", "Fell below the lower critical limit", "20.0.30.2"),
        (0x040102, 0x08, "warning", "Fell below the lower critical limit", "20.0.30.2"),
        (0x040182, 0x10, "normal", "Fell below the lower critical limit", "20.0.30.2"),
        (0x086F03, 0x00, "critical", "Input lost", "20.0.30.3"),  # the controller says nothing: what the standard means
        (0x080B00, 0x04, "normal", "Fully redundant", "20.0.30"),  # one of states that exclude each other
        (0x080B01, 0x08, "warning", "Redundancy lost", "20.0.30"),
        (0x126F01, 0x02, "information", "System started by its manufacturer", "20.0.30.1"),
        (0xC07005, 0x00, "information", "Event 5 of type 0x70", "20.0.30"),  # a maker's own
    ],
)
def test_what_an_event_means(shipped, specific, severity, grade, words, subject):
    found = shipped(specific, with_severity(severity))
    assert found.definition is not None
    assert (found.definition.key, found.severity) == ("ipmi.event", grade)
    assert (str(found.params["event"]), found.object) == (words, subject)


def test_a_variable_that_is_too_short_is_still_an_alert(shipped):
    found = shipped(0x040102, FAN_TOO_SLOW[:40])
    assert found.definition == AlertDefinition.objects.get(key="ipmi.event")
    assert (found.severity, dict(found.params)) == ("information", {})


def test_a_database_that_goes_away_while_a_controller_is_looked_for_stores_nothing_twice(definitions, monkeypatch):
    varbinds = [(f"{ENTERPRISE}.1", Tag.OCTET_STRING, FAN_TOO_SLOW)]
    data = encode_trap_v1(
        b"public", ENTERPRISE, specific=0x040102, agent_address="192.0.2.1", uptime=0, varbinds=varbinds
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as through:
        store = Store()
        traps = store.prepare([Datagram(data, ("192.0.2.1", 162), through)])
        with monkeypatch.context() as away:
            away.setattr(controllers, "ports_of", Mock(side_effect=OperationalError))
            with pytest.raises(DatabaseAway):
                store.commit(traps)
        assert not Alert.objects.exists()
        with monkeypatch.context() as looks:
            find = Mock(side_effect=store.senders.find)
            looks.setattr(store.senders, "find", find)
            store.commit(traps)
    assert Alert.objects.count() == 1
    find.assert_called_once_with({"192.0.2.1"})  # for the alert and for its controller alike
