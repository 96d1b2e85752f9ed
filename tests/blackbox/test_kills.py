"""Each process in turn is killed while fifty devices are polled: polling goes on, and no job stays open or lies."""

import asyncio
import contextlib
import http.client
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.simulators.snmp_replay import Recording, serve
from apps.system.instance import Instance
from tests.blackbox.client import ENDED, Caller
from tests.drivers.machines import WIRE
from tests.e2e.portal import Portal
from tests.system.waiting import until

HARDWARE_ADDRESS = "1.3.6.1.2.1.2.2.1.6"  # IF-MIB ifPhysAddress
AGENTS, EACH = 50, 10  # devices, and how many of them one component has
DATABASE = "portal.sqlite3"
PROCESSES = ["broker", "worker-poll", "worker", "beat", "receiver", "console", "web"]


def execute(portal: Portal, statement: str, *values: Any) -> None:
    """Change the portal's database beside it, in a transaction as short as can be."""
    with contextlib.closing(sqlite3.connect(portal.folder / DATABASE, timeout=30, isolation_level=None)) as database:
        database.execute(statement, values)


def moment(shift: timedelta = timedelta()) -> str:
    """Give a time as the database keeps it."""
    return (datetime.now(UTC) + shift).strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest.fixture(scope="module")
def agents() -> Iterator[list[tuple[str, int]]]:
    """Simulated devices with addresses of their own."""
    recording = Recording.load(WIRE / "snmp_agent" / "version-1-router" / "first.snmprec")
    for port in (1, 2, 3):
        recording.remove(f"{HARDWARE_ADDRESS}.{port}")  # which would say that all of them are one machine
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> list[Any]:
        return [await serve(recording, f"127.0.70.{number}") for number in range(1, AGENTS + 1)]

    running = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    yield [(agent.address, agent.port) for agent in running]
    for agent in running:
        loop.call_soon_threadsafe(agent.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def fleet(portal: Portal, admin: Caller, agents: list[tuple[str, int]]) -> Iterator[list[int]]:
    """All of them registered; every interface is made due each second, as a period of a second would."""
    fields = {"version": "2c", "community": "public"}
    login = admin.post("credentials/", {"name": "fleet", "kind": "snmp-community", "fields": fields})["id"]
    made = []
    for at in range(0, AGENTS, EACH):
        ways = [
            {"driver": "snmp_agent", "address": address, "port": port, "credential": login}
            for address, port in agents[at : at + EACH]
        ]
        made.append(admin.post("components/", {"name": f"fleet {at}", "interfaces": ways}))
    interfaces = [way["id"] for one in made for way in one["interfaces"]]
    ended = threading.Event()
    least, most = min(interfaces), max(interfaces)

    def keep_due() -> None:
        while not ended.wait(1):
            execute(
                portal,
                "UPDATE components_managementinterface SET next_poll_at = ? WHERE id BETWEEN ? AND ?",
                *(moment(), least, most),
            )

    clock = threading.Thread(target=keep_due, daemon=True)
    clock.start()
    yield [one["id"] for one in made]
    ended.set()
    clock.join(40)


def polled_since(admin: Caller, when: datetime) -> bool:
    """Say whether every device of the fleet was read after a time; no answer is no yes."""
    try:
        rows = admin.rows("components/?q=fleet&limit=100")
    except (OSError, http.client.HTTPException):
        return False
    times = [one["last_polled_at"] for row in rows for one in row["interfaces"]]
    return len(times) == AGENTS and all(at and datetime.fromisoformat(at) > when for at in times)


def told_of(admin: Caller) -> list[tuple[str, list[str]]]:
    """Give the status of each component of the fleet, and why."""
    rows = admin.rows("components/?q=fleet&limit=100")
    return [(row["status"], [cause["text"] for cause in row["causes"]]) for row in rows]


def pids(portal: Portal) -> dict[str, int]:
    """Give the processes that run, by name."""
    return {one.name: one.pid for one in Instance(portal.folder).processes() if one.state == "running" and one.pid}


def end_of(admin: Caller, portal: Portal, job: int) -> dict[str, Any]:
    """Give a job when it has ended: by itself, or by the watchdog once the time for its step has passed."""
    deadline = time.monotonic() + 8
    while (found := admin.get(f"jobs/{job}/"))["state"] not in ENDED and time.monotonic() < deadline:
        time.sleep(0.2)
    if found["state"] not in ENDED:
        long_ago = moment(-timedelta(hours=1))
        execute(portal, "UPDATE core_jobstep SET deadline_at = ? WHERE job_id = ? AND state = 'running'", long_ago, job)
        execute(portal, "UPDATE core_job SET created_at = ? WHERE id = ?", long_ago, job)
    ended: dict[str, Any] = admin.wait(f"jobs/{job}/", lambda one: one["state"] in ENDED, "the job has ended", 60)
    return ended


@pytest.mark.parametrize("name", PROCESSES)
def test_polling_goes_on_after_a_kill(portal: Portal, admin: Caller, fleet: list[int], name: str) -> None:
    begun = datetime.now(UTC)
    until(lambda: polled_since(admin, begun - timedelta(seconds=30)), "the fleet is being polled", 60)
    until(lambda: set(pids(portal)) == set(PROCESSES), "all processes run", 30)
    killed = pids(portal)[name]
    job = admin.post(f"components/{fleet[0]}/refresh/", status=202)["job"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: pids(portal).get(name) not in (None, killed), f"{name} is back", 30)
    back = datetime.now(UTC)
    until(lambda: polled_since(admin, back), "every device was polled again", 60)
    assert set(pids(portal)) == set(PROCESSES)

    found = end_of(admin, portal, job)
    steps = admin.steps(found)
    assert found["total"] == found["finished"] == len(steps) == EACH
    failed = [step for step in steps if step["state"] == "failed"]
    assert [step["code"] for step in steps if step["state"] == "done"] == [""] * (EACH - len(failed))
    assert (found["state"], found["failed"]) == ("failed" if len(failed) == EACH else "done", len(failed))
    for step in failed:
        assert step["code"] in {"outcome_unknown", "unreachable"}
        assert step["remedy"]
    locked = [line for line in portal.said if "database is locked" in line]
    assert locked == []


def test_nobody_was_left_behind(portal: Portal, admin: Caller, fleet: list[int]) -> None:
    ended = datetime.now(UTC)
    until(lambda: polled_since(admin, ended), "all are polled as ever", 60)
    until(lambda: told_of(admin) == [("normal", [])] * (AGENTS // EACH), "all of them are well", 60)
    assert admin.rows("jobs/?state=running&state=waiting&state=cancelling") == []
