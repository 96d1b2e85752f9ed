"""What is removed while a trap is on its way into the database costs the trap nothing but its name."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from apps.alerts.models import Alert, AlertDefinition, Count, Counter, Incident
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.senders import Senders
from apps.alerts.receivers.store import Store
from apps.alerts.services import catalogue
from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import NotificationKind, encode_notification_v2
from tests.factories import make_component, make_interface

pytestmark = pytest.mark.django_db(transaction=True)  # what refers to nothing is refused at the commit

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
ADDRESS = "192.0.2.7"


@pytest.fixture
def unused() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        yield opened


@pytest.fixture(autouse=True)
def definition() -> Iterator[AlertDefinition]:
    made = AlertDefinition.objects.create(
        key="linkDown", name="Link down", trap_oid=LINK_DOWN, severity="warning", title="Link of %(object)s went down"
    )
    catalogue.forget()
    yield made
    catalogue.forget()


def datagram(through: socket.socket, index: int, kind: NotificationKind = NotificationKind.INFORM) -> Datagram:
    varbinds = [(f"1.3.6.1.2.1.2.2.1.1.{index}", Tag.INTEGER, index)]
    data = encode_notification_v2(b"public", LINK_DOWN, varbinds=varbinds, request_id=index, kind=kind)
    return Datagram(data, (ADDRESS, 162), through, arrived=0.0)


@pytest.mark.parametrize("number", [1, 5])
def test_an_alert_of_a_removed_component_is_kept_with_its_address(unused, monkeypatch, number):
    component = make_interface(make_component("web-01"), address=ADDRESS).component
    seen = Senders().find([ADDRESS])
    component.delete()
    look = Senders.find
    looks: list[int] = []

    def find(self: Senders, addresses: Any) -> Any:
        looks.append(1)
        return seen if len(looks) == 1 else look(self, addresses)  # the first look was before the removal

    monkeypatch.setattr(Senders, "find", find)
    store = Store()
    answered = store.commit(store.prepare([datagram(unused, index) for index in range(1, number + 1)]))
    assert len(answered) == number
    assert list(Alert.objects.values_list("component", "address", "matched")) == [(None, ADDRESS, True)] * number
    assert Incident.objects.get().place == f"address {ADDRESS}"
    assert (Counter.values()[Count.STORED], Counter.values()[Count.FAILED]) == (number, 0)


def test_an_alert_of_a_removed_definition_is_kept_as_unmatched(unused, definition):
    assert catalogue.current().match(LINK_DOWN) == definition
    AlertDefinition.objects.all().delete()  # elsewhere: this process has not heard of it
    store = Store()
    assert len(store.commit(store.prepare([datagram(unused, 1)]))) == 1
    assert list(Alert.objects.values_list("matched", "address")) == [(False, ADDRESS)]
    assert not Incident.objects.exists()


def test_what_cannot_be_stored_at_all_is_tried_twice_and_counted_once(unused, monkeypatch):
    make_interface(make_component("web-01"), address=ADDRESS)
    gone = Senders().find([ADDRESS])
    gone[ADDRESS][0].pk = 999_999
    tries: list[int] = []

    def find(self: Senders, addresses: Any) -> Any:
        tries.append(1)
        return gone

    monkeypatch.setattr(Senders, "find", find)
    store = Store()
    assert store.commit(store.prepare([datagram(unused, 1)])) == []
    assert len(tries) == 2
    store.keep_house()
    assert not Alert.objects.exists()
    assert (Counter.values()[Count.STORED], Counter.values()[Count.FAILED]) == (0, 1)
