"""The checks of the machine, and the values that the environment may have."""

import os
import socket
import stat
from collections import namedtuple
from pathlib import Path

import psutil
import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.system import ports, preflight, preparation, specs
from apps.system.instance import Clock, Instance
from apps.system.preflight import Outcome
from apps.system.processes import Port
from esm.settings import env
from tests.system.portal import manage


@pytest.fixture
def data(settings, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    settings.DATA_DIR = folder
    settings.SECRETS_KEY_FILE = str(folder / "keys" / "secrets.key")
    return folder


@pytest.mark.parametrize("value", ["0", "1", "21120", "65535"])
def test_a_port_from_0_to_65535_is_taken(monkeypatch, value: str) -> None:
    monkeypatch.setenv("ESM_HTTP_PORT", value)
    assert env.port("ESM_HTTP_PORT", 21120) == int(value)


@pytest.mark.parametrize("value", ["-1", "65536", "1.5", "http", "２１１２０", " 80"])
def test_another_value_is_refused_with_the_variables_name(monkeypatch, value: str) -> None:
    monkeypatch.setenv("ESM_HTTP_PORT", value)
    with pytest.raises(ImproperlyConfigured, match="ESM_HTTP_PORT must be a port from 0 to 65535"):
        env.port("ESM_HTTP_PORT", 21120)


def test_a_start_with_a_bad_port_starts_nothing(tmp_path: Path) -> None:
    refused = manage("up", folder=tmp_path / "data", ESM_CLASSIC_PORT="65536")
    assert refused.returncode == 1
    assert refused.stderr == "manage.py: ESM_CLASSIC_PORT must be a port from 0 to 65535, not '65536'\n"
    assert not (tmp_path / "data" / "up.lock").exists()


@pytest.mark.parametrize("value", ["0", "-1", "257", "two"])
def test_the_number_of_poll_processes_is_checked(monkeypatch, value: str) -> None:
    monkeypatch.setenv("ESM_WORKERS", value)
    with pytest.raises(ValueError, match="ESM_WORKERS must be a number from 1 to 256"):
        specs.poll_processes()


def test_processors_memory_and_disk_are_measured_against_the_requirement(monkeypatch, data: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    memory = namedtuple("memory", "total")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(total=3_500_000_000))
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: usage(free=1_400_000_000))
    found = [preflight.processors(), preflight.memory(), preflight.disk()]
    assert [check.outcome for check in found] == [Outcome.FAIL] * 3
    assert [check.found for check in found] == ["1", "3.5 GB", "1.4 GB"]
    assert all(check.remedy for check in found)


def test_a_data_folder_that_others_can_read_fails(data: Path) -> None:
    assert preflight.data_folder().outcome is Outcome.PASS
    data.chmod(0o750)
    check = preflight.data_folder()
    assert (check.outcome, check.remedy) == (Outcome.FAIL, f"chmod 700 {data}")


def test_keys_that_others_can_read_stop_the_start(data: Path) -> None:
    key = data / "keys" / "secrets.key"
    key.parent.mkdir(mode=0o700)
    key.touch(mode=0o600)
    assert preflight.secret_keys().outcome is Outcome.PASS
    key.chmod(0o640)
    check = preflight.secret_keys()
    assert check.outcome is Outcome.FAIL
    assert check.blocking
    assert check.remedy.startswith("chmod 600 ")


@pytest.mark.parametrize(
    ("variables", "outcome"),
    [
        ({}, Outcome.PASS),
        ({"HTTP_PROXY": "http://proxy:8080"}, Outcome.FAIL),
        ({"https_proxy": "http://proxy:8080", "NO_PROXY": "localhost"}, Outcome.FAIL),
        ({"HTTPS_PROXY": "http://proxy:8080", "no_proxy": "example.net, localhost,127.0.0.1"}, Outcome.PASS),
        ({"HTTP_PROXY": "http://proxy:8080", "NO_PROXY": "*"}, Outcome.PASS),
    ],
)
def test_a_proxy_must_leave_this_machine_out(monkeypatch, variables: dict[str, str], outcome: Outcome) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert preflight.proxies().outcome is outcome


