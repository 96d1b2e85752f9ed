"""What the receiver's database thread makes of datagrams, without the process around it."""

import socket
from collections.abc import Iterator

import pytest
from django.db import connection

from apps.alerts.models import Alert, AlertDefinition, Count, Counter, Incident
from apps.alerts.receivers import snmp_trap
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.senders import Senders
from apps.alerts.receivers.store import Store
from apps.alerts.receivers.storm import BURST, ORIGINS, StormGuard
from apps.alerts.services import object_names
from apps.protocols.snmp.ber import Tag, Varbind
from apps.protocols.snmp.notification import NotificationKind, encode_notification_v2
from tests.factories import make_component, make_interface

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1"


@pytest.fixture
def unused() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        yield opened


def link_down(through: socket.socket, address: str, index: int, arrived: float = 0.0) -> Datagram:
    data = encode_notification_v2(b"public", LINK_DOWN, varbinds=[(f"{IF_INDEX}.{index}", Tag.INTEGER, index)])
    return Datagram(data, (address, 162), through, arrived=arrived)


def test_an_interface_without_a_name_in_the_trap_gets_the_one_that_is_known(unused, monkeypatch):
    monkeypatch.setattr(object_names, "_entries", {})
    asked = []
    component = make_interface(make_component(), address="192.0.2.1").component

    @object_names.register("port")
    def names(parts):
        asked.append(sorted(parts))
        return {(component.pk, "2"): "GigabitEthernet0/2"}

    store = Store()
    store.commit(store.prepare([link_down(unused, "192.0.2.1", 2), link_down(unused, "192.0.2.1", 5)]))
    titles = [str(alert.title) for alert in Alert.objects.order_by("pk")]
    assert titles == ["Link of GigabitEthernet0/2 went down", "Link of 5 went down"]
    assert asked == [[(component.pk, "2"), (component.pk, "5")]]
    assert Incident.objects.count() == 2


def test_extra_alert_addresses_lead_to_the_component(unused):
    component = make_component(alert_addresses=["192.0.2.77", "2001:db8::7"])
    store = Store()
    store.commit(store.prepare([link_down(unused, "192.0.2.77", 1), link_down(unused, "2001:db8::7", 1)]))
    assert set(Alert.objects.values_list("component", flat=True)) == {component.pk}


def test_an_address_for_both_protocols_is_read_as_the_one_it_is(unused):
    assert link_down(unused, "::ffff:192.0.2.9", 1).address == "192.0.2.9"
    assert link_down(unused, "fe80::1%eth0", 1).address == "fe80::1"


def test_what_was_suppressed_is_reported_once(unused):
    store = Store()
    datagrams = [link_down(unused, "192.0.2.1", 1) for _ in range(50 * BURST + 30)]
    traps = store.prepare(datagrams)
    assert len(traps) == 50 * BURST
    store.report_suppressed()
    store.report_suppressed()
    alert = Alert.objects.get()
    assert str(alert.title) == "30 alerts were suppressed"
    assert "192.0.2.1" in str(alert.detail)
    assert (alert.incident.place, alert.component) == ("portal", None)
    store.keep_house()
    assert Counter.values()[Count.SUPPRESSED] == 30


def test_one_alert_that_cannot_be_stored_does_not_keep_the_others_back(unused, monkeypatch):
    store = Store()
    traps = store.prepare([link_down(unused, "192.0.2.1", index) for index in range(1, 8)])
    understood = Store._arrivals

    def arrivals(self, some, found):
        if any(trap.bindings[0]["value"] == "3" for trap in some):
            raise ValueError("this one")
        return understood(self, some, found)

    monkeypatch.setattr(Store, "_arrivals", arrivals)
    store.commit(traps)
    assert sorted(Alert.objects.values_list("object", flat=True)) == ["1", "2", "4", "5", "6", "7"]
    store.keep_house()
    counts = Counter.values()
    assert (counts[Count.STORED], counts[Count.FAILED], counts[Count.RECEIVED]) == (6, 1, 7)


