"""A check of connections says at which stage each interface failed and what to do; a refresh asks the collectors."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest
from django.utils import translation

from apps.components import contact, extensions, tasks
from apps.components.models import ManagementInterface
from apps.components.services import checks, reservations
from apps.core import jobs
from apps.core.models import Job, JobStep
from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.drivers.fake.driver import FakeDriver
from apps.protocols.errors import DeviceError, Unreachable
from tests.factories import make_component, make_credential, make_interface

pytestmark = pytest.mark.django_db


@contextmanager
def silent_port():
    """Bind a UDP port that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


@contextmanager
def babbling_port(answer: bytes):
    """Bind a UDP port that answers every datagram with the same bytes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)

        def babble() -> None:
            try:
                while True:
                    _asked, sender = listener.recvfrom(65535)
                    if sender == listener.getsockname():
                        return
                    listener.sendto(answer, sender)
            except TimeoutError:
                return

        thread = threading.Thread(target=babble)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.sendto(b"", listener.getsockname())
            thread.join()


def closed_port() -> int:
    """Give a UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as once:
        once.bind(("127.0.0.1", 0))
        return once.getsockname()[1]


def run(component, admin, queued) -> list[JobStep]:
    job = checks.check([component], admin)
    tasks.run_check.run(job.pk)
    return list(JobStep.objects.filter(job=job).order_by("pk"))


def fake(component, fault="none", **fields):
    return make_interface(
        component, driver="fake", credential=make_credential(), parameters={"fault": fault}, port=9, **fields
    )


def test_each_interface_ends_with_its_own_stage_code_and_remedy(admin, queued):
    component = make_component("web01")
    for number, fault in enumerate(("none", "refusing", "silent", "denied", "garbage", "old"), start=1):
        fake(component, fault, address=f"127.0.0.{number}")
    make_interface(component, driver="fake", address="127.0.0.1", enabled=False)
    steps = run(component, admin, queued)
    assert [(step.state, step.stage, step.code) for step in steps] == [
        ("done", "", ""),
        ("failed", "port", "unreachable"),
        ("failed", "sign-in", "unreachable"),
        ("failed", "sign-in", "authentication_failed"),
        ("failed", "protocol", "device_error"),
        ("failed", "protocol", "unsupported"),
        ("failed", "sign-in", "authentication_failed"),
    ]
    assert str(steps[0].message) == "Answers: fake"
    assert str(steps[1].message) == "Nothing listens on port 9 of 127.0.0.2"
    assert str(steps[6].message) == "No credential is set for this interface."
    assert all(bool(step.remedy) == (step.state == "failed") for step in steps)
    job = Job.objects.get()
    assert (job.state, job.total, job.finished, job.failed) == ("done", 7, 7, 6)


def test_a_name_that_nobody_knows_fails_at_the_first_stage(admin, queued):
    component = make_component()
    interface = fake(component, address="no-such-host.invalid")
    (step,) = run(component, admin, queued)
    assert (step.state, step.stage, step.code) == ("failed", "name", "unreachable")
    assert str(step.message) == "The name no-such-host.invalid is not known."
    assert contact.connections[interface.pk, contact.CHECK] == 0
    assert Job.objects.get().state == "failed"


def test_real_sockets_tell_a_closed_port_from_a_silent_and_a_babbling_one(admin, queued):
    component = make_component()
    credential = make_credential()
    with silent_port() as silent, babbling_port(b"\x30\x03\x02\x01") as babbling:
        for port in (closed_port(), silent, babbling):
            make_interface(component, driver="snmp_agent", address="127.0.0.1", port=port, credential=credential)
        closed_step, silent_step, babbling_step = run(component, admin, queued)
    assert (closed_step.stage, closed_step.code) == ("port", "unreachable")
    assert (silent_step.stage, silent_step.code) == ("sign-in", "unreachable")
    assert "no answer: address, community or privacy key" in str(silent_step.message).lower()
    assert babbling_step.state == "failed"
    assert (babbling_step.stage, babbling_step.code) in {("sign-in", "unreachable"), ("protocol", "device_error")}


def test_asking_by_hand_offers_a_latched_credential_and_success_opens_it(admin, queued):
    component = make_component()
    interface = fake(component, refused_version=1, address="127.0.0.1")
    type(interface.credential).objects.update(latched_version=1)
    (step,) = run(component, admin, queued)
    assert step.state == "done"
    interface.refresh_from_db()
    assert (interface.refused_version, interface.credential.latched_version) == (None, None)


