"""What the receiver refuses: counted by reason, told once a day for a sender, cheap when it is forged."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.alerts.models import Alert, Count, Counter
from apps.alerts.receivers import refusals
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.gate import Gate
from apps.alerts.receivers.store import Store
from apps.core import options, secrets
from apps.core.actors import SYSTEM
from apps.protocols.snmp.notification import encode_notification_v2
from apps.protocols.snmp.usm import Engine, make_user, seal
from tests.factories import make_component, make_credential, make_interface
from tests.protocols.snmp.notifications import LINK_DOWN, OURS, THEIRS, inform, trap, user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]


@pytest.fixture
def reception() -> Iterator["Reception"]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as through:
        yield Reception(through)


class Reception:
    """Gate and store without the process around them."""

    def __init__(self, through: socket.socket) -> None:
        self.through = through
        self.store = Store()
        self.gate = Gate(Engine(OURS, 3, 0))

    def take(self, *messages: tuple[str, bytes]) -> None:
        """Let messages of some addresses come in, and write down what became of them."""
        self.gate.admit(self.store.admitted())
        datagrams = [Datagram(data, (address, 9), self.through) for address, data in messages]
        self.store.commit(self.store.prepare([each for each in datagrams if self.gate.lets_in(each)]))
        self.store.count_refusals(self.gate.take_refusals())
        self.store.keep_house()


def test_each_reason_has_its_counter_and_its_sentence(reception):
    component = make_interface(make_component("ups-1"), address="192.0.2.3").component
    make_credential("snmp-v3", username="device", auth_protocol="SHA", auth_password="authpass123")
    options.set_value("trap_v1", False, SYSTEM)
    options.set_value("trap_communities", ["right"], SYSTEM)
    gate = reception.gate
    watcher = make_user("device", "SHA", "authpass123", "AES-128", "priv-secret")
    reception.take(
        ("192.0.2.1", trap(user(name="no\0body"))),
        ("192.0.2.2", trap(user("none", "none"))),
        ("192.0.2.3", trap(user(auth_password="wrong-password"))),
        ("192.0.2.4", trap(user(priv_password="wrong-password"))),
        ("192.0.2.5", encode_notification_v2(b"wrong", LINK_DOWN)),
        ("192.0.2.6", trap(watcher, 5, 1000)),
        ("192.0.2.6", trap(watcher, 4, 1000)),
        ("192.0.2.6", trap(watcher, 4, 1000)),
        ("192.0.2.7", seal(1, watcher, Engine(b"\x80", 1, 1), b"\xa7\x00", reportable=False)),
        ("192.0.2.8", inform(watcher, Engine(THEIRS, 1, 1))),
        ("192.0.2.8", inform(watcher, Engine(OURS, 1, 1))),
        ("192.0.2.8", inform(watcher, gate.engine)),
        ("192.0.2.9", b"\x30\x03\x02\x01\x03"),
    )
    counts = Counter.values()
    assert {name: counts[name] for name in counts if counts[name]} == {
        Count.RECEIVED: 13,
        Count.STORED: 2,
        Count.UNKNOWN_USER: 1,
        Count.LEVEL: 1,
        Count.WRONG_DIGEST: 1,
        Count.UNDECIPHERABLE: 1,
        Count.REFUSED: 1,
        Count.NOT_IN_TIME: 2,
        Count.UNKNOWN_ENGINE: 1,
        Count.ASKED: 2,
        Count.MALFORMED: 1,
    }

    reception.store.report_refused()
    told = Alert.objects.filter(definition__key=refusals.REFUSED)
    assert set(told.values_list("address", flat=True)) == {f"192.0.2.{number}" for number in range(1, 8)}
    wrong = told.get(address="192.0.2.3")
    assert (str(wrong.title), wrong.severity, wrong.component) == (
        "Notifications from 192.0.2.3 were refused (1)",
        "warning",
        component,
    )
    assert "The authentication password or protocol of the user “device” is another one." in str(wrong.detail)
    assert str(wrong.remedy) == (
        "Compare protocols and passwords of the device with the credential of the kind SNMP v3 user that has this user."
    )
    assert "No credential has the user “0x6e6f00626f6479”." in str(told.get(address="192.0.2.1").detail)
    old = told.get(address="192.0.2.6")
    assert str(old.title) == "Notifications from 192.0.2.6 were refused (2)"
    assert "forgets how often it started" in str(old.remedy)


def test_every_reason_can_be_told():
    assert set(refusals.REASONS) == refusals.REFUSALS


def test_a_sender_is_told_of_once_a_day(reception):
    wrong = trap(user())
    told = Alert.objects.filter(definition__key=refusals.REFUSED)
    for _ in range(3):
        reception.take(("192.0.2.1", wrong), ("192.0.2.1", wrong))
        reception.store.report_refused()
    assert [str(alert.title) for alert in told] == ["Notifications from 192.0.2.1 were refused (2)"]
    # Another process, such as the receiver after a restart, knows it from the alert.
    other = Reception(reception.through)
    other.take(("192.0.2.1", wrong), ("192.0.2.2", wrong))
    other.store.report_refused()
    assert set(told.values_list("address", flat=True)) == {"192.0.2.1", "192.0.2.2"}
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        other.take(("192.0.2.1", wrong))
        other.store.report_refused()
    assert told.filter(address="192.0.2.1").count() == 2


def test_what_is_refused_is_reported_by_itself_once_a_minute(reception, monkeypatch):
    reception.take(("192.0.2.1", trap(user())))
    assert not Alert.objects.exists()
    monkeypatch.setattr(reception.store, "_reported_at", time.monotonic() - 61)
    reception.store.keep_house()
    assert Alert.objects.get().definition.key == refusals.REFUSED


def test_forged_senders_cost_two_hundred_alerts_a_day_and_little_memory(reception):
    wrong = trap(user())
    for turn in range(2):
        reception.take(*((f"10.{turn}.{number // 250}.{number % 250}", wrong) for number in range(1500)))
        assert len(reception.store.refusals.senders) == refusals.SENDERS
        reception.store.report_refused()
        assert not reception.store.refusals.senders
    assert Alert.objects.filter(definition__key=refusals.REFUSED).count() == refusals.NAMED
    more = Alert.objects.get(definition__key=refusals.MORE_REFUSED)
    assert str(more.title) == "Notifications from 800 further senders were refused"
    assert more.address is None
    assert Counter.values()[Count.UNKNOWN_USER] == 3000


def test_a_credential_that_cannot_be_decrypted_keeps_no_other_from_sending(reception, caplog, monkeypatch):
    make_credential("snmp-v3", username="lost")
    make_credential("snmp-v3")
    decrypt = secrets.decrypt

    def failing(text: str) -> str:
        if '"lost"' in (plain := decrypt(text)):
            raise secrets.Undecipherable
        return plain

    monkeypatch.setattr(secrets, "decrypt", failing)
    for _ in range(2):
        assert [user.name for user in reception.store.admitted().users] == [b"watcher"]
    assert caplog.text.count("cannot be decrypted") == 1
    monkeypatch.setattr(secrets, "decrypt", decrypt)
    assert sorted(user.name for user in reception.store.admitted().users) == [b"lost", b"watcher"]
    assert "secret" not in repr(reception.store.admitted())
