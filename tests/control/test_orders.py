"""Orders reach a device once, are done when they are seen, and say how it went when they are not."""

import socket
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from apps.components import contact, noting
from apps.components.models import Component, InventoryItem, ManagementInterface, Reservation
from apps.components.services import reservations
from apps.control import tasks
from apps.control.conversations import Talks
from apps.control.orders import CAP_UNTOLD, INTERRUPT_UNTOLD, LAMP_UNTOLD, RESTART_UNSEEN, RESTART_UNTOLD
from apps.control.services import running
from apps.control.settings import services as settings_services
from apps.core import jobs, options
from apps.core.models import Job, JobStep
from apps.drivers.fake.driver import FakeDriver
from apps.monitoring.services import polling
from apps.protocols.errors import Unreachable
from apps.protocols.wake_on_lan import magic_packet
from tests.control.conftest import machine, order, received, run
from tests.factories import make_component, make_interface

pytestmark = pytest.mark.django_db


def ended(step: JobStep) -> tuple[str, str, str]:
    return step.state, step.code, str(step.message)


@pytest.mark.parametrize(
    ("power", "operation", "arguments", "order_taken", "seen"),
    [
        ("off", "power", {"action": "on"}, "power on", "It is on."),
        ("on", "power", {"action": "off"}, "power off", "It is off."),
        ("on", "power", {"action": "shutdown"}, "power shutdown", "It is off."),
        ("on", "power", {"action": "cycle"}, "power cycle", "It was off, and is on again."),
        ("on", "power", {"action": "reset"}, "power reset", "It has started anew, and is on."),
        ("on", "power", {"action": "reboot"}, "power reboot", "It has started anew, and is on."),
        ("on", "power", {"action": "nmi"}, "power nmi", "The interrupt has reached the machine."),
        ("on", "boot", {"device": "pxe"}, "boot pxe", "It is set to start from the network (PXE)."),
        ("on", "boot", {"device": "disk", "once": False}, "boot disk always", "It is set to start from the disk."),
        ("on", "lamp", {}, "lamp on", "The lamp is lit."),
        ("on", "clear_log", {}, "clear log", "The event log is empty. Entries before: 3."),
    ],
)
def test_an_order_reaches_the_device_once_and_is_done_when_it_is_seen(
    admin, queued, power, operation, arguments, order_taken, seen
):
    device = machine(power=power)
    (step,) = run(order(admin, [device], operation, **arguments))
    assert ended(step) == ("done", "", seen)
    assert received(device) == [order_taken]
    assert Job.objects.get().state == "done"
    assert not Reservation.objects.exists()


def test_what_is_so_already_is_not_ordered(admin, queued):
    device = machine(power="off")
    (step,) = run(order(admin, [device], action="shutdown"))
    assert ended(step) == ("done", "", "It was off already: nothing was ordered.")
    assert received(device) == []


def test_what_is_off_cannot_be_restarted(admin, queued):
    device = machine(power="off")
    (step,) = run(order(admin, [device], action="reset"))
    assert ended(step) == ("failed", "device_error", f"{device.address} is off: there is nothing to restart.")
    assert received(device) == []


def test_a_slow_machine_is_looked_at_until_it_is_seen(admin, queued):
    device = machine(obedience="late")
    (step,) = run(order(admin, [device], action="shutdown"))
    assert ended(step) == ("done", "", "It is off.")
    assert received(device) == ["power shutdown"]
    assert contact.connections[device.pk, "power"] == 4
    device.component.refresh_from_db()
    assert device.component.power_state == "off"


def test_an_order_that_is_never_seen_is_not_confirmed(admin, queued, impatient):
    device = machine(obedience="deaf")
    (step,) = run(order(admin, [device], action="off"))
    assert ended(step)[:2] == ("failed", "not_confirmed")
    assert received(device) == ["power off"]
    device.component.refresh_from_db()
    assert device.component.power_state == "on"


@pytest.mark.parametrize(
    ("device", "told", "code"),
    [("pxe", False, "not_confirmed"), ("pxe", None, ""), ("pxe", True, ""), ("none", False, "")],
)
def test_a_boot_device_counts_as_set_in_the_mode_that_was_wanted(
    admin, queued, impatient, monkeypatch, device, told, code
):
    set_boot = FakeDriver.set_boot
    monkeypatch.setattr(FakeDriver, "set_boot", lambda driver, wanted: set_boot(driver, replace(wanted, uefi=told)))
    (step,) = run(order(admin, [machine()], "boot", device=device, uefi=True))
    assert step.code == code


