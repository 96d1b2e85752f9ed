"""The one door to devices: latches, reservations, deadlines, and what is kept of each contact."""

import asyncio
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.components import contact, noting
from apps.components.models import Component, Credential, ManagementInterface, Reservation
from apps.components.services import credentials, reservations
from apps.core import options
from apps.core.actors import SYSTEM
from apps.drivers import registry
from apps.drivers.contract import CheckStep, Driver, Stage
from apps.protocols.errors import AuthenticationFailed, DeviceError, Unreachable
from tests.factories import make_component, make_credential, make_interface

pytestmark = pytest.mark.django_db


def fake(component=None, credential=None, **fields):
    fields.setdefault("port", 9)
    return make_interface(component, driver="fake", credential=credential, **fields)


def ask(interface, purpose=contact.POLL, deadline=5.0):
    """Speak with one interface as a poll does, and keep how it went; gives the error."""
    (line,) = contact.lines([interface], purpose)
    return tell([line], deadline)[0]


def tell(lines, deadline=5.0):
    async def one(line):
        try:
            async with contact.open(line, deadline=deadline) as device:
                await device.check()
                return noting.Outcome(line, None, device.state)
        except contact.ContactError as error:
            return noting.Outcome(line, error)

    async def in_turn():
        return [await one(line) for line in lines]

    outcomes = asyncio.run(in_turn())
    noting.note(outcomes)
    return [outcome.error for outcome in outcomes]


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def deny(interface, fault="denied"):
    ManagementInterface.objects.filter(pk=interface.pk).update(parameters={"fault": fault})


def test_an_answer_is_kept_and_clears_the_last_error():
    credential = make_credential()
    interface = fake(credential=credential, failures=3, last_error="No.", last_error_code="unreachable")
    assert ask(interface) is None
    row = fresh(interface)
    assert (row.failures, str(row.last_error), row.last_error_code, row.status) == (0, "", "", "normal")
    assert row.state == {"contact": 1}
    assert row.last_answer_at is not None
    assert row.component.last_seen_at == row.last_answer_at
    assert ask(interface) is None
    assert fresh(interface).state == {"contact": 2}


def test_each_failure_counts_and_keeps_the_devices_words():
    interface = fake(credential=make_credential(), parameters={"fault": "garbage"}, address="192.0.2.7")
    assert type(ask(interface)) is DeviceError
    assert type(ask(interface)) is DeviceError
    row = fresh(interface)
    assert (row.failures, row.last_error_code) == (2, "device_error")
    assert str(row.last_error) == "192.0.2.7 answers with nonsense"
    assert row.status == "unknown"
    assert row.last_answer_at is None


def test_one_refusal_stops_the_interface_and_no_other():
    credential = make_credential()
    refusing, other = fake(credential=credential, parameters={"fault": "denied"}), fake(credential=credential)
    before = contact.log_ons[refusing.pk, contact.POLL]
    assert type(ask(refusing)) is AuthenticationFailed
    error = ask(refusing)
    assert type(error) is contact.Withheld
    assert "is not offered again" in str(error)
    assert contact.log_ons[refusing.pk, contact.POLL] == before + 1
    row = fresh(refusing)
    assert (row.refused_version, row.failures, row.last_error_code) == (1, 1, "authentication_failed")
    assert str(row.last_error) == f"{refusing.address} refuses the login"
    assert ask(other) is None
    assert fresh(credential).latched_version is None


def test_refusals_on_two_devices_stop_the_credential_everywhere():
    credential = make_credential()
    first, second = (fake(credential=credential, parameters={"fault": "denied"}) for _ in range(2))
    third = fake(credential=credential)
    ask(first)
    ask(second)
    assert fresh(credential).is_latched
    before = contact.connections[third.pk, contact.POLL]
    error = ask(third)
    assert type(error) is contact.Withheld
    assert credential.name in str(error)
    assert contact.connections[third.pk, contact.POLL] == before
    assert fresh(third).last_error_code == "authentication_failed"
    assert fresh(third).refused_version is None


def test_two_refusals_of_one_device_do_not_stop_the_credential():
    credential, component = make_credential(), make_component()
    for _ in range(2):
        ask(fake(component, credential, parameters={"fault": "denied"}))
    assert not fresh(credential).is_latched


def test_a_wrong_credential_in_one_shard_is_offered_to_two_devices_only():
    credential = make_credential()
    interfaces = [fake(credential=credential, parameters={"fault": "denied"}) for _ in range(8)]
    errors = tell(contact.lines(interfaces, contact.POLL))
    assert [type(error) for error in errors] == [AuthenticationFailed] * 2 + [contact.Withheld] * 6
    assert sum(contact.log_ons[one.pk, contact.POLL] for one in interfaces) == 2
    assert fresh(credential).is_latched


