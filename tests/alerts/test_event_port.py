"""The receiver's HTTPS port: what curl posts becomes alerts, and what anybody else sends harms nobody."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import time

import psutil
import pytest

from apps.alerts.models import Alert, Count, EventSubscription, Incident
from apps.alerts.subscriptions.paths import hash_of, new_path
from apps.components.models import Component, ManagementInterface
from apps.system.models import Certificate
from tests.alerts.events import anybody, curl, event, event_port, message, subscription
from tests.alerts.process import lock_out, net_snmp, wait_for
from tests.factories import make_component, make_interface

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("receiver")]
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


def make_ilo(name: str = "web-01") -> ManagementInterface:
    return make_interface(make_component(name, status="normal"), driver="ilo", address="192.0.2.7", port=443)


def test_what_a_controller_posts_becomes_alerts_of_its_component(start):
    interface = make_ilo()
    row, path = subscription(interface)
    ManagementInterface.objects.filter(pk=interface.pk).update(next_poll_at="2100-01-01T00:00:00Z")
    receiver = start()
    port = event_port(receiver)
    second = event(2, MessageId="ResourceEvent.1.0.ResourceStatusChangedWarning", MessageArgs=["Bay 3", "Warning"])
    assert curl(port, path, message(event(), second)) == 204  # answered after the commit: it is there
    fan, part = receiver.alerts()
    assert (fan.source, fan.component_id, fan.address) == ("redfish", interface.component_id, "127.0.0.1")
    assert (str(fan.title), fan.severity, fan.alert_type) == ("Fan Failure (Fan 2)", "critical", "Redfish event")
    assert (fan.trap_oid, fan.definition.key) == ("redfish.iLOEvents.FanFailed", "redfish.event")
    assert fan.occurred_at.isoformat() == "2026-11-20T10:00:00+00:00"
    assert fan.object == "/redfish/v1/Chassis/1/Thermal#/Fans/1"
    assert b'"MessageId": "iLOEvents.2.3.FanFailed"' in bytes(fan.datagram)
    assert (str(part.title), part.severity) == ("A part is not as it should be: Bay 3", "warning")
    assert Component.objects.get(pk=interface.component_id).status == "critical"
    # It is asked soon, not at its next round; and its card says when something came last.
    assert ManagementInterface.objects.get(pk=interface.pk).next_poll_at.year != 2100
    assert EventSubscription.objects.get(pk=row.pk).last_event_at == fan.received_at

    # The same message once more, because its answer got lost, and then the recovery of the same part.
    assert curl(port, path, message(event(), second)) == 204
    assert receiver.alerts().count() == 2
    assert curl(port, path, message(event(3, Severity="OK", MessageId="iLOEvents.2.3.FanRepaired"))) == 204
    assert (receiver.alerts().last().severity, receiver.alerts().count()) == ("normal", 3)
    assert [one.state for one in Incident.objects.order_by("pk")] == ["closed", "open"]

    # What is refused is told why, and stores nothing.
    assert curl(port, new_path(), message(event(5))) == 404
    assert curl(port, "/", message(event(5))) == 404
    assert curl(port, path, "", "-X", "GET") == 405
    assert curl(port, path, "{") == 400
    assert curl(port, path, "[" * 100_000) == 400
    assert curl(port, path, message()) == 400
    assert curl(port, path, message(event(5), Context="esm-of-another")) == 403
    assert curl(port, path, {"@odata.type": "#MetricReport.v1_0_0.MetricReport", "MetricValues": []}) == 415
    assert curl(port, path, "x" * (1024 * 1024 + 1)) == 413
    assert curl(port, path, "x" * (2 * 1024 * 1024), "-H", "Transfer-Encoding: chunked") == 413
    assert receiver.alerts().count() == 3
    odd = event(9, Message="a\x00b\ud800c", MessageArgs=[None, {"x": 1}, 3.5, "y" * 9000], OriginOfCondition=7)
    assert curl(port, path, message(odd, "no object", EventTimestamp="x")) == 204  # odd, and still an event
    assert curl(port, path, message(event(10), Context="")) == 204  # a service need not send the context
    assert receiver.alerts().count() == 5

    # A path that was offered to a device a moment ago is known, though the device has not answered yet.
    fresh = new_path()
    other = make_interface(make_component("web-02"), driver="ilo", address="192.0.2.8")
    subscription(other, token_hash="", next_hash=hash_of(fresh))
    time.sleep(0.6)  # paths that are not known are looked for twice a second
    assert curl(port, fresh, message(event())) == 204
    assert receiver.stop() == 0
    assert (receiver.count(Count.STORED), receiver.count(Count.REPEATED)) == (6, 2)
    assert (receiver.count(Count.EVENT_PATH), receiver.count(Count.EVENT_CONTEXT)) == (2, 1)
    assert receiver.count(Count.EVENT_KIND) == 1
    assert path not in receiver.log.read_text()


def test_no_acknowledged_event_is_lost(start):
    _row, path = subscription(make_ilo())
    receiver = start()
    port = event_port(receiver)
    release = lock_out()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:  # while the database is away
        waiting = pool.submit(curl, port, path, message(event(999)))
        time.sleep(0.5)
        assert not waiting.done() or waiting.result() == 503
        release()
        status = waiting.result()
    if status == 503:  # as a device does, it comes again
        status = curl(port, path, message(event(999)))
    assert status == 204
    assert receiver.alerts().count() == 1

    acknowledged: list[int] = []

    def send(first: int) -> None:
        for number in range(first, first + 15):
            if curl(port, path, message(event(number))) == 204:
                acknowledged.append(number)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        sending = [pool.submit(send, first) for first in (0, 100, 200)]
        wait_for(lambda: len(acknowledged) > 8)
        os.kill(receiver.process.pid, signal.SIGKILL)
        concurrent.futures.wait(sending)
    receiver.process.wait()
    stored = [str(one["value"]) for alert in Alert.objects.all() for one in alert.bindings if one["oid"] == "EventId"]
    assert {f"e{number}" for number in acknowledged} <= set(stored)
    again = start(without_traps=True, ESM_TRAP_FDS="")  # the port of traps is switched off: this one is served alone
    assert curl(again.port, path, message(*(event(number) for number in acknowledged[:5]))) == 204
    assert Alert.objects.count() == len(stored)  # those were known
    assert again.stop() == 0


def test_garbage_crowds_and_storms_block_nobody(start):
    _row, path = subscription(make_ilo())
    receiver = start()
    port = event_port(receiver)

    def shown() -> bytes:
        with socket.create_connection(("127.0.0.1", port)) as raw, anybody().wrap_socket(raw) as one:
            return one.getpeercert(binary_form=True) or b""

    first = shown()
    assert [(row.use, row.own) for row in Certificate.objects.all()] == [("events", True)]
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
    for number, one in enumerate(crowd):
        with contextlib.suppress(OSError):  # too many of one address: it was closed at once
            one.sendall(os.urandom(200) if number % 2 else b"GET / HTTP/1.0\r\n\r\n")
    crawling = []
    for _ in range(5):  # they shake hands, and then say nothing more
        with contextlib.suppress(OSError):
            raw = socket.create_connection(("127.0.0.1", port), timeout=5)
            crawling.append(anybody().wrap_socket(raw))
            crawling[-1].sendall(f"POST {path} HTTP/1.1\r\nContent-Length: 100\r\n".encode())
    net_snmp("snmptrap", receiver.port, "", LINK_DOWN)  # traps are not held up
    wait_for(lambda: receiver.alerts().filter(source="snmp-trap").exists())
    for one in crowd:
        one.close()
    wait_for(lambda: curl(port, path, message(event())) == 204)
    process = psutil.Process(receiver.process.pid)
    assert process.num_threads() < 20
    wait_for(lambda: process.num_fds() < 60)
    for one in crawling:
        one.close()
    assert len(receiver.log.read_text()) < 5000

    for part in range(4):  # a device that cannot stop: what is too much is counted, and taken from it all the same
        records = [event(part * 1000 + number) for number in range(1, 241)]
        assert curl(port, path, message(*records)) == 204
    Certificate.objects.all().delete()
    wait_for(lambda: shown() != first)  # a certificate that changed is shown within seconds
    assert receiver.stop() == 0
    stored, suppressed = receiver.count(Count.STORED), receiver.count(Count.SUPPRESSED)
    assert 500 <= stored < 900
    assert stored + suppressed + receiver.count(Count.REPEATED) == 962