@pytest.mark.parametrize(
    ("action", "traces", "obedience", "told"),
    [
        ("reset", "counted", "deaf", RESTART_UNSEEN),
        ("reset", "none", "prompt", RESTART_UNTOLD),
        ("reboot", "counted", "deaf", RESTART_UNSEEN),
        ("cycle", "counted", "deaf", RESTART_UNSEEN),
        ("cycle", "none", "deaf", RESTART_UNSEEN),
        ("nmi", "counted", "deaf", INTERRUPT_UNTOLD),
        ("nmi", "none", "prompt", INTERRUPT_UNTOLD),
    ],
)
def test_a_restart_that_nothing_shows_is_not_confirmed(admin, queued, impatient, action, traces, obedience, told):
    device = machine(traces=traces, obedience=obedience)
    (step,) = run(order(admin, [device], action=action))
    assert ended(step) == ("failed", "not_confirmed", str(told))
    assert received(device) == [f"power {action}"]


def test_a_machine_that_was_seen_off_in_between_has_been_cycled_whatever_its_controller_tells(admin, queued):
    (step,) = run(order(admin, [machine(traces="none")], action="cycle"))
    assert ended(step) == ("done", "", "It was off, and is on again.")


def test_a_slow_restart_is_looked_for_until_it_is_seen(admin, queued):
    device = machine(obedience="late")
    (step,) = run(order(admin, [device], action="reboot"))
    assert ended(step) == ("done", "", "It has started anew, and is on.")
    assert contact.connections[device.pk, "power"] == 4
    component = Component.objects.get(pk=device.component_id)
    assert component.restart_cause == "Ordered through the controller"


@pytest.mark.parametrize(
    ("operation", "read", "told"), [("lamp", "read_lamp", LAMP_UNTOLD), ("cap", "read_power_drawn", CAP_UNTOLD)]
)
def test_what_a_controller_does_not_tell_is_not_done(admin, queued, monkeypatch, operation, read, told):
    async def nothing(driver):
        return None

    monkeypatch.setattr(FakeDriver, read, nothing)
    (step,) = run(order(admin, [machine()], operation, **({"watts": 300} if operation == "cap" else {})))
    assert ended(step) == ("failed", "not_confirmed", str(told))


def test_controllers_that_do_not_tell_stop_no_job(admin, queued, impatient):
    options.set_value("operation_concurrency", 1, admin)
    options.set_value("operation_failures", 1, admin)
    devices = [machine(traces="none") for _ in range(3)]
    steps = run(order(admin, devices, action="reset"))
    assert [step.code for step in steps] == ["not_confirmed"] * 3


def test_whether_a_silent_controller_took_the_order_is_unknown_also_where_it_tells_nothing(
    admin, queued, impatient, monkeypatch
):
    switch = FakeDriver.set_power

    async def fall_silent(driver, action):
        await switch(driver, action)
        raise Unreachable("%(address)s does not answer", address=driver.target.address)

    monkeypatch.setattr(FakeDriver, "set_power", fall_silent)
    (step,) = run(order(admin, [machine(traces="none")], action="reset"))
    assert step.code == "outcome_unknown"


def test_a_refusal_keeps_the_words_of_the_device(admin, queued):
    device = machine(obedience="refusing")
    (step,) = run(order(admin, [device], action="off"))
    assert ended(step) == ("failed", "device_error", f"{device.address} refuses the order")
    assert str(step.remedy) == "The device itself refused: see its own page or its event log."


def test_after_a_power_order_the_component_is_polled_soon(admin, queued):
    device = machine()
    other = make_interface(device.component)
    later = timezone.now() + timedelta(minutes=9)
    ManagementInterface.objects.update(next_poll_at=later)
    run(order(admin, [device], action="off"))
    soon = timezone.now() + timedelta(seconds=10)
    assert all(row.next_poll_at < soon for row in ManagementInterface.objects.filter(pk__in=[device.pk, other.pk]))