def test_asking_by_hand_offers_it_once_more_and_success_opens_the_latch():
    credential = make_credential()
    first, second, third = (fake(credential=credential) for _ in range(3))
    deny(first)
    deny(second)
    ask(first)
    ask(second)
    assert type(ask(first, contact.CHECK)) is AuthenticationFailed
    assert fresh(credential).is_latched
    assert ask(third, contact.CHECK) is None
    assert not fresh(credential).is_latched
    assert ask(third) is None
    assert type(ask(first)) is contact.Withheld  # it refused itself: only its own check opens it
    deny(third)
    ask(third)
    assert not fresh(credential).is_latched  # one refusal since the credential was proven
    deny(first, "none")
    assert ask(first, contact.CHECK) is None
    assert fresh(first).refused_version is None
    assert ask(first) is None


def test_what_was_repaired_by_hand_is_polled_at_once():
    credential, later = make_credential(), timezone.now() + timedelta(hours=1)
    asked, stopped = (fake(credential=credential, next_poll_at=later) for _ in range(2))
    other = fake(credential=make_credential(), next_poll_at=later)
    Credential.objects.filter(pk=credential.pk).update(latched_version=1)
    ask(asked, contact.CHECK)
    assert list(ManagementInterface.objects.due(timezone.now()).order_by("pk")) == [asked, stopped]
    ManagementInterface.objects.update(next_poll_at=later)
    ask(asked, contact.CHECK)
    assert list(ManagementInterface.objects.due(timezone.now())) == [asked]
    ManagementInterface.objects.update(next_poll_at=later)
    ask(asked)
    assert fresh(asked).next_poll_at == fresh(other).next_poll_at == later


def test_a_new_version_of_the_credential_opens_every_latch():
    credential = make_credential()
    first, second = (fake(credential=credential, parameters={"fault": "denied"}) for _ in range(2))
    ask(first)
    ask(second)
    deny(first, "none")
    credentials.change(credential, SYSTEM, fields={"community": "changed"})
    assert (fresh(credential).version, fresh(credential).latched_version) == (2, None)
    assert fresh(first).refused_version is None
    assert ask(first) is None
    (line,) = contact.lines([first], contact.POLL)
    assert line.target.credential["community"] == "changed"


def test_a_refusal_of_an_older_version_does_not_stop_the_new_one():
    credential = make_credential()
    interfaces = [fake(credential=credential, parameters={"fault": "denied"}) for _ in range(2)]
    lines = contact.lines(interfaces, contact.POLL)
    credentials.change(credential, SYSTEM, fields={"community": "changed"})
    tell(lines)
    assert fresh(credential).latched_version is None
    assert type(ask(interfaces[0])) is AuthenticationFailed


def test_without_a_credential_the_device_is_not_asked():
    interface = fake(credential=None)
    before = contact.connections[interface.pk, contact.POLL]
    error = ask(interface, contact.CHECK)
    assert type(error) is contact.Withheld
    assert error.stage == Stage.SIGN_IN
    assert contact.connections[interface.pk, contact.POLL] == before
    assert str(fresh(interface).last_error) == "No credential is set for this interface."


def test_a_poll_that_asked_nobody_is_none():
    interface = fake(credential=None, polled=False)
    ask(interface)
    assert fresh(interface).last_polled_at is None
    assert [str(cause.text) for cause in interface.component.causes.all()] == ["Not polled yet."]


def test_a_credential_of_another_key_file_says_so(tmp_path, settings):
    interface = fake(credential=make_credential())
    settings.SECRETS_KEY_FILE = str(tmp_path / "other.key")
    well = fake(credential=make_credential())
    first, second = contact.lines([interface, well], contact.POLL)
    assert type(first.refusal) is DeviceError
    assert first.refusal.stage == Stage.SIGN_IN
    assert second.refusal is None
    assert second.target.credential["community"] == "public"


@pytest.mark.parametrize(("own", "used"), [({}, 47117), ({"source_port": 0}, 0), ({"source_port": 5000}, 5000)])
def test_controllers_are_asked_from_the_port_of_the_option_unless_the_interface_says_another(own, used):
    options.set_value("ipmi_source_port", 47117, SYSTEM)
    way = make_interface(driver="bmc", credential=make_credential("password"), parameters=own)
    (line,) = contact.lines([way], contact.POLL)
    assert line.target.parameters["source_port"] == used


