"""Checks and refreshes: what is accepted becomes a job with one step per interface."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.blackbox.client import Caller
from tests.peers import AUTH_PASSWORD, V3_LOGIN, Snmpd, free_udp_port

JOB = {
    *("id", "kind", "state", "total", "finished", "failed", "skipped", "steps_url", "created_by", "created_at"),
    *("started_at", "finished_at", "consequences"),
}
STEP = {
    *("id", "component", "interface", "target", "state", "stage", "code", "message", "remedy", "started_at"),
    "finished_at",
}


def checked(admin: Caller, component: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Check a component; give the job and its steps."""
    job = admin.finish(admin.post(f"components/{component['id']}/check/", status=202))
    return job, admin.steps(job)


def registered(admin: Caller, name: str, *ways: dict[str, Any]) -> dict[str, Any]:
    """Register a component whose interfaces are asked only when somebody says so."""
    interfaces = [{"driver": "snmp_agent", "enabled": False, **one} for one in ways]
    return dict(admin.post("components/", {"name": name, "interfaces": interfaces}))


def credential(admin: Caller, name: str, kind: str, **fields: str) -> int:
    """Keep a login."""
    return int(admin.post("credentials/", {"name": name, "kind": kind, "fields": fields})["id"])


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that swallows everything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


def test_a_check_of_a_real_device_is_done(admin: Caller, server: dict[str, Any]) -> None:
    answer = admin.send("POST", f"components/{server['id']}/check/", {})
    assert answer.status == 202
    job = admin.finish(answer.body)
    assert set(job) == JOB
    assert (job["kind"], job["state"], job["created_by"]) == ("check", "done", "admin")
    assert (job["total"], job["finished"], job["failed"], job["skipped"]) == (1, 1, 0, 0)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    (step,) = admin.steps(job)
    assert set(step) == STEP
    assert (step["component"], step["interface"]) == (server["id"], server["interfaces"][0]["id"])
    assert (step["state"], step["stage"], step["code"], step["remedy"]) == ("done", "", "", "")
    assert "real-server" in step["target"]
    assert step["started_at"] <= step["finished_at"]
    assert admin.get(f"jobs/{job['id']}/") == job
    assert job in admin.rows("jobs/?kind=check&state=done")
    assert job not in admin.rows("jobs/?state=failed")
    admin.post(f"jobs/{job['id']}/cancel/", status=409)


def test_every_interface_has_a_step_and_one_that_answers_makes_the_job_done(
    admin: Caller, snmpd: Snmpd, login: int
) -> None:
    good = {"address": "::1", "port": snmpd.port, "credential": login}
    closed = {"address": "127.0.0.1", "port": free_udp_port(), "credential": login}
    both = registered(admin, "half alive", good, closed)
    job, steps = checked(admin, both)
    assert (job["state"], job["total"], job["finished"], job["failed"]) == ("done", 2, 2, 1)
    by_interface = {step["interface"]: step for step in steps}
    alive, dead = (by_interface[one["id"]] for one in both["interfaces"])
    assert alive["state"] == "done"
    assert (dead["state"], dead["stage"], dead["code"]) == ("failed", "port", "unreachable")
    assert dead["message"]
    assert dead["remedy"]


def test_a_job_of_nothing_is_done(admin: Caller) -> None:
    job, steps = checked(admin, registered(admin, "no way in"))
    assert (job["state"], job["total"], steps) == ("done", 0, [])


def test_a_name_that_nobody_knows_fails_at_its_stage(admin: Caller, login: int) -> None:
    job, (step,) = checked(
        admin, registered(admin, "misspelt", {"address": "no-such-host.invalid", "credential": login})
    )
    assert job["state"] == "failed"
    assert (step["state"], step["stage"], step["code"]) == ("failed", "name", "unreachable")
    assert step["remedy"]


def test_silence_after_a_community_is_said_for_what_it_is(admin: Caller, snmpd: Snmpd, silent: int) -> None:
    wrong = credential(admin, "wrong community", "snmp-community", version="2c", community="not-the-one")
    for name, port in (("wrong community", snmpd.port), ("nobody there", silent)):
        address = {"address": "localhost", "port": port, "credential": wrong}
        component = registered(admin, name, address)
        job, (step,) = checked(admin, component)
        assert job["state"] == "failed"
        assert (step["stage"], step["code"]) == ("sign-in", "unreachable")
        assert "no answer: address, community or privacy key" in step["message"].lower()
        assert "not-the-one" not in str(step)
        admin.delete(f"components/{component['id']}/")


def test_a_refused_login_latches_until_a_new_credential(admin: Caller, snmpd: Snmpd) -> None:
    login = credential(admin, "old password", "snmp-v3", **{**V3_LOGIN, "auth_password": "yesterdays-password"})
    address = {"address": "localhost", "port": snmpd.port, "credential": login, "enabled": True}
    component = registered(admin, "latched", address)
    path = f"components/{component['id']}/"
    job, (step,) = checked(admin, component)
    assert job["state"] == "failed"
    assert (step["stage"], step["code"]) == ("sign-in", "authentication_failed")
    assert "yesterdays-password" not in str(step)
    assert admin.get(path)["interfaces"][0]["last_error"] == step["message"]
    admin.patch(f"credentials/{login}/", {"fields": {"auth_password": AUTH_PASSWORD}})
    job = admin.finish(admin.post(f"{path}refresh/", status=202))
    assert (job["kind"], job["state"]) == ("refresh", "done"), admin.steps(job)
    assert admin.get(path)["interfaces"][0]["last_error"] == ""
    admin.delete(path)


def test_a_job_can_be_cancelled(admin: Caller, silent: int) -> None:
    login = credential(admin, "for the silent", "snmp-community", version="2c", community="c")
    ways = [{"address": f"127.0.0.{number}", "port": silent, "credential": login} for number in range(10, 30)]
    many = registered(admin, "twenty silences", *ways)
    accepted = admin.post(f"components/{many['id']}/check/", status=202)
    cancelled = admin.post(f"jobs/{accepted['job']}/cancel/", status=202)
    assert cancelled == accepted
    job = admin.finish(accepted)
    assert job["state"] in {"cancelled", "failed"}  # failed when all had been started before
    assert job["finished"] == job["total"] == 20
    steps = admin.steps(job)
    assert {step["state"] for step in steps} <= {"cancelled", "failed"}
    page = admin.get(f"jobs/{job['id']}/steps/?limit=6&page=4")
    assert (page["count"], len(page["results"]), page["next"]) == (20, 2, None)


def test_what_is_not_there_cannot_be_asked(admin: Caller) -> None:
    for path in ("components/987654/check/", "components/987654/refresh/", "jobs/987654/cancel/"):
        admin.post(path, status=404)
    for path in ("jobs/987654/", "jobs/987654/steps/"):
        admin.get(path, status=404)
    assert admin.errors("GET", "jobs/?state=stuck", None) == {"state"}
