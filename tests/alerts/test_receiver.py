"""The receiver process takes what net-snmp's own programs send, stores it, and answers informs only then."""

import os
import random
import signal
import socket
import subprocess
import time

import psutil
import pytest

from apps.alerts.models import Count, Incident
from apps.alerts.receivers.datagrams import kernel_drops, open_sockets
from apps.alerts.receivers.storm import BURST
from apps.components.models import Component, StatusCause
from apps.core import options
from apps.core.actors import SYSTEM
from apps.protocols.snmp.ber import PduKind, Tag, encode_pdu
from apps.protocols.snmp.notification import NotificationKind, encode_notification_v2, encode_trap_v1
from apps.protocols.snmp.usm import discovery, make_user
from tests.alerts.process import DEADLINE, lock_out, net_snmp, wait_for
from tests.factories import make_component, make_credential, make_interface
from tests.peers import free_udp_port, program
from tests.protocols.snmp.notifications import trap

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("receiver")]

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
LINK_UP = "1.3.6.1.6.3.1.1.5.4"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
VENDOR = "1.3.6.1.4.1.8072.9999.0.7"


def link(oid: str, index: int, name: str = "") -> tuple[str, ...]:
    named = (f"{IF_NAME}.{index}", "s", name) if name else ()
    return ("", oid, f"{IF_INDEX}.{index}", "i", str(index), *named)


def test_traps_of_both_versions_and_an_inform_become_alerts_with_incident_and_cause(start):
    component = make_interface(make_component("web-01", status="normal"), address="127.0.0.1").component
    receiver = start()
    net_snmp("snmptrap", receiver.port, *link(LINK_DOWN, 3, "eth0"))
    down = wait_for(receiver.alerts().first)
    assert (down.component_id, down.component_name, down.address) == (component.pk, "web-01", "127.0.0.1")
    assert (str(down.title), down.severity, down.source, down.alert_type) == (
        "Link of eth0 went down",
        "warning",
        "snmp-trap",
        "SNMP Trap",
    )
    assert (down.object, down.version, down.trap_oid, down.occurred_at) == ("3", "2c", LINK_DOWN, None)
    assert down.bindings == [
        {"oid": f"{IF_INDEX}.3", "type": "Integer", "value": "3"},
        {"oid": f"{IF_NAME}.3", "type": "Octet string", "value": "eth0"},
    ]
    assert b"s3cret-word" not in bytes(down.datagram)
    assert b"***********" in bytes(down.datagram)
    incidents = Incident.objects
    assert incidents.get().state == "open"
    components = Component.objects
    assert components.get(pk=component.pk).status == "warning"

    # The inform says that the same port is up again: net-snmp ends well only with an answer.
    net_snmp("snmpinform", receiver.port, *link(LINK_UP, 3))
    up = receiver.alerts().last()
    assert (str(up.title), up.severity, up.incident_id) == ("Link of 3 came up", "normal", incidents.get().pk)
    assert incidents.get().state == "closed"
    assert components.get(pk=component.pk).status == "normal"
    assert not StatusCause.objects.filter(component=component.pk).exists()

    net_snmp("snmptrap", receiver.port, "1.3.6.1.4.1.8072", "", "0", "0", "", version="1")
    net_snmp("snmptrap", receiver.port, "1.3.6.1.4.1.8072.9999", "192.0.2.4", "6", "7", "", version="1")
    wait_for(lambda: receiver.alerts().count() == 4)
    cold, vendor = receiver.alerts()[2:]
    assert (str(cold.title), cold.severity, cold.incident_id) == ("The device was started", "information", None)
    assert (vendor.matched, vendor.trap_oid, vendor.version) == (False, VENDOR, "1")
    # Nobody asked this sender to speak for others: the agent address inside the trap is not believed.
    assert (vendor.address, vendor.component_id) == ("127.0.0.1", component.pk)

    assert receiver.stop() == 0
    assert receiver.count(Count.STORED) == 4
    assert "s3cret-word" not in receiver.log.read_text()


def test_an_unknown_sender_and_one_of_several_components_stay_unassigned(start):
    two = [make_interface(make_component(), address="127.0.0.1", port=port).component.pk for port in (161, 162)]
    receiver = start(ESM_BIND="127.0.0.1,::1")
    net_snmp("snmptrap", receiver.port, "", "1.3.6.1.6.3.1.1.5.5")
    several = wait_for(receiver.alerts().first)
    assert (several.component_id, several.candidates, several.address) == (None, two, "127.0.0.1")
    assert several.incident.place == "address 127.0.0.1"

    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.settimeout(10)
        data = encode_notification_v2(b"x", VENDOR, request_id=77, kind=NotificationKind.INFORM)
        sender.sendto(data, ("::1", receiver.port))
        assert sender.recvfrom(1000)[1][:2] == ("::1", receiver.port)
    unknown = receiver.alerts().last()
    assert (unknown.address, unknown.component_id, unknown.candidates, unknown.matched) == ("::1", None, [], False)


def test_an_inform_is_answered_only_after_its_alert_is_committed_and_stored_once(start):
    receiver = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", receiver.port))
        inform = encode_notification_v2(b"x", LINK_DOWN, request_id=4711, kind=NotificationKind.INFORM)
        release = lock_out()
        sender.send(inform)
        sender.settimeout(1.0)
        with pytest.raises(TimeoutError):
            sender.recv(1000)
        assert not receiver.alerts().exists()
        sender.send(inform)  # as every sender does that has no answer
        release()
        sender.settimeout(DEADLINE)
        assert (4711).to_bytes(2, "big") in sender.recv(1000)
        assert receiver.alerts().count() == 1
        sender.recv(1000)
        sender.send(inform)
        sender.recv(1000)
    assert receiver.alerts().count() == 1
    assert receiver.stop() == 0
    assert receiver.count(Count.REPEATED) == 2