def test_the_first_enabled_interface_that_can_is_used(admin, queued):
    component = make_component()
    make_interface(component)
    switched_off, used, spare = machine(component), machine(component), machine(component)
    ManagementInterface.objects.filter(pk=switched_off.pk).update(enabled=False)
    run(order(admin, [used], action="off"))
    assert [received(one) for one in (switched_off, used, spare)] == [[], ["power off"], []]


def test_of_two_orders_at_once_the_second_is_refused(admin, queued, monkeypatch):
    device = machine()
    first, second = order(admin, [device], action="off"), order(admin, [device], action="cycle")
    hear, late = Talks.next, []

    def hear_later(talks, timeout):
        if not late:
            late.append(run(second))
        return hear(talks, timeout)

    monkeypatch.setattr(Talks, "next", hear_later)
    (done,) = run(first)
    ((refused,),) = late
    assert ended(done) == ("done", "", "It is off.")
    told = f"{admin.user.username} (#{first.pk}) holds this interface for: power."
    assert ended(refused) == ("failed", "already_running", told)
    assert received(device) == ["power off"]


def meanwhile(monkeypatch, begin):
    """Have something begun as soon as an order is under way."""
    hear, late = Talks.next, []

    def hear_later(talks, timeout):
        if not late:
            late.append(None)
            late.append(begin())
        return hear(talks, timeout)

    monkeypatch.setattr(Talks, "next", hear_later)
    return late


@pytest.mark.parametrize(("operation", "arguments"), [("cap", {"watts": 300}), ("power", {"action": "cycle"})])
def test_two_ways_to_one_machine_take_one_order_at_a_time(admin, queued, monkeypatch, operation, arguments):
    component = make_component()
    device, other = machine(component), machine(component)
    first, second = order(admin, [device], action="off"), order(admin, [device], operation, **arguments)
    JobStep.objects.filter(job=second).update(interface=other.pk)
    late = meanwhile(monkeypatch, lambda: run(second))
    (done,) = run(first)
    (refused,) = late[1]
    assert ended(done) == ("done", "", "It is off.")
    assert refused.code == "already_running"
    told = f"{admin.user.username} (#{first.pk}) holds another way to this machine for: power."
    assert str(refused.message) == told
    assert (received(device), received(other)) == (["power off"], [])
    assert not Reservation.objects.exists()
    (after,) = run(order(admin, [device], operation, **arguments))
    assert after.code != "already_running"


def test_settings_are_read_beside_an_order_by_another_way(admin, queued, monkeypatch):
    component = make_component()
    device, other = machine(component), machine(component)
    first, second = order(admin, [device], action="off"), settings_services.read([component], admin)
    JobStep.objects.filter(job=second).update(interface=other.pk)
    late = meanwhile(monkeypatch, lambda: run(second))
    assert [step.state for step in run(first)] == ["done"]
    assert [step.state for step in late[1]] == ["done"]


