"""History is made by the portal's own ways: at its times, judged and rolled up as if it had been there."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.alerts.models import Alert, Incident
from apps.alerts.services import catalogue
from apps.components.models import Component, StatusChange
from apps.core.actors import SYSTEM
from apps.monitoring import layouts
from apps.monitoring.models import LastValues, RollUp, Sample, Sensor, Span
from apps.monitoring.services import history as reading
from apps.simulators.fleet.control import Remote
from apps.simulators.fleet.plan import Plan, read
from apps.system.demo import history
from apps.system.demo.moved_clock import MovedClock
from tests.factories import ship_definitions
from tests.system.demo.registered import register
from tests.system.portal import PROJECT
from tests.system.waiting import until

HOUR = 3600.0
PLAN = """
login: {username: watcher, auth_protocol: SHA-256, auth_password: auth-secret, priv_protocol: AES-128,
        priv_password: priv-secret}
devices:
  - {name: web, kind: linux, role: web, uplink: edge, faults: [{kind: disk-full, part: 2, strength: 0.93, at: -5400}]}
  - {name: edge, kind: switch, trap_version: "3",
     faults: [{kind: link-down, part: 7, every: 3600, lasts: 1800, at: 0}]}
  - {name: power, kind: ups, faults: [{kind: dead, every: 36000, lasts: 310, at: -6900}]}
"""


@pytest.fixture
def no_memories(db: None) -> Iterator[None]:
    """What a process remembers of the database must not outlive the database of a test."""
    ship_definitions()
    cache.clear()
    layouts.forget()
    yield
    cache.clear()
    layouts.forget()
    catalogue.forget()


@pytest.fixture
def begun_at() -> float:
    """When the demonstration began, a moment ago."""
    return float(round(time.time()) - 60)


@pytest.fixture
def fleet(tmp_path: Path, begun_at: float) -> Iterator[tuple[Plan, int, Path]]:
    """A running fleet: its plan, its port, and where it takes orders."""
    path, control = tmp_path / "plan.yaml", tmp_path / "fleet.sock"
    path.write_text(PLAN)
    words = ["--plan", path, "--first", "127.41.0.1", "--since", begun_at, "--port", 0, "--control", control]
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.simulators.fleet", *map(str, words)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    said = process.stdout.readline()
    until(control.exists, "the fleet takes orders")
    yield read(path, "127.41.0.1", begun_at), int(said.split()[-1]), control
    process.terminate()
    process.wait(10)


def test_the_past_is_looked_at_less_often() -> None:
    now = 1_000_000_000.0
    times = list(history.moments(now - 30 * HOUR, now))
    steps = {round(later - earlier) for earlier, later in pairwise(times)}
    assert steps == {7200, 1400, 300}
    assert times[0] == now - 30 * HOUR
    assert now - 300 - 150 < times[-1] < now
    assert list(history.moments(now - 10, now)) == []


def test_a_moved_clock_moves_only_what_asks_for_the_time() -> None:
    real, before = time.time(), time.monotonic()
    with MovedClock() as clock:
        clock.at = 1_000_000_000.0
        assert time.time() == 1_000_000_000.0
        assert timezone.now() == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
        assert type(timezone.now()) is datetime
        assert clock.real_time() >= real
    assert time.time() >= real
    assert abs(timezone.now().timestamp() - time.time()) < 5
    assert time.monotonic() >= before


@pytest.mark.django_db
@pytest.mark.usefixtures("no_memories")
def test_the_history_of_some_hours(fleet: tuple[Plan, int, Path], begun_at: float) -> None:
    plan, port, control = fleet
    ids = register(plan, port, SYSTEM)
    told: list[float] = []
    now = time.time()
    with Remote(control) as remote:
        history.make(remote, 2.0, now, told.append)
        assert remote.set_clock(None) == []  # it lives again, and has nothing left to tell of the past

    # what was measured, at its times, by all that could answer
    web = Component.objects.get(pk=ids["web"])
    times = sorted(Sample.objects.filter(interface__component=web).values_list("at", flat=True))
    assert len(times) == len(list(history.moments(now - 2 * HOUR, now))) + 1
    assert abs(times[0] / 1000 - (now - 2 * HOUR)) < 1
    assert now <= times[-1] / 1000 <= time.time()
    assert told == sorted(told)
    load = Sensor.objects.get(interface__component=web, key="cpu")
    series = reading.samples(load, datetime.fromtimestamp(now - 2 * HOUR, UTC), timezone.now())
    assert len([point for point in series.points if point.mean is not None]) == len(times)

    # judged at its times: the disk became full an hour and a half before it all began
    (change,) = StatusChange.objects.filter(component=web, new="warning")
    assert -60 < change.at.timestamp() - (begun_at - 5400) < 300
    assert "93 %" in str(change.text)
    assert web.status == "warning"
    assert LastValues.objects.get(interface__component=web).measured_at.timestamp() >= now

    # silent for a while, and seen again
    power = StatusChange.objects.filter(component=ids["power"]).order_by("at", "pk")
    assert [row.new for row in power] == ["normal", "unknown", "normal"]

    # told by traps at their own times, folded and ended
    traps = Alert.objects.filter(component=ids["edge"]).order_by("received_at")
    assert {row.version for row in traps} == {"3"}
    assert [row.trap_oid[-1] for row in traps] == ["3", "4"] * 2 + ["3"]
    assert [round(row.received_at.timestamp() - begun_at) for row in traps][-3:] == [-3600, -1800, 0]
    ended, standing = (Incident.objects.filter(component=ids["edge"], closed_at__isnull=flag) for flag in (False, True))
    assert (ended.count(), standing.count()) == (2, 1)

    # rolled up
    hours = RollUp.objects.filter(interface__component=web, span=Span.HOUR)
    assert 1 <= hours.count() <= 2


@pytest.mark.django_db
@pytest.mark.usefixtures("no_memories")
def test_a_start_soon_after_the_last_one_makes_nothing_again(fleet: tuple[Plan, int, Path]) -> None:
    plan, port, control = fleet
    register(plan, port, SYSTEM)
    with Remote(control) as remote:
        history.make(remote, 0.5, time.time() - 1800, lambda share: None)
        made = Sample.objects.count()
        history.make(remote, 72.0, time.time(), lambda share: None)
        assert Sample.objects.count() == made

        later = Sample.objects.order_by("-at").values_list("at", flat=True)[0] / 1000 + 1500
        history.make(remote, 72.0, later, lambda share: None)
    newer = Sample.objects.filter(at__gt=later * 1000 - 1_499_000)
    assert newer.count() > made / 3