def test_a_batch_is_as_large_as_a_turn_may_be_long():
    store = Store()
    sizes = []
    for took, number in ((0.1, 250), (0.1, 20), (0.5, 625), (0.001, 312), (10.0, 2000)):
        store._learn(took, number)
        sizes.append(store.batch_size)
    # A batch that was not full says nothing, unless it took too long.
    assert sizes == ([625, 625, 312, 2000, 100] if connection.vendor == "sqlite" else [2000] * 5)


def test_a_bucket_fills_again_and_the_memory_of_origins_is_bounded():
    guard = StormGuard()
    taken = sum(guard.admits("192.0.2.1", 0.0, 50, 10000) for _ in range(1000))
    assert taken == 500
    assert not guard.admits("192.0.2.1", 0.01, 50, 10000)
    assert guard.admits("192.0.2.1", 0.1, 50, 10000)
    for number in range(ORIGINS + 500):
        guard.admits(f"origin {number}", 1000.0, 50, 100000)
    assert len(guard._origins) == ORIGINS


def test_all_senders_together_are_bounded_too():
    guard = StormGuard()
    assert sum(guard.admits(f"origin {number % 100}", 0.0, 50, 60) for number in range(1000)) == 600


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"eth0", "eth0"),
        (b"eth0\x00", "eth0"),
        ("現在".encode(), "現在"),
        (b"\x00\x1b\x21", "0x001b21"),
        (b"\xff\xfe", "0xfffe"),
        (b"a\x00b", "0x610062"),
        (7, "7"),
        (None, ""),
    ],
)
def test_octets_that_are_no_text_are_written_in_hexadecimal(value, text):
    assert snmp_trap.text_of(value) == text


def test_very_long_values_are_cut():
    assert len(str(snmp_trap.binding_of(Varbind("1.3.6.1", Tag.OCTET_STRING, b"x" * 60000))["value"])) == 4096


def test_an_unknown_vendors_trap_falls_to_the_longest_prefix(unused):
    AlertDefinition.objects.create(
        key="vendor", name="Vendor", trap_oid="1.3.6.1.4.1.8072", prefix=True, severity="critical", title="Vendor %(x)s"
    )
    from apps.alerts.services import catalogue

    catalogue.forget()
    data = encode_notification_v2(b"public", "1.3.6.1.4.1.8072.9999.0.7")
    store = Store()
    store.commit(store.prepare([Datagram(data, ("192.0.2.1", 162), unused)]))
    assert str(Alert.objects.get().title) == "Vendor –"


def test_an_inform_is_stored_on_a_machine_that_was_just_started(unused, monkeypatch):
    monkeypatch.setattr("apps.alerts.receivers.store.time.monotonic", lambda: 42.0)
    inform = encode_notification_v2(b"public", LINK_DOWN, request_id=1, kind=NotificationKind.INFORM)
    store = Store()
    (answered,) = store.commit(store.prepare([Datagram(inform, ("192.0.2.9", 162), unused, arrived=41.0)]))
    assert (answered.notification.request_id, Alert.objects.get().request_id) == (1, 1)
    store.commit(store.prepare([Datagram(inform, ("192.0.2.9", 162), unused, arrived=41.5)]))
    assert Alert.objects.count() == 1
    assert Counter.values()[Count.REPEATED] == 1


def test_repeated_informs_are_looked_up_by_their_index():
    """However many are asked for: without its condition in the question, a partial index is not used."""
    for number in (1, 250):
        asked = Alert.objects.with_digests(f"{one:032x}" for one in range(number)).order_by()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")  # an empty table is read faster as it is
        assert "alerts_alert_digest" in asked.explain(), number


def test_a_sender_is_read_as_it_is():
    made = make_component("ups-1", alias="UPS", model="Smart-UPS", suspended=True, alert_addresses=["192.0.2.77"])
    interface = make_interface(make_component("web-1", model="R120"))
    found = Senders().find(["192.0.2.77", interface.address])
    for address, component in (("192.0.2.77", made), (interface.address, interface.component)):
        (read,) = found[address]
        for name in ("pk", "name", "alias", "group_id", "model", "suspended"):
            assert getattr(read, name) == getattr(component, name), name
