"""The clock's tasks: they carry ids only, go to their queues, expire, and are worked on once."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from apps.components.models import ManagementInterface
from apps.monitoring import tasks
from apps.monitoring.models import Sample
from apps.monitoring.services import event_loop
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    messages: list[tuple[str, tuple, dict]] = []
    for task in (tasks.poll_shard, tasks.read_inventory):
        monkeypatch.setattr(
            task, "apply_async", lambda args, name=task.name, **options: messages.append((name, args, options))
        )
    return messages


def test_a_tick_hands_out_ids_of_polls_and_inventories_and_each_device_once(sent):
    both, polled, listed = [fake_device().pk for _ in range(3)]
    later = timezone.now() + timedelta(hours=1)
    ManagementInterface.objects.filter(pk=polled).update(next_inventory_at=later)
    ManagementInterface.objects.filter(pk=listed).update(next_poll_at=later)
    tasks.tick()
    (poll, poll_args, poll_options), (inventory, inventory_args, inventory_options) = sent
    assert (poll, inventory) == ("apps.monitoring.tasks.poll_shard", "apps.monitoring.tasks.read_inventory")
    assert (sorted(poll_args[0]), poll_args[1], inventory_args) == ([both, polled], [both], ([listed],))
    assert poll_options["queue"] == inventory_options["queue"] == "poll"
    assert 540 < poll_options["expires"] < 600
    tasks.tick()
    assert len(sent) == 2


def test_a_fast_round_expires_before_the_next_one(sent, monkeypatch):
    monkeypatch.setattr("apps.monitoring.services.presence.anybody_signed_in", lambda: True)
    ups = fake_device(category="ups")
    ManagementInterface.objects.update(next_inventory_at=timezone.now() + timedelta(hours=1))
    tasks.tick()
    ((_task, args, options),) = sent
    assert args == ([ups.pk],)
    assert 50 < options["expires"] < 60


def test_drivers_that_block_have_a_queue_of_their_own(sent, monkeypatch):
    from dataclasses import replace

    from apps.drivers import registry

    specs = {**registry.specs(), "fake": replace(registry.specs()["fake"], blocking=True)}
    monkeypatch.setattr("apps.monitoring.services.claiming.registry.specs", lambda: specs)
    fake_device()
    tasks.tick()
    assert {options["queue"] for _task, _args, options in sent} == {"poll-blocking"}


def test_a_message_that_comes_twice_is_worked_on_once():
    interface = fake_device()
    tasks.poll_shard.apply(([interface.pk],), task_id="the-same")
    tasks.poll_shard.apply(([interface.pk],), task_id="the-same")
    assert Sample.objects.count() == 1
    tasks.poll_shard.apply(([interface.pk],), task_id="another")
    assert Sample.objects.count() == 2


def test_every_entry_of_the_clock_names_a_task_of_ours():
    from celery import current_app

    current_app.loader.import_default_modules()
    mine = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values() if ".monitoring." in entry["task"]}
    assert mine == {
        f"apps.monitoring.tasks.{name}" for name in ("tick", "sweep", "sample_fleet", "roll_up", "forget_old")
    }
    assert all(task in current_app.tasks for task in mine)


def test_the_loop_is_one_for_the_process_and_starts_anew_after_it_was_stopped():
    async def where() -> int:
        import asyncio

        return id(asyncio.get_running_loop())

    first = event_loop.submit(where()).result(5)
    assert event_loop.submit(where()).result(5) == first
    event_loop.stop()
    assert isinstance(event_loop.submit(where()).result(5), int)


def test_a_forked_child_makes_a_loop_of_its_own():
    import os

    async def answer() -> int:
        return 42

    assert event_loop.submit(answer()).result(5) == 42
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if event_loop.submit(answer()).result(5) == 42 else 1)
        except BaseException:
            os._exit(2)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
