"""Emptying the event log of a device: what it forgets is kept."""

import pytest

from apps.components.models import ManagementInterface
from apps.monitoring.models import LoggedEntry, LogPlace
from apps.monitoring.services import polling
from tests.control.conftest import machine, order, received, run

pytestmark = pytest.mark.django_db


def test_what_a_device_wrote_since_the_last_look_is_read_before_its_log_is_emptied(admin, queued):
    device = machine()
    polling.poll([device.pk])
    run(order(admin, [device], "lamp"))  # it writes down what it was ordered
    LogPlace.objects.update(asked_at=LogPlace.objects.get().read_at)
    assert LoggedEntry.objects.filter(interface=device).count() == 3

    (step,) = run(order(admin, [device], "clear_log"))
    assert str(step.message) == "The event log is empty. Entries before: 4."
    assert received(device) == ["lamp on", "clear log"]
    kept = LoggedEntry.objects.filter(interface=device)
    assert [(row.key, row.cleared_at) for row in kept.order_by("pk")] == [(str(n), None) for n in range(1, 5)]
    assert LogPlace.objects.get().asked_at is None  # the poll after the order looks again
    polling.poll([device.pk])
    assert kept.filter(cleared_at__isnull=False).count() == 4
    assert list(kept.filter(cleared_at=None)) == []
    assert LogPlace.objects.get().filled == 0


def test_any_order_has_the_log_read_again_soon(admin, queued):
    device = machine()
    polling.poll([device.pk])
    run(order(admin, [device], "lamp"))
    assert LogPlace.objects.get().asked_at is None
    assert ManagementInterface.objects.get().next_poll_at is not None
    polling.poll([device.pk])
    assert LoggedEntry.objects.order_by("-pk")[0].key == "4"
