"""What the supervisor is asked and told while it runs: state, new starts in order, switches, who does not answer."""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from apps.system import chosen, control
from apps.system.chosen import Chosen
from apps.system.instance import Instance, ProcessState
from apps.system.processes import in_order, registry
from apps.system.sockets import Sockets
from apps.system.steering import Steering
from tests.system.test_supervisor import Small
from tests.system.waiting import STOP_DEADLINE, until

SERVICES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "services.yaml"


class Asked(Small):
    """A small portal that is spoken with."""

    def status(self) -> dict[str, Any]:
        """Give what it says."""
        return control.ask(self.folder, "status")

    def state(self, name: str) -> ProcessState:
        """Give what it says of one process."""
        return next(ProcessState.read(each) for each in self.status()["processes"] if each["name"] == name)

    def end(self) -> str:
        """Stop it and give everything that it printed."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=STOP_DEADLINE)
        return output


@pytest.fixture
def portal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Asked]:
    words = getattr(request, "param", ("letters",))
    started = Asked(tmp_path, *words)
    started.wait_for("base", "web", "worker")
    yield started
    started.process.kill()
    started.process.wait()
    started.process.stdout.close()


def test_it_says_what_runs_and_what_that_uses(portal: Asked) -> None:
    portal.wait_for("letters")
    told = portal.status()
    assert told["pid"] == portal.process.pid
    assert [each["name"] for each in told["processes"]] == ["base", "web", "worker", "letters"]
    assert {each["state"] for each in told["processes"]} == {"running"}
    for each in told["processes"]:
        assert psutil.pid_exists(each["pid"])
        assert 0 < each["memory"] < 200 * 2**20
    assert told["ports"] == {"SMALL_PORT": told["ports"]["SMALL_PORT"]}
    assert told["open"] == ["SMALL_PORT"]


def test_one_process_is_started_anew_and_the_others_stay(portal: Asked) -> None:
    portal.wait_for("letters")
    before = {name: portal.pid(name) for name in ("base", "web", "worker", "letters")}
    assert control.ask(portal.folder, "restart", name="web", by="anna (192.0.2.7)") == {"ordered": ["web"]}
    until(lambda: portal.pid("web") not in (None, before["web"]), "web is another process")
    assert {name: portal.pid(name) for name in before if name != "web"} == {
        name: pid for name, pid in before.items() if name != "web"
    }
    state = portal.state("web")
    assert (state.restarts, state.last_restart.reason, state.last_restart.detail) == (1, "ordered", "anna (192.0.2.7)")
    output = portal.end()
    assert "web     | stopping (anna (192.0.2.7))\n" in output
    assert re.search(r"^web     \| ended \(signal SIGTERM\) after \d s; starts again in 0\.0 s$", output, re.MULTILINE)


def test_why_a_process_was_started_anew_is_told(portal: Asked) -> None:
    before = portal.pid("web")
    os.kill(before, signal.SIGKILL)
    until(lambda: portal.pid("web") not in (None, before), "web is back")
    last = portal.state("web").last_restart
    assert (last.reason, last.detail) == ("signal", "SIGKILL")


def test_everything_stops_in_the_reverse_order_of_its_start_and_starts_anew(portal: Asked) -> None:
    portal.wait_for("letters")
    before = {each["name"]: each["pid"] for each in portal.status()["processes"]}
    ordered = control.ask(portal.folder, "restart", name=None, by="anna")
    assert ordered == {"ordered": ["base", "web", "worker", "letters"]}
    until(lambda: portal.pid("web") not in (None, before["web"]), "it is back", 20)
    portal.wait_for("base", "worker", "letters")
    after = {each["name"]: each for each in portal.status()["processes"]}
    assert all(after[name]["pid"] != pid for name, pid in before.items())
    assert {(each["restarts"], each["last_restart"]["detail"]) for each in after.values()} == {(1, "anna")}
    stopped = re.findall(r"^(\w+) +\| stopping", portal.end(), re.MULTILINE)
    assert stopped == ["letters", "worker", "web", "base"] * 2


def test_what_it_does_not_know_is_refused(portal: Asked) -> None:
    assert control.ask(portal.folder, "restart", name="nobody", by="x") == {"refused": "unknown", "about": "nobody"}
    assert control.ask(portal.folder, "restart", name="prepare", by="x") == {"refused": "unknown", "about": "prepare"}
    assert control.ask(portal.folder, "dance") == {"refused": "unknown", "about": ""}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for nonsense in (b"", b"\xff\x00", b"[1]", b'"restart"', b"[" * 100_000, b'{"order": ["restart"]}'):
            stranger.sendto(nonsense, str(portal.folder / control.NAME))  # with no address for an answer either
    for number in ("x", None, [], True, 2**70, -1):
        answer = control.ask(portal.folder, "probe", variable="SMALL_PORT", number=number)
        assert answer == {"refused": "unknown", "about": ""}
    assert portal.status()["pid"] == portal.process.pid
    assert (portal.folder / control.NAME).stat().st_mode & 0o077 == 0


def test_an_order_that_fails_is_refused_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    steering = Steering(tmp_path, Sockets([], []), said.append)  # it steers no supervisor yet
    assert steering.answer({"order": "stop", "by": "x"}) == {"refused": "unknown", "about": ""}
    assert said[-1].startswith("The order 'stop' failed: AttributeError: ")


def test_it_is_told_to_stop(portal: Asked) -> None:
    control.ask(portal.folder, "stop", by="anna")
    assert portal.process.wait(STOP_DEADLINE) == 0
    assert not (portal.folder / control.NAME).exists()
    with pytest.raises(control.NotRunning):
        portal.status()


def test_a_switched_off_port_is_closed_and_its_process_rests_until_it_is_on_again(portal: Asked) -> None:
    portal.wait_for("letters")
    number = portal.status()["ports"]["SMALL_PORT"]
    socket.create_connection(("127.0.0.1", number), timeout=5).close()
    chosen.write(portal.folder, Chosen({}, frozenset({"SMALL_PORT"})))
    until(lambda: portal.state("letters").state == "off", "it is switched off", 5)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", number), timeout=5)
    assert portal.status()["open"] == []
    assert control.ask(portal.folder, "restart", name="letters", by="x") == {"refused": "off", "about": "letters"}
    chosen.write(portal.folder, Chosen())
    until(lambda: portal.state("letters").state == "running", "it runs again", 5)
    assert portal.status()["ports"]["SMALL_PORT"] == number
    socket.create_connection(("127.0.0.1", number), timeout=5).close()


@pytest.mark.parametrize("portal", [("letters", "silent")], indirect=True)
def test_a_process_that_does_not_answer_is_started_anew(portal: Asked) -> None:
    until(lambda: portal.state("letters").restarts, "it is started anew")
    last = portal.state("letters").last_restart
    assert (last.reason, last.detail) == ("silent", "1")


def test_the_guides_services_stop_in_the_exact_reverse_order_of_their_start() -> None:
    services = yaml.safe_load(SERVICES.read_text(encoding="utf-8"))
    started = sorted(services, key=lambda each: each["start"])
    assert [each["start"] for each in started] == list(range(1, 19))
    assert sorted(services, key=lambda each: each["stop"]) == started[::-1]
    restarted = [each for each in started if "restart_stop" in each]
    assert len(restarted) == 8
    by_stop = sorted(restarted, key=lambda each: each["restart_stop"])
    assert by_stop == sorted(restarted, key=lambda each: each["restart_start"])[::-1]
    assert (by_stop[0]["process"], by_stop[0]["name"]) == ("web", "ESMPRO/SM Web Service")


def test_ours_start_in_the_same_sense() -> None:
    """The base comes first, the pages last, and what the guide has depend on the base depends on it here."""
    services = yaml.safe_load(SERVICES.read_text(encoding="utf-8"))
    specs = [spec for spec in in_order(registry.build()) if not spec.once]
    names = [spec.name for spec in specs]
    assert (names[0], names[-1]) == ("broker", "web")
    told = {each["process"] for each in services if "process" in each}
    assert told == set(names) - {"console"}  # the guide's main service does that itself
    needing = {each["process"] for each in services if each.get("needs") == "ESM Base Service" and "process" in each}
    assert all({"broker", "prepare"} <= set(spec.needs) for spec in specs if spec.name in needing)


def test_the_state_of_another_version_is_read(tmp_path: Path) -> None:
    old = {"name": "web", "state": "running", "pid": 7, "started_at": 1.0, "restarts": 2}
    (tmp_path / "up.json").write_text(json.dumps({"pid": 1, "ports": {}, "processes": [old, {**old, "new": True}]}))
    assert Instance(tmp_path).processes() == [ProcessState("web", "running", 7, 1.0, 2)] * 2
