"""What page and API tell of the processes: live, or old and marked so; and who may order them about."""

import json
import os
import time
from pathlib import Path

import pytest
from django.test import Client

from apps.core.models import AuditEntry
from apps.system import control, running, workers
from apps.system.instance import Instance, ProcessState, Restart
from apps.system.workers import Worker
from tests.factories import make_user

WEB = ProcessState("web", "running", 4711, 1_790_000_000.0, 1, Restart(1_790_000_000.0, "signal", "SIGKILL"))


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("administrator", username="anna"))
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """A supervisor that does what it is told; gives what it was told."""
    orders: list[dict] = []

    def ask(folder: Path, order: str, timeout: float = 1, **about: object) -> dict:
        if order == "status":
            off = {"name": "receiver", "state": "off", "pid": None, "started_at": 0.0, "restarts": 0}
            web = {**json.loads(json.dumps(vars(WEB) | {"last_restart": vars(WEB.last_restart)}))}
            used = {"memory": 2**26, "cpu": 1.5, "processes": 1}
            ports = {"ESM_HTTP_PORT": 21120, "ESM_CLASSIC_PORT": 21112}
            return {"pid": 42, "since": 1.0, "ports": ports, "open": [*ports], "processes": [off, web | used]}
        orders.append({"order": order, **about})
        if about.get("name") == "receiver":
            return {"refused": "off", "about": "receiver"}
        if about.get("name") == "gone":
            return {"refused": "taken", "about": "nginx", "said": "Port 80/tcp is taken by nginx."}
        return {"ordered": ["receiver", "web"]}

    monkeypatch.setattr(control, "ask", ask)
    return orders