@pytest.mark.parametrize(
    ("value", "is_fine"), [(0, True), (1, False), (1023, False), (1024, True), (65535, True), (65536, False)]
)
def test_the_port_of_the_option_is_any_or_none_below_1024(value, is_fine):
    if is_fine:
        options.set_value("ipmi_source_port", value, SYSTEM)
        assert options.get("ipmi_source_port") == value
    else:
        with pytest.raises(ValidationError):
            options.set_value("ipmi_source_port", value, SYSTEM)


def test_a_reservation_keeps_polls_away_until_it_ends():
    interface = fake(credential=make_credential())
    assert reservations.reserve(interface.pk, "firmware", "alice", timedelta(minutes=5)) is True
    assert reservations.reserve(interface.pk, "update", "bob", timedelta(minutes=5)) is False
    error = ask(interface)
    assert type(error) is contact.Busy
    assert str(error) == "alice holds this interface for: firmware."
    assert (fresh(interface).failures, fresh(interface).last_error_code) == (0, "")
    (line,) = contact.lines([interface], "firmware")
    assert line.refusal is None
    Reservation.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert ask(interface) is None
    assert reservations.reserve(interface.pk, "update", "bob", timedelta(minutes=5)) is True
    assert reservations.release(interface.pk, "update", "alice") is False
    assert reservations.release(interface.pk, "update", "bob") is True


def test_a_deadline_ends_a_slow_device_as_unreachable():
    interface = fake(credential=make_credential(), parameters={"delay": 600_000})
    error = ask(interface, deadline=0.05)
    assert type(error) is Unreachable
    assert "did not answer within 0.05 s" in str(error)


class Misbehaving(Driver):
    """Raises what its test says, and remembers that it was closed."""

    error: Exception = ValueError("the community is hunter2")
    closed = 0

    async def __aexit__(self, *about):
        type(self).closed += 1

    async def check(self) -> list[CheckStep]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected", "text"),
    [
        (ValueError("hunter2"), DeviceError, "192.0.2.9 sent something that could not be understood (ValueError)."),
        (OSError(113, "No route to host"), Unreachable, "192.0.2.9 cannot be reached: No route to host"),
        (TimeoutError(), Unreachable, "192.0.2.9 did not answer within 5 s."),
    ],
)
def test_whatever_a_driver_raises_ends_as_a_contact_error_and_it_is_closed(monkeypatch, caplog, error, expected, text):
    monkeypatch.setattr(registry, "driver_class", lambda name: Misbehaving)
    monkeypatch.setattr(Misbehaving, "error", error)
    monkeypatch.setattr(Misbehaving, "closed", 0)
    found = ask(fake(credential=make_credential(), address="192.0.2.9"))
    assert (type(found), str(found)) == (expected, text)
    assert Misbehaving.closed == 1
    assert "hunter2" not in caplog.text


def test_a_mistake_of_a_driver_is_an_error_with_the_way_to_it_once(monkeypatch, caplog):
    monkeypatch.setattr(contact, "_told", set())
    monkeypatch.setattr(registry, "driver_class", lambda name: Misbehaving)
    monkeypatch.setattr(Misbehaving, "error", ValueError("hunter2"))
    for address in ("192.0.2.9", "192.0.2.10"):
        assert isinstance(ask(fake(credential=make_credential(), address=address)), DeviceError)
    first, second = (record for record in caplog.records if record.name == contact.__name__)
    assert (first.levelname, second.levelname) == ("ERROR", "WARNING")
    assert "in check\n    raise self.error" in first.getMessage()
    assert second.getMessage().startswith("192.0.2.10 through fake: ValueError at ")
    assert "\n" not in second.getMessage()
    assert "hunter2" not in caplog.text


def test_secrets_never_show_in_what_contact_hands_around():
    credential = make_credential(community="hunter2")
    interface = fake(credential=credential, parameters={"fault": "denied"})
    (line,) = contact.lines([interface], contact.POLL)
    error = tell([line])[0]
    everything = [line, line.target, line.target.credential, error, noting.Outcome(line, error), credential]
    assert "hunter2" not in " ".join(f"{one!r} {one}" for one in everything)
    assert str(line.target.credential["community"]) == "hunter2"


def test_noting_many_answers_costs_as_many_statements_as_noting_one(django_assert_max_num_queries):
    credential = make_credential()
    interfaces = [fake(credential=credential) for _ in range(40)]
    lines = contact.lines(interfaces, contact.POLL)
    with django_assert_max_num_queries(12):
        noting.note([noting.Outcome(line) for line in lines[:1]])
    with django_assert_max_num_queries(12):
        noting.note([noting.Outcome(line) for line in lines[1:]])
    assert Component.objects.exclude(last_seen_at=None).count() == 40
    with django_assert_max_num_queries(5):
        assert len(contact.lines([one.pk for one in interfaces], contact.POLL)) == 40
    assert Credential.objects.get().latched_version is None