def test_a_reserved_interface_is_told_as_busy_and_not_asked(admin, queued):
    from datetime import timedelta

    component = make_component()
    interface = fake(component, address="127.0.0.1")
    reservations.reserve(interface.pk, "update", "alice", timedelta(minutes=1))
    (step,) = run(component, admin, queued)
    assert (step.state, step.code) == ("failed", "already_running")
    assert contact.connections[interface.pk, contact.CHECK] == 0


def test_a_cancelled_check_asks_nobody(admin, queued):
    component = make_component()
    interface = fake(component, address="127.0.0.1")
    job = checks.check([component], admin)
    jobs.cancel(job, admin)
    tasks.run_check.run(job.pk)
    assert contact.connections[interface.pk, contact.CHECK] == 0
    assert JobStep.objects.get().state == "cancelled"


def test_a_second_worker_does_not_ask_again(admin, queued):
    component = make_component()
    interface = fake(component, address="127.0.0.1")
    job = checks.check([component], admin)
    tasks.run_check.run(job.pk)
    tasks.run_check.run(job.pk)
    assert contact.connections[interface.pk, contact.CHECK] == 1


def test_an_interface_that_went_meanwhile_is_skipped(admin, queued):
    component = make_component()
    fake(component, address="127.0.0.1")
    job = checks.check([component], admin)
    ManagementInterface.objects.all().delete()
    tasks.run_check.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.skipped) == ("done", 1)


def test_a_component_without_interfaces_has_nothing_to_check(admin, queued):
    job = checks.check([make_component()], admin)
    assert (job.state, job.total) == ("done", 0)
    assert job.started_at == job.finished_at == job.created_at
    assert queued == []


def test_many_interfaces_are_asked_at_the_same_time(admin, queued, monkeypatch):
    component, credential = make_component(), make_credential()
    for number in range(20):
        make_interface(component, driver="fake", address=f"127.0.1.{number}", credential=credential)
    all_there = asyncio.Barrier(20)

    async def meet(device):
        async with asyncio.timeout(20):
            await all_there.wait()
        return ()

    monkeypatch.setattr(FakeDriver, "check", meet)
    assert {step.state for step in run(component, admin, queued)} == {"done"}


def test_every_stage_and_code_that_can_fail_has_a_remedy():
    for stage in ("name", "route", "port", "sign-in", "protocol"):
        assert ((stage, "unreachable") in checks.REMEDIES) is True
    assert {code for _stage, code in checks.REMEDIES} | {"already_running"} == checks.BY_CODE.keys()
    with translation.override("en"):
        assert all(isinstance(remedy, Phrase) and str(remedy) for remedy in checks.REMEDIES.values())


@pytest.fixture
def collectors(monkeypatch):
    registry = Registry("collector")
    monkeypatch.setattr(extensions, "collectors", registry)
    return registry


def test_a_refresh_asks_the_collectors_for_enabled_interfaces(admin, queued, collectors):
    component = make_component()
    well, ill = fake(component), fake(component)
    fake(component, enabled=False)
    asked = []

    def collect(ids):
        asked.append(list(ids))
        return {well.pk: None, ill.pk: Unreachable("%(address)s is silent", address="x")}

    collectors.add("poll", collect)
    collectors.add("more", lambda ids: {well.pk: None})
    job = checks.refresh([component], admin)
    tasks.run_refresh.run(job.pk)
    assert asked == [[well.pk, ill.pk]]
    steps = JobStep.objects.filter(job=job).order_by("pk")
    assert [(step.state, step.code, str(step.message)) for step in steps] == [
        ("done", "", "Values and inventory were read."),
        ("failed", "unreachable", "x is silent"),
    ]


def test_the_first_error_of_several_collectors_counts(admin, queued, collectors):
    component = make_component()
    interface = fake(component)
    collectors.add("poll", lambda ids: {interface.pk: DeviceError("Broken")})
    collectors.add("more", lambda ids: {interface.pk: None})
    tasks.run_refresh.run(checks.refresh([component], admin).pk)
    assert JobStep.objects.get().code == "device_error"


def test_what_nobody_collects_is_skipped(admin, queued, collectors):
    component = make_component()
    fake(component)
    tasks.run_refresh.run(checks.refresh([component], admin).pk)
    step = JobStep.objects.get()
    assert (step.state, step.code) == ("skipped", "unsupported")


def test_checks_go_to_the_queue_of_control(admin, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    for name in ("run_check", "run_refresh"):
        monkeypatch.setattr(getattr(tasks, name), "apply_async", lambda args, **how: sent.append((args, how)))
    component = make_component()
    fake(component)
    with django_capture_on_commit_callbacks(execute=True):
        check, refresh = checks.check([component], admin), checks.refresh([component], admin)
    assert sent == [((job.pk,), {"queue": "control", "expires": 600}) for job in (check, refresh)]
