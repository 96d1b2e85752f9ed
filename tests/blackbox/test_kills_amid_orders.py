"""The worker is killed amid a bulk power-off: nothing is switched twice, and the job says what is unknown."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from apps.core.options import FRESH
from apps.simulators.bmc import Controller, Order, Pace
from tests.blackbox.client import ENDED, Caller
from tests.blackbox.test_kills import execute, moment, pids
from tests.controllers import PASSWORD, USERNAME, LoopThread, controllers, loop_thread
from tests.e2e.portal import Portal
from tests.system.waiting import until

BEFORE, AMID, BEHIND = 3, 4, 5  # off before the kill; ordered and still on at the kill; not begun by then
AT_ONCE = AMID
LONG = 600  # seconds for which an order is looked for, so that none is given up before the kill
NEVER = Pace(off=3600.0)


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    """The loop of the controllers, which live through the kill."""
    with loop_thread() as running:
        yield running


@pytest.fixture
def rack(thread: LoopThread) -> Iterator[list[Controller]]:
    """A rack of servers, of which some take their time with going off."""
    with controllers(thread, [f"127.0.71.{number}" for number in range(1, BEFORE + AMID + BEHIND + 1)]) as found:
        for controller in found[BEFORE : BEFORE + AMID]:
            controller.machine.pace = NEVER
        yield found


@contextlib.contextmanager
def option(admin: Caller, name: str, value: int) -> Iterator[None]:
    """Set an option for a while; every process knows it when this begins."""
    before = admin.get(f"options/{name}/")["value"]
    admin.patch(f"options/{name}/", {"value": value})
    time.sleep(FRESH)
    try:
        yield
    finally:
        admin.patch(f"options/{name}/", {"value": before})


def register(admin: Caller, rack: list[Controller]) -> list[int]:
    """Register the rack, one component for each server."""
    fields = {"username": USERNAME, "password": PASSWORD}
    login = admin.post("credentials/", {"name": "rack", "kind": "password", "fields": fields})["id"]
    made = []
    for number, one in enumerate(rack, 1):
        way = {"driver": "bmc", "address": one.address, "port": one.port, "credential": login}
        made.append(admin.post("components/", {"name": f"rack {number:02}", "interfaces": [way]})["id"])
    return made


def test_no_server_is_switched_twice_and_the_job_tells_what_is_unknown(
    portal: Portal, admin: Caller, thread: LoopThread, rack: list[Controller]
) -> None:
    made = register(admin, rack)

    def orders() -> list[list[Order]]:
        return thread.call(lambda: [list(one.machine.orders) for one in rack])

    once, none = [Order.OFF], []
    with option(admin, "operation_concurrency", AT_ONCE), option(admin, "operation_confirmation", LONG):
        body = {"operation": "power", "arguments": {"action": "off"}, "components": made, "expect": len(made)}
        job = admin.post("operations/", body, status=202)["job"]
        until(lambda: orders() == [once] * (BEFORE + AMID) + [none] * BEHIND, "the order is in the middle", 180)
        until(lambda: admin.get(f"jobs/{job}/")["finished"] == BEFORE, "the first ones are seen off", 180)
        killed = pids(portal)["worker"]
        os.kill(killed, signal.SIGKILL)
        until(lambda: pids(portal).get("worker") not in (None, killed), "the worker is back", 90)
        # The time of the steps that died passes; nobody waits for it here. The new worker may run others already.
        died = ", ".join(str(pk) for pk in made[BEFORE : BEFORE + AMID])
        late = f"UPDATE core_jobstep SET deadline_at = ? WHERE job_id = ? AND component IN ({died})"
        execute(portal, late, moment(-timedelta(seconds=1)), job)
        found = admin.wait(f"jobs/{job}/", lambda one: one["state"] in ENDED, "the job has ended", 180)

    steps = {step["component"]: step for step in admin.steps(found)}
    told = [(steps[pk]["state"], steps[pk]["code"], steps[pk]["message"]) for pk in made]
    done = ("done", "", "It is off.")
    unknown = ("failed", "outcome_unknown", "The process that did this ended before it could say how it went.")
    assert told == [done] * BEFORE + [unknown] * AMID + [done] * BEHIND
    assert {steps[pk]["remedy"] for pk in made if steps[pk]["code"]} == {
        "Look at the device before you repeat this: it may have been done."
    }
    assert (found["state"], found["total"], found["failed"]) == ("done", len(made), AMID)
    assert orders() == [once] * len(rack)  # each was told once, by whichever worker
    is_on = thread.call(lambda: [one.machine.is_on for one in rack])
    assert is_on == [False] * BEFORE + [True] * AMID + [False] * BEHIND
    for pk in made:
        admin.delete(f"components/{pk}/")
