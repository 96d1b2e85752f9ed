"""Changes of status are kept for so many days; the last one of each component says since when it is so, and stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.components.models import StatusChange
from apps.components.services import status_history
from apps.components.tasks import remove_old_status_changes
from apps.core.models import AuditEntry
from tests.factories import make_component

pytestmark = pytest.mark.django_db


def changed(component: object, *days: int) -> None:
    """Have a component's status changed so many days ago."""
    for ago in days:
        at = timezone.now() - timedelta(days=ago)
        StatusChange.objects.create(component=component, at=at, old="normal", new="warning")


def kept(component: object) -> list[int]:
    return [(timezone.now() - one.at).days for one in StatusChange.objects.filter(component=component)]


def test_old_ones_go_but_for_the_last_of_each(monkeypatch):
    monkeypatch.setattr(status_history, "AT_ONCE", 2)
    busy, quiet = make_component("busy"), make_component("quiet")
    changed(busy, 1500, 1400, 1300, 1200, 1000, 3)
    changed(quiet, 2000, 1900)
    remove_old_status_changes()
    assert (kept(busy), kept(quiet)) == ([3, 1000], [1900])
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_kind, entry.after["entries"]) == ("status-change.forget", "schedule", 5)
    remove_old_status_changes()
    assert AuditEntry.objects.count() == 1


def test_zero_keeps_them_for_ever():
    component = make_component()
    changed(component, 4000, 3000)
    assert status_history.remove_old(0) == 0
    assert kept(component) == [3000, 4000]
