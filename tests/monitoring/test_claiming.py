"""Who is due is claimed once, stays on the grid of its period, and backs off when it is dead."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import Session
from apps.components.models import Component, ManagementInterface
from apps.components.services import reservations
from apps.core import options
from apps.core.actors import SYSTEM
from apps.monitoring.services import claiming, periods, presence
from tests import migrated
from tests.factories import make_component, make_interface, make_user
from tests.monitoring.conftest import fake_device

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def claim(db, monkeypatch):
    """Claim at a moment; gives the ids that were claimed."""
    monkeypatch.setattr(presence, "anybody_signed_in", lambda: False)

    def at(moment: datetime) -> list[int]:
        return sorted(pk for shard in claiming.claim_polls(moment) for pk in shard.interface_ids)

    return at


def due(moment: datetime = NOW, category: str = "server", **fields) -> ManagementInterface:
    return make_interface(make_component(category=category), next_poll_at=moment, **fields)


def next_poll(interface: ManagementInterface) -> datetime:
    found = ManagementInterface.objects.values_list("next_poll_at", flat=True).get(pk=interface.pk)
    assert found is not None
    return found


def assert_near(moment: datetime, expected: datetime) -> None:
    assert abs((moment - expected).total_seconds()) < 0.002


def test_what_is_due_is_claimed_once(claim):
    early, late = due(NOW - timedelta(seconds=3)), due(NOW + timedelta(seconds=3))
    assert claim(NOW) == [early.pk]
    assert claim(NOW) == []
    assert claim(NOW + timedelta(seconds=5)) == [late.pk]


def test_the_next_time_stays_on_its_grid(claim):
    interface = due(NOW - timedelta(seconds=7.25))
    claim(NOW)
    assert_near(next_poll(interface), NOW - timedelta(seconds=7.25) + timedelta(seconds=600))


def test_after_an_outage_each_is_polled_once_and_keeps_its_place(claim):
    interface = due(NOW - timedelta(hours=5, seconds=130))
    assert claim(NOW) == [interface.pk]
    assert claim(NOW) == []
    assert_near(next_poll(interface), NOW + timedelta(seconds=600 - 130))


def test_disabled_unmanaged_and_reserved_interfaces_are_not_claimed(claim):
    due(enabled=False)
    unmanaged = due()
    Component.objects.filter(pk=unmanaged.component_id).update(unmanaged=True)
    held = due(timezone.now())
    assert reservations.reserve(held.pk, "console", "anna", timedelta(minutes=5))
    assert claim(timezone.now()) == []
    reservations.release(held.pk, "console", "anna")
    assert claim(timezone.now()) == [held.pk]


@pytest.mark.parametrize(("failures", "seconds"), [(0, 600), (1, 600), (2, 1200), (3, 2400), (4, 3600), (99, 3600)])
def test_a_dead_device_backs_off(claim, failures, seconds):
    interface = due(failures=failures)
    claim(NOW)
    assert_near(next_poll(interface), NOW + timedelta(seconds=seconds))


def test_back_off_never_shortens_a_long_period(claim):
    options.set_value("MONITORING_INTERVAL", 7200, SYSTEM)
    interface = due(failures=9)
    claim(NOW)
    assert_near(next_poll(interface), NOW + timedelta(seconds=7200))


@pytest.mark.parametrize(("category", "signed_in", "seconds"), [
    ("ups", True, 60), ("ups", False, 600), ("network", True, 60), ("computer", True, 60), ("server", True, 600),
])  # fmt: skip
def test_ups_network_and_other_computers_are_polled_quickly_while_somebody_is_signed_in(
    db, monkeypatch, category, signed_in, seconds
):
    monkeypatch.setattr(presence, "anybody_signed_in", lambda: signed_in)
    interface = due(category=category)
    claiming.claim_polls(NOW)
    assert_near(next_poll(interface), NOW + timedelta(seconds=seconds))


def test_zero_means_no_polls_while_nobody_is_signed_in(claim, monkeypatch):
    options.set_value("logoutOtherPcPollingTime", 0, SYSTEM)
    ups, server = due(category="ups"), due()
    assert claim(NOW) == [server.pk]
    monkeypatch.setattr(presence, "anybody_signed_in", lambda: True)
    assert claim(NOW) == [ups.pk]


def test_somebody_who_signs_in_does_not_wait_for_the_slow_period(claim, monkeypatch):
    switch = due(category="network")
    claim(NOW)
    assert_near(next_poll(switch), NOW + timedelta(seconds=600))
    monkeypatch.setattr(presence, "anybody_signed_in", lambda: True)
    claim(NOW + timedelta(seconds=10))
    assert next_poll(switch) <= NOW + timedelta(seconds=70)


def test_an_open_page_makes_its_component_be_polled_now_and_every_minute(claim):
    interface, other = due(), due()
    claim(NOW)
    presence.watch(interface.component_id)
    later = NOW + timedelta(seconds=20)
    assert claim(later + timedelta(seconds=0.01)) == [interface.pk]
    assert_near(next_poll(interface), later + timedelta(seconds=60.01))
    assert_near(next_poll(other), NOW + timedelta(seconds=600))


def test_a_shorter_interval_reaches_those_that_wait(claim):
    interface = due()
    options.set_value("MONITORING_INTERVAL", 86400, SYSTEM)
    claim(NOW)
    options.set_value("MONITORING_INTERVAL", 60, SYSTEM)
    claim(NOW + timedelta(seconds=5))
    assert next_poll(interface) <= NOW + timedelta(seconds=65)


def test_ws_man_is_not_polled_when_the_option_says_so(claim):
    wsman = due(driver="wsman")
    options.set_value("MONITORING_WSMAN_CHECK", False, SYSTEM)
    assert claim(NOW) == []
    options.set_value("MONITORING_WSMAN_CHECK", True, SYSTEM)
    assert claim(NOW) == [wsman.pk]


def test_the_rule_in_python_and_the_rule_in_sql_agree(claim):
    for category in ("server", "ups", "network", "computer", "storage"):
        interface = due(category=category)
        claim(NOW)
        interface = ManagementInterface.objects.select_related("component").get(pk=interface.pk)
        expected = NOW + timedelta(seconds=periods.Periods.now().of(interface))
        assert_near(next_poll(interface), expected)


def test_shards_hold_two_hundred_and_expire_before_the_next_round(claim):
    component = make_component()
    ManagementInterface.objects.bulk_create(
        ManagementInterface(
            component=component, driver="fake", address=f"198.51.{n // 250}.{n % 250}", next_poll_at=NOW
        )
        for n in range(450)
    )
    shards = claiming.claim_polls(NOW)
    assert [len(shard.interface_ids) for shard in shards] == [200, 200, 50]
    assert len({pk for shard in shards for pk in shard.interface_ids}) == 450
    assert {shard.expires_at for shard in shards} == {NOW + timedelta(seconds=600)}


def test_inventory_is_claimed_for_an_hour_by_drivers_that_know_any(db):
    interface = fake_device()
    pinged = make_interface(driver="alert_only", next_inventory_at=NOW)
    ManagementInterface.objects.update(next_inventory_at=NOW)
    (shard,) = claiming.claim_inventories(NOW)
    assert shard.interface_ids == (interface.pk,)
    assert claiming.claim_inventories(NOW) == []
    interface.refresh_from_db()
    pinged.refresh_from_db()
    assert_near(interface.next_inventory_at, NOW + timedelta(hours=1))
    assert pinged.next_inventory_at == NOW


def test_an_idle_session_is_not_a_presence(db):
    user = make_user()

    def session(seconds_ago: int) -> None:
        now = timezone.now()
        Session.objects.create(
            session_key=f"k{seconds_ago}",
            session_data="",
            expire_date=now + timedelta(days=1),
            user=user,
            active_at=now - timedelta(seconds=seconds_ago),
        )
        cache.clear()

    assert presence.anybody_signed_in() is False
    session(86400)
    assert presence.anybody_signed_in() is False
    session(5)
    assert presence.anybody_signed_in() is True


CLAIMER = """
import json, os, sys, time
import django
django.setup()
from datetime import datetime, UTC
from apps.monitoring.services import claiming
time.sleep(max(0.0, float(sys.argv[1]) - time.time() - 0.05))
while time.time() < float(sys.argv[1]):
    pass