def test_a_second_waking_is_refused_also_where_nobody_sees_whether_it_was_done(admin, queued, monkeypatch, sleeper):
    options.set_value("wake_addresses", ["127.0.0.1"], admin)
    options.set_value("wake_port", sleeper.getsockname()[1], admin)
    blind = machine()
    ManagementInterface.objects.filter(pk=blind.pk).update(
        enabled=False, identity={"mac_addresses": ["02:00:5e:00:53:01"]}
    )
    first, second = order(admin, [blind], "wake"), order(admin, [blind], "wake")
    late = meanwhile(monkeypatch, lambda: run(second))
    (sent,) = run(first)
    (refused,) = late[1]
    assert (sent.interface, sent.code) == (None, "not_confirmed")
    assert refused.code == "already_running"
    assert not Reservation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_reserve_two_ways_to_one_machine_at_the_same_moment_one_wins():
    component = make_component()
    ways = [machine(component), machine(component)]
    together, won = threading.Barrier(2, timeout=30), []

    def reserve(number, interface):
        try:
            together.wait()
            if reservations.reserve(interface.pk, "power", f"worker {number}", timedelta(minutes=1), beside=()):
                won.append(number)
        finally:
            connections.close_all()

    for _ in range(10):
        Reservation.objects.all().delete()
        won.clear()
        workers = [threading.Thread(target=reserve, args=both) for both in enumerate(ways)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert len(won) == 1


def test_an_update_that_holds_the_device_is_told_by_name(admin, queued):
    device = machine()
    reservations.reserve(device.pk, "update", "alice", timedelta(minutes=5))
    (step,) = run(order(admin, [device], action="off"))
    assert ended(step) == ("failed", "already_running", "alice holds this interface for: update.")
    assert contact.connections[device.pk, "power"] == 0


def test_an_open_console_keeps_no_order_away(admin, queued):
    device = machine()
    reservations.reserve(device.pk, "console", "alice", timedelta(minutes=5))
    (step,) = run(order(admin, [device], action="off"))
    assert step.state == "done"
    assert received(device) == ["power off"]


def test_a_worker_that_dies_switches_nothing_twice(admin, queued, monkeypatch):
    devices = [machine(make_component(f"server{number}")) for number in (1, 2, 3)]
    options.set_value("operation_concurrency", 1, admin)
    options.set_value("operation_failures", 1, admin)
    job = order(admin, devices, action="reset")
    taken: list[str] = []
    switch = FakeDriver.set_power

    async def write_down(driver, action):
        taken.append(driver.target.address)
        await switch(driver, action)

    def die(outcomes):
        raise SystemExit

    monkeypatch.setattr(FakeDriver, "set_power", write_down)
    with monkeypatch.context() as dying:
        dying.setattr(noting, "note", die)
        with pytest.raises(SystemExit):
            tasks.run_operation.run(job.pk)
    assert taken == [devices[0].address]
    JobStep.objects.filter(state="running").update(deadline_at=timezone.now() - timedelta(seconds=1))
    jobs.watch()
    assert queued == [job.pk]  # another worker goes on with what waits
    steps = run(job)
    assert [(step.state, step.code) for step in steps] == [
        ("failed", "outcome_unknown"),
        ("done", ""),
        ("done", ""),
    ]
    assert str(steps[0].remedy) == "Look at the device before you repeat this: it may have been done."
    assert taken == [device.address for device in devices]
    job.refresh_from_db()
    assert (job.state, job.failed) == ("done", 1)


@pytest.mark.parametrize(("obedience", "code"), [("prompt", ""), ("deaf", "outcome_unknown")])
def test_a_device_that_falls_silent_over_an_order_is_only_looked_at(
    admin, queued, impatient, monkeypatch, obedience, code
):
    device = machine(obedience=obedience)
    switch, taken = FakeDriver.set_power, []

    async def fall_silent(driver, action):
        taken.append(action)
        await switch(driver, action)
        raise Unreachable("%(address)s does not answer", address=driver.target.address)

    monkeypatch.setattr(FakeDriver, "set_power", fall_silent)
    (step,) = run(order(admin, [device], action="off"))
    assert step.code == code
    assert taken == ["off"]


def test_a_job_stops_when_too_many_have_failed(admin, queued):
    options.set_value("operation_concurrency", 1, admin)
    options.set_value("operation_failures", 2, admin)
    devices = [machine(make_component(f"server{number}"), fault="refusing") for number in range(5)]
    steps = run(order(admin, devices, action="off"))
    assert [step.state for step in steps] == ["failed", "failed", "cancelled", "cancelled", "cancelled"]
    assert str(steps[4].message) == "Not begun, because others failed before: 2."
    assert [contact.connections[device.pk, "power"] for device in devices] == [1, 1, 0, 0, 0]
    assert Job.objects.get().state == "failed"


def test_no_more_than_so_many_are_ordered_at_once(admin, queued, monkeypatch):
    options.set_value("operation_concurrency", 3, admin)
    begun: list[int] = []
    most = [0]
    begin, hear = Talks.begin, Talks.next

    def count(talks, key, *rest):
        begun.append(key)
        most[0] = max(most[0], len(begun))
        begin(talks, key, *rest)

    def ends(talks, timeout):
        told = hear(talks, timeout)
        if told is not None:
            begun.remove(told[0])
        return told

    monkeypatch.setattr(Talks, "begin", count)
    monkeypatch.setattr(Talks, "next", ends)
    steps = run(order(admin, [machine() for _ in range(8)], action="off"))
    assert [step.state for step in steps] == ["done"] * 8
    assert most == [3]


def test_cancelling_ends_the_wait_and_frees_the_device(admin, queued, monkeypatch):
    device = machine(obedience="deaf")
    waiting = machine()
    options.set_value("operation_concurrency", 1, admin)
    job = order(admin, [device, waiting], action="shutdown")
    hear = Talks.next

    def hear_and_cancel(talks, timeout):
        jobs.cancel(job, admin)
        return hear(talks, timeout)

    monkeypatch.setattr(Talks, "next", hear_and_cancel)
    first, second = run(job)
    assert ended(first) == (
        "failed",
        "not_confirmed",
        "The order was taken. The job was cancelled before it was seen to be done.",
    )
    assert second.state == "cancelled"
    assert received(waiting) == []
    assert not Reservation.objects.exists()
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_polls_go_on_while_a_shutdown_is_looked_for_and_a_second_order_is_refused(admin, queued, monkeypatch):
    device = machine(obedience="deaf")
    job = order(admin, [device], action="shutdown")
    hear, told = Talks.next, []

    def look_around(talks, timeout):
        held = Reservation.objects.filter(lets_read=True).exists()
        if held and not told:
            polled = {
                purpose: contact.lines([device], purpose)[0].refusal for purpose in ("poll", "check", "inventory")
            }
            (second,) = run(order(admin, [device], action="off"))
            told.append((polled, ended(second), polling.poll([device.pk])))
            jobs.cancel(job, admin)
        return hear(talks, timeout)

    monkeypatch.setattr(Talks, "next", look_around)
    (first,) = run(job)
    assert told == [
        (
            {"poll": None, "check": None, "inventory": None},
            ("failed", "already_running", f"{admin.short_name} (#{job.pk}) holds this interface for: power."),
            {device.pk: None},
        )
    ]
    assert ended(first)[:2] == ("failed", "not_confirmed")
    assert received(device) == ["power shutdown"]
    device.refresh_from_db()
    assert device.last_polled_at is not None
    assert not Reservation.objects.exists()


def test_a_long_job_is_handed_on_to_another_task(admin, queued, monkeypatch):
    options.set_value("operation_concurrency", 1, admin)
    devices = [machine(), machine()]
    job = order(admin, devices, action="off")
    monkeypatch.setattr(running, "HAND_ON_AFTER", -1.0)
    run(job)
    assert queued == [job.pk]
    assert [received(device) for device in devices] == [[], []]


def test_an_interface_that_went_meanwhile_is_skipped(admin, queued):
    device = machine()
    job = order(admin, [device], action="off")
    ManagementInterface.objects.all().delete()
    (step,) = run(job)
    assert ended(step) == ("skipped", "", "The interface was removed meanwhile.")


@pytest.fixture
def sleeper():
    """Give a UDP socket that listens for what wakes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        yield listener


def test_waking_sends_the_magic_packet_of_every_known_card(admin, queued, impatient, sleeper):
    options.set_value("wake_addresses", ["127.0.0.1"], admin)
    options.set_value("wake_port", sleeper.getsockname()[1], admin)
    device = machine(power="off")
    ManagementInterface.objects.filter(pk=device.pk).update(identity={"mac_addresses": ["02:00:5E:00:53:01"]})
    InventoryItem.objects.create(
        interface=device, kind="network", key="eth1", name="eth1", details={"MAC address": "02:00:5e:00:53:02"}
    )
    (step,) = run(order(admin, [device], "wake"))
    packets = {sleeper.recv(200) for _ in range(6)}
    assert packets == {magic_packet("02:00:5e:00:53:01"), magic_packet("02:00:5e:00:53:02")}
    assert ended(step)[:2] == ("failed", "not_confirmed")


def test_a_machine_that_is_seen_on_was_woken(admin, queued, sleeper):
    options.set_value("wake_addresses", ["127.0.0.1"], admin)
    options.set_value("wake_port", sleeper.getsockname()[1], admin)
    device = machine(power="on")
    ManagementInterface.objects.filter(pk=device.pk).update(identity={"mac_addresses": ["02:00:5e:00:53:01"]})
    (step,) = run(order(admin, [device], "wake"))
    assert ended(step) == ("done", "", "It is on.")
    assert Component.objects.get(pk=device.component_id).power_state == "on"
