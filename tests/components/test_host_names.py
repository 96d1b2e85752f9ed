"""A device that was registered by name is known by the address that its alerts come from."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from apps.alerts.models import Alert
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.senders import Senders
from apps.alerts.receivers.store import Store
from apps.components import contact
from apps.components.models import Component
from apps.components.services import checks, host_names
from apps.monitoring.services import liveness
from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import encode_notification_v2
from tests.factories import make_component, make_interface, ship_definitions

pytestmark = pytest.mark.django_db
NAMES = {"bmc-a.test": ["127.0.1.11"], "bmc-b.test": ["127.0.1.12", "127.0.1.13"]}
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The name service of a network of two controllers."""
    known = {name: list(addresses) for name, addresses in NAMES.items()}
    ask = socket.getaddrinfo

    def answer(host: Any, *more: Any, **options: Any) -> Any:
        if isinstance(host, str) and host.endswith(".test"):
            if not known.get(host):
                raise socket.gaierror(socket.EAI_NONAME, "not known")
            return [found for address in known[host] for found in ask(address, *more, **options)]
        return ask(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


@pytest.fixture
def controllers(names: dict[str, list[str]]) -> tuple[Component, Component]:
    one = make_interface(make_component("web-1"), driver="bmc", address="bmc-a.test")
    other = make_interface(make_component("web-2"), driver="ilo", address="bmc-b.test")
    return one.component, other.component


def look() -> None:
    host_names.keep(asyncio.run(host_names.look_up(host_names.in_use())))


@pytest.fixture
def receiving() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(30)
        yield opened


def send(receiving: socket.socket, address: str) -> Datagram:
    """Have a trap come over a socket from that address."""
    data = encode_notification_v2(b"public", LINK_DOWN, varbinds=[("1.3.6.1.2.1.2.2.1.1.1", Tag.INTEGER, 1)])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((address, 0))
        sending.sendto(data, receiving.getsockname())
    return Datagram(*receiving.recvfrom(4096), receiving)


def test_traps_of_controllers_that_were_registered_by_name_belong_to_them(controllers, receiving):
    ship_definitions()
    look()
    store = Store()
    sent = [send(receiving, address) for address in ("127.0.1.11", "127.0.1.12", "127.0.1.13", "127.0.1.14")]
    store.commit(store.prepare(sent))
    one, other = controllers
    told = list(Alert.objects.order_by("pk").values_list("address", "component"))
    assert told == [
        *(("127.0.1.11", one.pk), ("127.0.1.12", other.pk)),
        *(("127.0.1.13", other.pk), ("127.0.1.14", None)),
    ]


def test_a_name_that_nobody_knows_for_a_while_stands_for_what_it_did(controllers, names):
    look()
    names["bmc-a.test"] = []
    names["bmc-b.test"] = ["127.0.1.20"]
    look()
    found = Senders().find(["127.0.1.11", "127.0.1.12", "127.0.1.20"])
    one, other = controllers
    assert {address: [each.pk for each in mine] for address, mine in found.items()} == {
        "127.0.1.11": [one.pk],
        "127.0.1.20": [other.pk],
    }


def test_what_a_name_stood_for_goes_with_the_name(controllers):
    look()
    interface = controllers[0].interfaces.get()
    assert host_names.addresses_of(interface) == {"127.0.1.11"}
    interface.address = "192.0.2.9"
    interface.save()
    assert Senders().find(["127.0.1.11"]) == {}
    assert host_names.addresses_of(interface) == {"192.0.2.9"}


def test_a_second_port_may_have_a_name_too(names):
    interface = make_interface(driver="bmc", address="192.0.2.1", parameters={"second_address": "bmc-a.test"})
    look()
    (found,) = Senders().find(["127.0.1.11"])["127.0.1.11"]
    assert found.pk == interface.component_id


def test_a_sweep_and_a_check_look_names_up(controllers, monkeypatch):
    pinged: list[set[str]] = []

    class Silent:
        async def sweep(self, numbers: set[str]) -> dict[str, float | None]:
            pinged.append(numbers)
            return dict.fromkeys(numbers)

    monkeypatch.setattr(liveness, "_pinger", Silent)
    assert liveness.sweep() == 0
    assert pinged == [{"127.0.1.11", "127.0.1.12"}]
    one, other = (component.interfaces.get() for component in controllers)
    assert (one.stands_for, other.stands_for) == (
        {"bmc-a.test": ["127.0.1.11"]},
        {"bmc-b.test": ["127.0.1.12", "127.0.1.13"]},
    )
    (line,) = contact.lines([make_interface(driver="alert_only", address="bmc-a.test")], contact.CHECK)
    assert asyncio.run(checks.ask(line)).names == {"bmc-a.test": ["127.0.1.11"]}


@pytest.mark.parametrize(
    ("address", "is_name"),
    [("192.0.2.1", False), ("2001:db8::7", False), ("::1", False), ("", False), ("bmc7", True), ("a.b7.example", True)],
)
def test_names_are_told_from_addresses(address, is_name):
    assert host_names.is_name(address) is is_name
