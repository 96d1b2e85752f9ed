"""The guide's table of ports beside what answers here: nothing is called open that was not asked."""

import json
import socket
from collections.abc import Iterator

import pytest
from django.test import Client

from apps.system import control, port_table, reaching, running
from apps.system.port_table import NOT_OURS, NOT_USED, OFF
from apps.system.processes import registry
from apps.system.reaching import Reach
from apps.system.running import OpenPort
from tests.factories import make_component, make_interface, make_user

THIS = ["127.0.0.1"]


def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened.getsockname()[1]


def told(monkeypatch: pytest.MonkeyPatch, opened: list[str], **numbers: int) -> None:
    """Have a supervisor say which ports are open."""
    states = [
        {"name": spec.name, "state": "running", "pid": 1, "started_at": 1.0, "restarts": 0}
        for spec in registry.build()
        if not spec.once
    ]
    answer = {"pid": 1, "since": 1.0, "ports": numbers, "open": opened, "processes": states}
    monkeypatch.setattr(control, "ask", lambda folder, order, **about: json.loads(json.dumps(answer)))


def line(identity: str) -> port_table.Line:
    return next(each for each in port_table.lines() if each.row.id == identity)


def test_it_is_the_whole_table_of_the_guide() -> None:
    rows = port_table.rows()
    guide = [row for row in rows if row.id.startswith("PORT-")]
    assert [row.id for row in guide] == [f"PORT-{number:02}" for number in range(1, 71)]
    by_id = {row.id: row for row in rows}
    traps, sol, echo, ranged = (by_id[name] for name in ("PORT-03", "PORT-16", "PORT-06", "PORT-19"))
    assert (traps.direction, traps.protocol, traps.port, traps.variable) == ("in", "udp", "162", "ESM_TRAP_PORT")
    assert (sol.direction, sol.port, sol.source, sol.numbers) == ("out", "623", "47117", [623])
    assert (echo.protocol, echo.port) == ("icmp", "")
    assert (ranged.port, ranged.numbers) == ("47120-47129", [])
    assert by_id["PORT-34"].numbers == [5985, 80]
    assert sum(row.direction == "inside" for row in guide) == 9


@pytest.mark.django_db
class TestOurs:
    """The portal's own ports."""

    def test_what_answers_is_asked(self, monkeypatch: pytest.MonkeyPatch, listener: int) -> None:
        closed = free_tcp_port()
        told(monkeypatch, ["ESM_HTTP_PORT", "ESM_CLASSIC_PORT"], ESM_HTTP_PORT=listener, ESM_CLASSIC_PORT=closed)
        pages, classic, traps = line("PORT-01"), line("PORT-02"), line("PORT-03")
        assert (pages.port, pages.state) == (str(listener), Reach.ANSWERS)
        assert (classic.port, classic.state) == (str(closed), Reach.REFUSED)
        assert (traps.state, traps.firewall) == (OFF, "")

    def test_without_a_supervisor_nothing_is_known_to_be_open(self) -> None:
        assert line("PORT-01").state == NOT_USED
        assert running.look().processes == []

    def test_what_others_have_is_theirs(self) -> None:
        assert (line("PORT-05").state, line("PORT-05").used) == (NOT_OURS, True)
        assert (line("PORT-07").state, line("PORT-07").used) == (NOT_USED, False)
        assert line("PORT-05").firewall == "Let UDP 161 from the portal to the device through."

    def test_a_loopback_portal_says_that_nobody_else_reaches_it(
        self, monkeypatch: pytest.MonkeyPatch, settings, listener: int
    ) -> None:
        told(monkeypatch, ["ESM_HTTP_PORT"], ESM_HTTP_PORT=listener)
        assert line("PORT-01").firewall.startswith("Only this machine can reach it: set ESM_BIND")
        settings.BIND = "0.0.0.0"
        assert line("PORT-01").firewall == f"Let TCP {listener} to the portal in."

    def test_a_port_that_moves_says_where_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (pages,) = [port for spec in registry.build() for port in spec.ports if port.variable == "ESM_HTTP_PORT"]
        assert OpenPort(pages, 21120, 8443, True).next_number == 8443


class TestReach:
    """What can be told of a port."""

    def test_tcp(self, listener: int) -> None:
        assert reaching.ours("tcp", THIS, listener) is Reach.ANSWERS
        assert reaching.ours("tcp", ["0.0.0.0"], listener) is Reach.ANSWERS
        assert reaching.ours("tcp", THIS, free_tcp_port()) is Reach.REFUSED

    def test_udp_that_says_nothing_is_silent_and_a_closed_one_refuses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reaching, "PATIENCE", 0.2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            opened.bind(("127.0.0.1", 0))
            number = opened.getsockname()[1]
            assert reaching.ours("udp", THIS, number) is Reach.SILENT
            assert opened.recv(100)[:1] == b"\x30"  # a message of SNMP
        assert reaching.ours("udp", THIS, number) is Reach.REFUSED


@pytest.mark.django_db
class TestTrying:
    """A component's port, from here."""

    @pytest.fixture
    def admin(self, client: Client) -> Client:
        client.force_login(make_user("administrator"))
        return client

    def test_each_address_is_tried(self, admin: Client, monkeypatch: pytest.MonkeyPatch, listener: int) -> None:
        component = make_component("db01")
        make_interface(component, address="127.0.0.1")
        monkeypatch.setattr(port_table, "testable", lambda line: [listener, 443])
        asked = admin.post("/ports/try/", {"component": component.pk, "port": listener})
        assert asked.status_code == 200
        assert "127.0.0.1" in asked.content.decode()
        assert "answers" in asked.content.decode()
        page = admin.get("/ports/?used=all&component=DB01").content.decode()
        assert f"Try {listener}" in page

    def test_only_ports_of_the_table_and_components_that_are_seen(self, admin: Client, client: Client) -> None:
        component = make_component("db01")
        make_interface(component, address="127.0.0.1")
        assert admin.post("/ports/try/", {"component": component.pk, "port": 25}).status_code == 404
        assert admin.post("/ports/try/", {"component": 10**30, "port": 443}).status_code == 404
        assert admin.post("/ports/try/", {"component": component.pk, "port": "x"}).status_code == 404
        client.force_login(make_user("operator", username="olga"))
        assert client.post("/ports/try/", {"component": component.pk, "port": 443}).status_code == 403


@pytest.mark.django_db
def test_the_table_is_narrowed(client: Client) -> None:
    client.force_login(make_user("administrator"))
    found = client.get("/api/v1/ports/?direction=out&protocol=udp&q=snmp&used=true").json()
    assert [row["id"] for row in found["results"]] == ["PORT-05", "PORT-55", "OWN-01"]
    assert found["results"][0] == {
        "id": "PORT-05",
        "section": "Portal and managed server",
        "purpose": "Auto-registration; server monitoring (SNMP)",
        "peer": "ESMPRO/ServerAgent",
        "direction": "out",
        "protocol": "udp",
        "port": "161",
        "source_port": "",
        "used": True,
        "state": "not-ours",
        "next_port": None,
        "firewall": "Let UDP 161 from the portal to the device through.",
    }
    assert client.get("/api/v1/ports/?direction=up").status_code == 400
    assert client.get("/api/v1/ports/?colour=red").json()["errors"].keys() == {"colour"}
    assert client.get("/api/v1/ports/?limit=5&page=2").json()["count"] == 75