@pytest.mark.django_db
class TestTelling:
    """What runs."""

    def test_what_the_supervisor_says_is_live(self, asked: list[dict], admin: Client) -> None:
        found = admin.get("/api/v1/processes/").json()
        assert [(row["name"], row["state"], row["order"]) for row in found["results"]] == [
            ("receiver", "off", 5),
            ("web", "running", 7),
        ]
        receiver, web = found["results"]
        assert (web["pid"], web["memory"], web["cpu"], web["restarts"]) == (4711, 2**26, 1.5, 1)
        assert (receiver["pid"], receiver["memory"], receiver["started_at"]) == (None, None, None)
        assert web["last_restart"]["reason"] == "signal"
        assert web["last_restart"]["sentence"] == "It was ended by the signal SIGKILL."
        assert [(port["number"], port["protocol"], port["open"], port["switch"]) for port in web["ports"]] == [
            (21120, "tcp", True, ""),
            (21112, "tcp", True, ""),
        ]
        assert (receiver["ports"][0]["open"], receiver["ports"][0]["switch"]) == (False, "trap_reception")
        assert receiver["last_restart"] is None

    def test_what_was_written_by_a_supervisor_that_is_gone_is_old(self, folder: Path, admin: Client) -> None:
        Instance(folder).write([WEB], {"ESM_HTTP_PORT": 21120})
        os.utime(folder / "up.json", (time.time() - 3600,) * 2)
        (row,) = admin.get("/api/v1/processes/").json()["results"]
        assert (row["name"], row["state"], row["pid"], row["memory"]) == ("web", "unknown", None, None)
        page = admin.get("/processes/").content.decode()
        assert "The supervisor does not run." in page
        assert "1 h ago" in page
        assert ">Running<" not in page

    def test_a_supervisor_that_hangs_vouches_for_nothing_after_a_while(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = Instance(folder).claim()
        Instance(folder).write([WEB], {})
        monkeypatch.setattr(control, "PATIENCE", 0.1)
        found = running.look()
        assert (found.pid, found.live, found.processes[0].state) == (os.getpid(), False, "running")
        os.utime(folder / "up.json", (time.time() - 60,) * 2)
        assert running.look().processes[0].state == "unknown"
        os.close(held)

    def test_workers_of_other_machines_are_told_by_their_signs_of_life(
        self, asked: list[dict], admin: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = time.time()
        lively = Worker("rack7", "worker-poll", 99, now - 500, now - 5, 2**27, 5)
        lost = Worker("rack8", "worker", 98, now - 500, now - 300, 2**27, 1)
        monkeypatch.setattr(workers, "known", lambda: [lively, lost])
        rows = admin.get("/api/v1/processes/").json()["results"][2:]
        assert [(row["machine"], row["name"], row["state"], row["memory"], row["order"]) for row in rows] == [
            ("rack7", "worker-poll", "running", 2**27, None),
            ("rack8", "worker", "unknown", None, None),
        ]
        assert "@ rack7" in admin.get("/processes/").content.decode()

    def test_a_broker_that_is_away_hides_only_the_others(self, folder: Path) -> None:
        assert workers.known() == []
        workers.Sign("worker").give()  # and costs the worker nothing

    @pytest.mark.parametrize(
        ("reason", "sentence"),
        [
            ("exit", "It ended by itself with exit code 3."),
            ("silent", "It had not answered for 3 s."),
            ("ordered", "Ordered by 3."),
        ],
    )
    def test_each_reason_has_its_sentence(self, reason: str, sentence: str) -> None:
        assert running.why(Restart(1.0, reason, "3")) == sentence


@pytest.mark.django_db
class TestOrders:
    """Who may have what started anew."""

    def test_one_process_and_all_by_the_api(self, asked: list[dict], admin: Client) -> None:
        one = admin.post("/api/v1/processes/web/restart/")
        every = admin.post("/api/v1/processes/restart/")
        assert (one.status_code, every.status_code) == (202, 202)
        assert every.json() == {
            "job": None,
            "url": "http://testserver/api/v1/processes/",
            "processes": ["web", "receiver"],
        }
        by = "anna (127.0.0.1)"
        assert asked == [
            {"order": "restart", "name": "web", "by": by},
            {"order": "restart", "name": None, "by": by},
        ]
        entries = AuditEntry.objects.filter(action="portal.restart").order_by("pk")
        assert [(entry.actor_name, entry.object_name) for entry in entries] == [
            ("anna", "web"),
            ("anna", "all processes"),
        ]

    def test_by_the_page(self, asked: list[dict], admin: Client) -> None:
        answer = admin.post("/processes/restart/", {"name": "web"})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/processes/restarting/?since=")
        assert answer["Location"].endswith("&name=web")
        page = admin.get(answer["Location"])
        assert page.status_code == 200  # the process that ran before is no answer
        assert "web is being restarted" in page.content.decode()
        assert admin.get("/processes/restarting/?since=1&name=web")["Location"] == "/processes/"
        assert admin.get("/processes/restarting/?since=soon")["Location"] == "/processes/"

    def test_what_is_refused_is_no_act(self, asked: list[dict], admin: Client) -> None:
        assert admin.post("/api/v1/processes/nobody/restart/").status_code == 404
        off = admin.post("/api/v1/processes/receiver/restart/")
        assert (off.status_code, off.json()["detail"]) == (409, "receiver is switched off.")
        page = admin.post("/processes/restart/", {"name": "gone"}, follow=True).content.decode()
        assert "Nothing was stopped, because the new start would fail: Port 80/tcp is taken by nginx." in page
        assert not AuditEntry.objects.filter(action="portal.restart").exists()

    def test_without_a_supervisor_nothing_is_done(self, folder: Path, admin: Client) -> None:
        answer = admin.post("/api/v1/processes/restart/")
        assert answer.status_code == 409
        assert "does not answer" in answer.json()["detail"]

    def test_others_neither_see_nor_order(self, asked: list[dict], client: Client) -> None:
        client.force_login(make_user("operator"))
        for path in (
            "/processes/",
            "/ports/",
            "/processes/restarting/?since=1",
            "/api/v1/processes/",
            "/api/v1/ports/",
        ):
            assert client.get(path).status_code == 403, path
        for path in ("/processes/restart/", "/processes/ports/", "/api/v1/processes/restart/"):
            assert client.post(path).status_code == 403, path
        assert client.post("/api/v1/processes/web/restart/").status_code == 403
        assert [each for each in asked if each["order"] != "status"] == []
        assert "process-" not in client.get("/about/").content.decode()

    def test_a_body_has_nothing_to_say(self, asked: list[dict], admin: Client) -> None:
        answer = admin.post("/api/v1/processes/restart/", {"name": "web"}, content_type="application/json")
        assert (answer.status_code, answer.json()["errors"]) == (400, {"name": ["There is no such field."]})
        assert asked == []
