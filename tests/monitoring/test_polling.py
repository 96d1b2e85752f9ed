"""Polling fake devices and keeping what they say."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.components import contact
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import reservations
from apps.core import options
from apps.core.actors import SYSTEM
from apps.drivers.contract import Limits
from apps.drivers.fake.script import FakeDevice
from apps.monitoring import layouts, packing
from apps.monitoring.models import LastPorts, LastValues, Limit, Liveness, Sample, Sensor, SensorLayout
from apps.monitoring.services import asking, liveness, polling, readings, writing
from apps.protocols.errors import Unreachable
from tests.factories import make_component, make_credential, make_interface
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db


def scripted(interface: ManagementInterface, contact_number: int) -> dict[str, float]:
    """Give what the fake device says at its n-th contact."""
    about = {"seed": 0, "script": "steady", "sensors": 4, "ports": 2} | interface.parameters
    about = {name: about[name] for name in ("seed", "script", "sensors", "ports")}
    device = FakeDevice(address=interface.address, contact=contact_number, **about)
    return {reading.sensor.key: reading.value for reading in device.readings()}


def test_a_poll_keeps_values_sensors_ports_and_what_lists_sort_by():
    interface = fake_device()
    assert polling.poll([interface.pk]) == {interface.pk: None}

    expected = scripted(interface, 1)
    views = {view.key: view for view in readings.latest(interface.component)}
    assert {key: view.value for key, view in views.items()} == expected
    assert {view.status for view in views.values()} == {"normal"}
    sample = Sample.objects.get(interface=interface)
    keys = [sensor.key for sensor in layouts.sensors_of(sample.layout_id)]
    kept = dict(zip(keys, packing.unpack(sample.values).tolist(), strict=True))
    assert kept == pytest.approx(expected, rel=1e-6)
    component = Component.objects.get(pk=interface.component_id)
    assert (component.cpu, component.disk) == (round(expected["cpu"], 2), round(expected["storage.1"], 2))
    assert component.status == "normal"
    assert component.last_seen_at is not None
    (ports,) = readings.ports(component)
    assert [port.name for port in ports.ports] == ["eth0", "eth1"]
    assert [port.in_rate for port in ports.ports] == [None, None]
    assert Sensor.objects.filter(interface=interface).count() == len(expected)


def test_a_second_poll_adds_a_sample_and_makes_rates_of_ports():
    interface = fake_device()
    polling.poll([interface.pk])
    LastPorts.objects.update(measured_at=timezone.now() - timedelta(seconds=60))
    polling.poll([interface.pk])
    assert Sample.objects.filter(interface=interface).count() == 2
    assert LastValues.objects.count() == 1
    assert SensorLayout.objects.count() == 1
    (ports,) = readings.ports(interface.component)
    assert ports.ports[0].in_rate == pytest.approx(1_000_000 * 8 / 60, rel=0.01)


def test_devices_with_equal_sensors_share_a_layout():
    ids = [fake_device().pk for _ in range(5)]
    polling.poll(ids)
    assert SensorLayout.objects.count() == 1


def test_a_sensor_row_is_written_when_its_status_changes_only():
    interface = fake_device(script="filling")  # 81 %, 82 % … at each contact
    polling.poll([interface.pk])
    disk = Sensor.objects.get(interface=interface, key="storage.1")
    assert disk.status == "normal"
    ManagementInterface.objects.filter(pk=interface.pk).update(state={"contact": 9})
    polling.poll([interface.pk])
    disk.refresh_from_db()
    assert disk.status == "warning"
    since = disk.since
    polling.poll([interface.pk])
    disk.refresh_from_db()
    assert (disk.status, disk.since) == ("warning", since)
    (cause,) = StatusCause.objects.filter(component=interface.component, source="limit")
    assert (cause.key, cause.status, str(cause.text)) == (
        "storage.1",
        "warning",
        "/ is 91 %; the upper limit is 90 %",
    )
    assert Component.objects.get(pk=interface.component_id).status == "warning"


def test_a_limit_cause_goes_when_the_value_is_back_within():
    interface = fake_device(script="filling")
    ManagementInterface.objects.filter(pk=interface.pk).update(state={"contact": 15})
    polling.poll([interface.pk])
    assert Component.objects.get(pk=interface.component_id).status == "critical"
    Limit.objects.create(interface=interface, key="storage.1", upper_critical=99)
    polling.poll([interface.pk])
    assert Component.objects.get(pk=interface.component_id).status == "normal"
    assert not StatusCause.objects.filter(component=interface.component).exists()


def test_what_the_device_says_of_itself_becomes_a_cause():
    interface = fake_device(script="ailing")
    polling.poll([interface.pk])
    (cause,) = StatusCause.objects.filter(component=interface.component)
    assert (cause.source, cause.key, cause.status, str(cause.text)) == ("poll", "fan.2", "warning", "Fan 2 fails")


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        ("refusing", "unreachable", "Nothing listens on port 9"),
        ("denied", "authentication_failed", "refuses the login"),
        ("garbage", "device_error", "answers with nonsense"),
        ("old", "unsupported", "is too old"),
    ],
)
def test_a_device_that_fails_is_unknown_with_its_own_words(fault, code, sentence):
    interface = fake_device(fault=fault)
    outcome = polling.poll([interface.pk])
    assert outcome[interface.pk].code == code
    interface.refresh_from_db()
    assert (interface.last_error_code, interface.failures) == (code, 1)
    (cause,) = StatusCause.objects.filter(component=interface.component, source="poll")
    assert (cause.key, cause.status) == ("contact", "unknown")
    assert sentence in str(cause.text)
    assert not Sample.objects.exists()


def test_a_device_that_answers_again_is_well_again():
    interface = fake_device(fault="refusing")
    polling.poll([interface.pk])
    ManagementInterface.objects.filter(pk=interface.pk).update(parameters={})
    polling.poll([interface.pk])
    interface.refresh_from_db()
    assert (interface.failures, interface.last_error_code, interface.status) == (0, "", "normal")
    assert Component.objects.get(pk=interface.component_id).status == "normal"


def test_what_is_beyond_a_limit_is_not_claimed_of_a_device_that_does_not_answer():
    interface = fake_device(script="filling")
    ManagementInterface.objects.filter(pk=interface.pk).update(state={"contact": 15})
    polling.poll([interface.pk])
    ManagementInterface.objects.filter(pk=interface.pk).update(parameters={"fault": "refusing"})
    polling.poll([interface.pk])
    assert Component.objects.get(pk=interface.component_id).status == "unknown"
    assert [cause.source for cause in StatusCause.objects.filter(component=interface.component)] == ["poll"]


def test_fifty_silent_devices_do_not_slow_fifty_others_down():
    silent = [fake_device(fault="silent").pk for _ in range(50)]
    alive = [fake_device().pk for _ in range(50)]
    begun = time.monotonic()
    outcome = polling.poll([*silent, *alive], deadline=1.0)
    # One deadline for all fifty at once; they would be fifty seconds one after the other.
    assert time.monotonic() - begun < 10
    assert {pk for pk, error in outcome.items() if error is None} == set(alive)
    assert all(isinstance(outcome[pk], Unreachable) for pk in silent)
    assert Sample.objects.filter(interface__in=alive).count() == 50


def test_results_are_written_before_the_slowest_device_has_answered(monkeypatch):
    monkeypatch.setattr("apps.monitoring.services.rounds.WAIT", 0.1)
    slow, quick = fake_device(fault="silent"), fake_device()
    batches = []
    write = writing.write
    monkeypatch.setattr(writing, "write", lambda batch: (batches.append(len(batch)), write(batch)))
    polling.poll([slow.pk, quick.pk])
    assert batches == [1, 1]


def test_results_are_written_two_hundred_at_a_time(monkeypatch):
    ids = [fake_device(sensors=0, ports=0).pk for _ in range(205)]
    batches = []
    monkeypatch.setattr(writing, "write", lambda batch: batches.append(len(batch)))
    polling.poll(ids)
    assert batches == [200, 5]


def test_a_reserved_interface_is_left_alone():
    interface = fake_device()
    assert reservations.reserve(interface.pk, "console", "anna", timedelta(minutes=5))
    (error,) = polling.poll([interface.pk]).values()
    assert error.code == "already_running"
    interface.refresh_from_db()
    assert (interface.last_polled_at, interface.failures) == (None, 0)


def test_an_interface_that_goes_while_it_is_polled_costs_nobody_else(monkeypatch):
    gone, stays = fake_device(), fake_device()
    ids = [gone.pk, stays.pk]
    write = writing.write

    def remove_first(batch):
        gone.component.delete()
        write(batch)

    monkeypatch.setattr(writing, "write", remove_first)
    polling.poll(ids)
    assert Sample.objects.filter(interface=stays).count() == 1
    assert Sample.objects.count() == 1


def test_a_result_that_the_database_refuses_costs_its_own_device_only(monkeypatch):
    bad, good = fake_device(), fake_device()
    keep = writing.sensors.keep

    def refuse(batch):
        if any(interface_id == bad.pk for interface_id, *_rest in batch):
            raise ValueError("a value that no database takes")
        keep(batch)

    monkeypatch.setattr(writing.sensors, "keep", refuse)
    polling.poll([bad.pk, good.pk])
    bad.refresh_from_db()
    assert bad.last_error_code == "device_error"
    assert Sample.objects.filter(interface=good).count() == 1


@pytest.mark.parametrize("place", ["sensors.keep", "_write_values", "noting.note", "_settle"])
def test_a_writer_that_is_killed_anywhere_loses_one_round_and_doubles_nothing(monkeypatch, place):
    class Killed(BaseException):
        """Nothing catches it, as nothing catches a signal 9."""

    def die(*_args, **_kwargs):
        raise Killed

    interface = fake_device(script="filling")
    ManagementInterface.objects.filter(pk=interface.pk).update(state={"contact": 15})
    with monkeypatch.context() as patch:
        patch.setattr(f"apps.monitoring.services.writing.{place}", die)
        with pytest.raises(Killed):
            polling.poll([interface.pk])
    kept = Sample.objects.count()
    polling.poll([interface.pk])
    assert Sample.objects.count() == kept + 1
    assert LastValues.objects.count() == 1
    assert Sensor.objects.filter(interface=interface).count() == 8
    assert Sensor.objects.get(interface=interface, key="storage.1").status == "critical"
    assert [cause.key for cause in StatusCause.objects.filter(component=interface.component)] == ["storage.1"]
    assert Component.objects.get(pk=interface.component_id).status == "critical"


def test_a_dead_address_is_not_asked_while_the_sweep_hears_nothing(monkeypatch):
    interface = fake_device()
    ManagementInterface.objects.filter(pk=interface.pk).update(failures=3, last_error_code="unreachable")
    Liveness.objects.create(
        component=interface.component,
        address=interface.address,
        answers=False,
        since=timezone.now(),
        ever_answered=True,
    )
    monkeypatch.setattr(liveness, "is_current", lambda: True)
    before = contact.connections[interface.pk, "poll"]
    (error,) = polling.poll([interface.pk]).values()
    assert str(error) == asking.SILENT % {"address": interface.address}
    assert contact.connections[interface.pk, "poll"] == before

    # Whoever asks by hand is not told what the sweep thinks.
    assert polling.poll([interface.pk], even_silent=True) == {interface.pk: None}
    ManagementInterface.objects.filter(pk=interface.pk).update(failures=3, last_error_code="unreachable")

    # Somebody who never answered a ping may still answer his driver.
    Liveness.objects.update(ever_answered=False)
    assert polling.poll([interface.pk]) == {interface.pk: None}


def test_values_are_stale_after_two_and_a_half_periods():
    interface = fake_device()
    polling.poll([interface.pk])
    assert not any(view.stale for view in readings.latest(interface.component))
    LastValues.objects.update(measured_at=timezone.now() - timedelta(seconds=1499))
    assert not any(view.stale for view in readings.latest(interface.component))
    LastValues.objects.update(measured_at=timezone.now() - timedelta(seconds=1501))
    assert all(view.stale for view in readings.latest(interface.component))


def test_a_longer_interval_makes_the_same_age_fresh():
    interface = fake_device()
    polling.poll([interface.pk])
    LastValues.objects.update(measured_at=timezone.now() - timedelta(seconds=1501))
    options.set_value("MONITORING_INTERVAL", 1200, SYSTEM)
    assert not any(view.stale for view in readings.latest(interface.component))


def test_removing_a_component_leaves_nothing_behind():
    interface = fake_device()
    polling.poll([interface.pk])
    Limit.objects.create(interface=interface, key="cpu", upper_warning=1)
    Component.objects.get(pk=interface.component_id).delete()
    for model in (Sample, LastValues, LastPorts, Sensor, Limit):
        assert not model.objects.exists()


def test_limits_are_read_once_for_a_shard():
    interface = fake_device()
    Limit.objects.create(interface=interface, key="cpu", lower_warning=0, upper_critical=50)
    assert polling.own_limits([interface.pk]) == {interface.pk: {"cpu": Limits(lower_warning=0.0, upper_critical=50.0)}}


def test_sensors_that_a_device_drops_are_marked_gone_and_come_back():
    interface = fake_device(sensors=4)
    polling.poll([interface.pk])
    ManagementInterface.objects.filter(pk=interface.pk).update(parameters={"sensors": 2})
    polling.poll([interface.pk])
    gone = Sensor.objects.filter(interface=interface).exclude(gone_at=None)
    assert sorted(gone.values_list("key", flat=True)) == ["sensor.3", "sensor.4"]
    assert len(readings.latest(interface.component)) == 6
    ManagementInterface.objects.filter(pk=interface.pk).update(parameters={"sensors": 4})
    polling.poll([interface.pk])
    assert not gone.all().exists()
    assert Sensor.objects.filter(interface=interface).count() == 8


def test_the_number_of_queries_does_not_grow_with_the_devices():
    few = [fake_device().pk for _ in range(2)]
    many = [fake_device().pk for _ in range(60)]
    polling.poll([*few, *many])
    with CaptureQueriesContext(connection) as for_few:
        polling.poll(few)
    with CaptureQueriesContext(connection) as for_many:
        polling.poll(many)
    assert len(for_many) <= len(for_few) + 2


def test_two_interfaces_of_one_component_keep_their_own_values():
    component = make_component()
    credential = make_credential("password")
    one, two = (make_interface(component, polled=False, driver="fake", credential=credential) for _ in range(2))
    polling.poll([one.pk, two.pk])
    views = readings.latest(component)
    assert [view.interface_id for view in views] == [one.pk] * 8 + [two.pk] * 8
    assert len({view.id for view in views}) == 16


@pytest.mark.parametrize(
    ("limit", "seconds"), [(None, 20.0), (3, 20.0), (8, 20.0), (60, 72.0), (600, 180.0), (0, 180.0)]
)
def test_a_device_that_somebody_said_is_slow_may_take_longer(limit, seconds):
    parameters = {} if limit is None else {"section_limit": limit}
    interface = make_interface(driver="redfish", address="192.0.2.1", parameters=parameters)
    (line,) = contact.lines([interface], contact.POLL)
    assert asking.prolonged(line, 20.0) == seconds