@pytest.mark.one_database
def test_ten_thousand_random_datagrams_leave_it_working_with_flat_memory(start):
    make_credential("snmp-v3")
    receiver = start()
    memory = psutil.Process(receiver.process.pid)
    chance = random.Random(20)
    templates = [
        encode_notification_v2(b"public", LINK_DOWN, varbinds=[(f"{IF_INDEX}.1", Tag.INTEGER, 1)]),
        encode_trap_v1(b"public", "1.3.6.1.4.1.8072", specific=3),
        trap(make_user("watcher", "SHA-256", "auth-secret", "AES-128", "priv-secret")),
        discovery(7, encode_pdu(PduKind.GET, 1, 0, 0, b"")),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", receiver.port))

        def send(number: int) -> None:
            for at in range(number):
                data = bytearray(chance.choice(templates)) if at % 2 else chance.randbytes(chance.randrange(0, 1400))
                if at % 2:
                    data[chance.randrange(2, len(data))] ^= 1 << chance.randrange(8)
                sender.send(data)
                if at % 100 == 99:
                    time.sleep(0.005)

        send(2000)
        wait_for(lambda: receiver.count(Count.RECEIVED) == 2000)
        before = memory.memory_info().rss
        send(8000)
        wait_for(lambda: receiver.count(Count.RECEIVED) == 10000)
        grown = memory.memory_info().rss - before
    assert grown < 12 * 1024 * 1024
    assert receiver.count(Count.MALFORMED) > 5000
    assert receiver.count(Count.FAILED) == receiver.count(Count.DROPPED) == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.9", 0))
        other.settimeout(DEADLINE)
        inform = encode_notification_v2(b"x", VENDOR, request_id=9, kind=NotificationKind.INFORM)
        other.sendto(inform, ("127.0.0.1", receiver.port))
        assert other.recv(1000)
    assert receiver.stop() == 0
    assert "Traceback" not in receiver.log.read_text()


def test_a_storm_is_held_back_counted_and_reported(start):
    receiver = start()
    sent = 50 * BURST + 1000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(sent):
            sender.sendto(encode_notification_v2(b"x", VENDOR, request_id=number), ("127.0.0.1", receiver.port))
            if number % 100 == 99:
                time.sleep(0.005)
    wait_for(lambda: receiver.count(Count.STORED) + receiver.count(Count.SUPPRESSED) == sent)
    assert 50 * BURST <= receiver.count(Count.STORED) < 50 * BURST + 500
    # Another sender is not the one that storms.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.8", 0))
        other.sendto(encode_notification_v2(b"x", LINK_DOWN), ("127.0.0.1", receiver.port))
    wait_for(receiver.alerts().filter(address="127.0.0.8").first)


def test_only_listed_communities_are_stored_and_relays_are_believed(start):
    behind = make_interface(make_component("behind"), address="192.0.2.44").component
    options.set_value("trap_communities", ["right"], SYSTEM)
    options.set_value("trap_relays", ["127.0.0.1"], SYSTEM)
    receiver = start()
    arguments = ("1.3.6.1.4.1.8072", "192.0.2.44", "2", "0", "")
    net_snmp("snmptrap", receiver.port, *arguments, version="1", community="wrong")
    net_snmp("snmptrap", receiver.port, *arguments, version="1", community="right")
    alert = wait_for(receiver.alerts().first)
    assert (alert.address, alert.component_id) == ("192.0.2.44", behind.pk)
    assert receiver.stop() == 0
    assert receiver.alerts().count() == 1
    assert receiver.count(Count.REFUSED) == 1


def test_snmptrapd_may_hold_the_port_and_pass_on_what_it_receives(start, tmp_path):
    behind = make_interface(make_component("behind"), address="192.0.2.44").component
    options.set_value("trap_method", "relay", SYSTEM)
    receiver = start()
    public = free_udp_port()
    (tmp_path / "relay.conf").write_text(
        f"disableAuthorization yes\nforward default udp:127.0.0.1:{receiver.port}\n", encoding="ascii"
    )
    words = ["-f", "-Lo", "-C", "-c", str(tmp_path / "relay.conf"), "-p", str(tmp_path / "pid")]
    relay = subprocess.Popen(
        [program("snmptrapd", "snmptrapd"), *words, f"udp:127.0.0.1:{public}"],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for((tmp_path / "pid").exists)
        net_snmp("snmptrap", public, "1.3.6.1.4.1.8072", "192.0.2.44", "2", "0", "", version="1", community="public")
        alert = wait_for(receiver.alerts().first)
    finally:
        relay.kill()
        relay.wait()
    assert (alert.address, alert.component_id) == ("192.0.2.44", behind.pk)


def test_what_came_before_the_signal_is_stored_before_the_end(start):
    receiver = start()
    receiver.process.send_signal(signal.SIGSTOP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(400):
            sender.sendto(encode_notification_v2(b"x", VENDOR, request_id=number), ("127.0.0.1", receiver.port))
    receiver.process.send_signal(signal.SIGTERM)
    receiver.process.send_signal(signal.SIGCONT)
    assert receiver.process.wait(10) == 0
    assert receiver.alerts().count() == 400


def test_sockets_that_were_opened_before_are_taken_over_and_their_losses_counted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        number, port = os.dup(opened.fileno()), opened.getsockname()[1]
    (taken,) = open_sockets(str(number), "127.0.0.1", 0)
    with taken, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        assert taken.getsockname() == ("127.0.0.1", port)
        assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 212_992
        assert kernel_drops([taken]) == 0
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(100):
            sender.sendto(bytes(1000), ("127.0.0.1", port))
        assert kernel_drops([taken]) >= 90