def test_a_sleep_and_a_jump_of_the_clock_are_remembered_and_reported(monkeypatch, data: Path) -> None:
    times = iter([(1000.0, 50.0, 50.0), (1001.0, 51.0, 51.0), (4602.0, 52.0, 3652.0), (4703.0, 53.0, 3653.0)])
    monkeypatch.setattr(Clock, "_now", staticmethod(lambda: next(times)))
    clock = Clock(Instance(data))
    assert [clock.compare(), clock.compare(), clock.compare()] == [None, ("slept", 3600.0), ("set", 100.0)]
    clock.note()
    check = preflight.clock()
    assert check.outcome is Outcome.WARN
    assert check.found == "2 gaps in seven days, the longest 3600 s"


def test_ping_without_rights_is_a_warning_that_says_what_to_do(monkeypatch) -> None:
    from apps.protocols import ping

    monkeypatch.setattr(ping, "rights", lambda: None)
    check = preflight.ping_rights()
    assert check.outcome is Outcome.WARN
    assert "net.ipv4.ping_group_range" in check.remedy


def test_a_taken_port_fails_the_check(settings, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        settings.HTTP_PORT = holder.getsockname()[1]
        settings.CLASSIC_PORT = settings.TRAP_PORT = settings.EVENT_PORT = 0
        report = {check.name: check for check in preflight.listening_ports()}
    check = report[f"Port {settings.HTTP_PORT}/tcp (web)"]
    assert check.outcome is Outcome.FAIL
    assert f"process {os.getpid()}" in check.found
    assert [other.outcome for other in report.values() if other is not check] == [Outcome.PASS] * 3


def test_the_command_fails_when_a_check_fails(tmp_path: Path) -> None:
    report = manage("preflight", folder=tmp_path / "data", HTTP_PROXY="http://proxy:8080", NO_PROXY="")
    assert report.returncode == 1
    assert "fail  Proxy" in report.stdout
    assert "Set NO_PROXY=localhost,127.0.0.1" in report.stdout


@pytest.mark.parametrize(
    ("bind", "expected"),
    [("127.0.0.1", ["127.0.0.1"]), ("localhost, [::1]", ["127.0.0.1", "::1"]), ("", ["127.0.0.1"])],
)
def test_several_addresses_can_be_listened_on(bind: str, expected: list[str]) -> None:
    assert ports.addresses(bind) == expected


def test_a_port_may_have_addresses_of_its_own() -> None:
    port = Port("everywhere", "udp", 0, "ESM_SOME_PORT", "ESM_SOME_FDS", binds=("0.0.0.0",))
    number, opened = ports.open_port(port, ["127.0.0.1"])
    with socket.socket(fileno=opened[0]) as one:
        assert one.getsockname() == ("0.0.0.0", number)
    assert len(opened) == 1


def test_a_name_is_no_address_to_listen_on() -> None:
    with pytest.raises(ports.PortTaken, match="ESM_BIND must be addresses"):
        ports.addresses("portal.example.net")


def test_a_chosen_port_is_the_same_on_both_families() -> None:
    port = Port("pages", "tcp", 0, "ESM_HTTP_PORT", "ESM_WEB_FDS")
    number, descriptors = ports.open_port(port, ["127.0.0.1", "::1"])
    opened = [socket.socket(fileno=fd) for fd in descriptors]
    assert [each.getsockname()[:2] for each in opened] == [("127.0.0.1", number), ("::1", number)]
    for each in opened:
        each.close()


def test_the_first_start_makes_a_data_folder_for_its_owner_alone(tmp_path: Path) -> None:
    held = socket.create_server(("127.0.0.1", 0))
    manage("up", folder=tmp_path / "new" / "data", ESM_HTTP_PORT=str(held.getsockname()[1]))
    held.close()
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variable", "value"),
    [("ESM_TLS", "perhaps"), ("ESM_ALLOWED_HOSTS", "portal:21120"), ("ESM_REDIRECT_PORT", "65536")],
)
def test_a_variable_that_no_option_takes_is_named_at_the_start(monkeypatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit, match=f"^{variable}: "):
        preparation.check_environment()