ids = [pk for shard in claiming.claim_polls(datetime(2026, 3, 1, 12, tzinfo=UTC)) for pk in shard.interface_ids]
print(json.dumps(ids))
"""
FILLER = """
import django
django.setup()
from datetime import datetime, UTC
from apps.components.models import ManagementInterface
from tests.factories import make_component
component = make_component()
ManagementInterface.objects.bulk_create(
    ManagementInterface(component=component, driver="fake", address=f"198.51.{n // 250}.{n % 250}",
                        next_poll_at=datetime(2026, 3, 1, 11, 59, tzinfo=UTC))
    for n in range(1200)
)
"""


def test_four_processes_share_what_is_due_without_a_double(tmp_path: Path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "ESM_TEST_DATA_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]),
    }
    environment.pop("TEST_DATABASE_URL", None)
    migrated.put(tmp_path)
    subprocess.run([sys.executable, "-c", FILLER], env=environment, check=True, timeout=180)
    begin = str(time.time() + 4)
    claimers = [
        subprocess.Popen([sys.executable, "-c", CLAIMER, begin], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    shares = [json.loads(process.communicate(timeout=180)[0]) for process in claimers]
    claimed = [pk for share in shares for pk in share]
    assert len(claimed) == len(set(claimed)) == 1200
    with sqlite3.connect(tmp_path / "portal.sqlite3") as database:
        (waiting,) = database.execute(
            "SELECT count(*) FROM components_managementinterface WHERE next_poll_at < '2026-03-01 12:00:01'"
        ).fetchone()
    assert waiting == 0
