"""Settings of our simulated controllers, several at once: changed, refused, lost by a change, restarted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.control.models import SettingsSnapshot
from apps.control.settings import orders, running, services, writing
from apps.core.models import AuditEntry, Job, JobStep
from apps.protocols.ipmi import session
from tests.bmc_peers import BmcProgram, bmc_programs
from tests.control.conftest import run
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_programs

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(scope="module")
def bmcs() -> Iterator[list[BmcProgram]]:
    with bmc_programs("127.53.7", 3) as running:
        yield running


@pytest.fixture(scope="module")
def ilos() -> Iterator[list[IloProgram]]:
    with ilo_programs(2, "--restarts-in", "0.5") as running:
        yield running


@pytest.fixture(autouse=True)
def _limits(monkeypatch):
    """Wait as long as a slow machine needs, and no longer than a lost one deserves."""
    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(seconds=30))
    monkeypatch.setattr(orders, "RESTARTED_AFTER", 2.0)


def lost_soon(monkeypatch) -> None:
    monkeypatch.setattr(session, "ORDER_PATIENCE", 1.0)
    monkeypatch.setattr(running.SettingsRound, "further_tries", lambda self: 0)
    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(0))


def managed(programs: list[Any], driver: str, user: str = USER, group: Any = None) -> list[Any]:
    """Register controllers."""
    login = make_credential("password", username=user, password=SECRET)
    return [
        make_interface(
            make_component(f"{driver}-{place}", **({"group": group} if group is not None else {})),
            driver=driver,
            address=getattr(one, "address", "127.0.0.1"),
            port=one.port,
            credential=login,
        )
        for place, one in enumerate(programs, 1)
    ]


def known(admin, rows: list[Any]) -> list[Any]:
    steps = run(services.read([one.component for one in rows], admin))
    assert [str(step.message) for step in steps] == ["The settings were read."] * len(rows)
    return rows


def change(admin, rows: list[Any], wanted: dict[str, Any], *, restart: bool = False) -> list[tuple[str, str, str]]:
    found = services.differ([one.component for one in rows], wanted)
    job: Job = services.apply(services.propose(found, admin), admin, restart=restart)
    return [(step.state, step.code, str(step.message)) for step in run(job)]


def values(row: Any) -> dict[str, Any]:
    report = SettingsSnapshot.objects.get(interface=row).report
    return {one["name"]: one["value"] for section in report["sections"] for one in section["settings"]}


DONE = ("done", "", "It answers again and shows the new values.")


def test_many_controllers_take_destination_clock_and_gateway_as_another_program_sees_them(admin, queued, bmcs):
    rows = known(admin, managed(bmcs, "bmc"))
    assert (values(rows[0])["time.exact"], values(rows[0])["time.offset"]) == (True, "+00:00")
    wanted = {
        "time.offset": "+09:00",
        "destinations.2.address": "127.0.0.1",
        "destinations.2.acknowledge": True,
        "destinations.community": "alarm",
        "network.gateway": "127.53.7.254",
    }
    assert change(admin, rows, wanted) == [DONE] * 3
    for row in rows:
        assert {name: values(row)[name] for name in wanted} == wanted
        assert values(row)["time.exact"] is True
    lan = bmcs[2].ipmitool("lan", "print", "1")
    assert "Default Gateway IP      : 127.53.7.254" in lan
    assert "SNMP Community String   : alarm" in lan
    alert = bmcs[2].ipmitool("lan", "alert", "print", "1", "2")
    assert "127.0.0.1" in alert
    assert "Acknowledged" in alert


def test_a_controller_that_does_not_come_back_ends_the_job_before_the_next_one(admin, queued, bmcs, monkeypatch):
    rows = known(admin, managed(bmcs, "bmc"))
    lost_soon(monkeypatch)
    before = [int(one.tell("packets")) for one in bmcs]
    bmcs[0].tell("fault lost-by-change")
    first, *others = change(admin, rows, {"network.vlan": 7})
    assert first[:2] == ("failed", "not_confirmed")
    assert others == [("cancelled", "", "Not begun, because the first device was not confirmed.")] * 2
    assert [int(one.tell("packets")) for one in bmcs][1:] == before[1:]
    assert "somebody on site has to" in str(JobStep.objects.filter(state="failed").get().remedy)


def test_whoever_may_not_on_the_controller_itself_is_told_so_and_the_job_ends(admin, queued, bmcs):
    rows = known(admin, managed(bmcs[1:], "bmc", user="oper"))
    first, second = change(admin, rows, {"destinations.community": "theirs"})
    assert first == (
        "failed",
        "unsupported",
        f"It refused Community of alerts: {bmcs[1].address} does not allow this account to do that",
    )
    assert second[0] == "cancelled"
    assert "theirs" not in bmcs[1].ipmitool("lan", "print", "1")


def test_a_wrong_user_writes_nothing_and_asks_no_second_controller(admin, queued, bmcs):
    rows = known(admin, managed(bmcs[1:], "bmc"))
    bmcs[1].tell("fault wrong-password")
    before = int(bmcs[2].tell("packets"))
    try:
        first, second = change(admin, rows, {"destinations.community": "theirs"})
    finally:
        bmcs[1].tell("mend wrong-password")
    assert first[:2] == ("failed", "authentication_failed")
    assert second[0] == "cancelled"
    assert int(bmcs[2].tell("packets")) == before
    assert not AuditEntry.objects.filter(action="settings.write").exists()


def test_a_controller_is_restarted_and_answers_again(admin, queued, bmcs, monkeypatch):
    (row,) = known(admin, managed(bmcs[2:], "bmc"))
    (step,) = run(services.restart(row.component, admin))
    assert (step.state, str(step.message)) == ("done", "It answers again after its restart.")
    bmcs[2].tell("fault silent")
    lost_soon(monkeypatch)
    try:
        (step,) = run(services.restart(row.component, admin))
    finally:
        bmcs[2].tell("mend silent")
    assert (step.state, step.code) == ("failed", "unreachable")


def test_two_values_are_refused_and_what_stood_before_them_counts(admin, queued, ilos):
    (row,) = known(admin, managed(ilos[:1], "ilo"))
    eve = {"users.new.name": "eve", "users.new.privilege": "Operator"}
    wanted = {**eve, "users.new.password": "kurz", "services.ssh_port": 443}
    ((state, code, message),) = change(admin, [row], wanted)
    assert (state, code) == ("failed", "device_error")
    assert message.startswith("It refused New user: Name: ")
    assert "a password of 8 characters are needed" in message
    assert "kurz" not in message
    assert ilos[0].tell("writes") == "nothing"
    ((state, _code, message),) = change(admin, [row], {**wanted, "users.new.password": "Geheim-4711"})
    assert state == "failed"
    assert message.startswith("It refused Port (SSH): ")
    assert message.endswith("Port numbers must be different. Written before: 3 settings.")
    assert ilos[0].tell("writes") == "/redfish/v1/AccountService/Accounts"


def test_what_waits_for_a_restart_is_told_and_no_other_controller_is_begun(admin, queued, ilos):
    rows = known(admin, managed(ilos, "ilo"))
    first, second = change(admin, rows, {"time.zone": "1"})
    assert first == ("done", "", str(writing.TAKEN_UNTIL_RESTART))
    assert second[0] == "cancelled"
    assert second[2].startswith("Not begun: what the first device took counts only after its restart")
    assert "Restart the controller" in str(JobStep.objects.filter(state="done").latest("pk").remedy)
    assert SettingsSnapshot.objects.get(interface=rows[0]).report["awaits_restart"] is True
    (step,) = run(services.restart(rows[0].component, admin))
    assert (step.state, str(step.message)) == ("done", "It answers again after its restart.")
    assert SettingsSnapshot.objects.get(interface=rows[0]).report["awaits_restart"] is False
    assert values(rows[0])["time.offset"] == "+09:00"
    assert [one.tell("restarts") for one in ilos] == ["1", "0"]


def test_controllers_are_restarted_where_they_want_it_when_somebody_chose_that(admin, queued, ilos, monkeypatch):
    rows = known(admin, managed(ilos, "ilo"))
    before = [int(one.tell("restarts")) for one in ilos]
    told = change(admin, rows, {"time.zone": "2"}, restart=True)
    assert told == [("done", "", "It was restarted, answers again and shows the new values.")] * 2
    assert [int(one.tell("restarts")) for one in ilos] == [number + 1 for number in before]
    assert [values(row)["time.offset"] for row in rows] == ["+01:00"] * 2
    assert change(admin, rows, {"network.host_name": "same"}, restart=True)[0] == DONE  # it wants none for that
    assert [int(one.tell("restarts")) for one in ilos] == [number + 1 for number in before]
    lost_soon(monkeypatch)
    ilos[0].tell("fault lost-by-change")
    first, second = change(admin, rows, {"time.zone": "0"}, restart=True)
    assert first[:2] == ("failed", "not_confirmed")
    assert second == ("cancelled", "", "Not begun, because the first device was not confirmed.")
