"""A demonstration stands on ground of its own: never on a real portal's, nor on that of another demonstration."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from apps.system.demo import ground


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in ``manage.py up``."""
    monkeypatch.setattr("sys.argv", ["manage.py", "up"])


@pytest.fixture
def free_ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks of ports that the other tests, and who else is on this machine, do not use.

    The port behind them is held as long as the test lasts: one that runs beside it and finds it taken goes on.
    """
    for first in range(22000, 32000, 50):
        with socket.socket() as held:
            try:
                held.bind(("", first + 30))
                _bind_all(range(first, first + 30))
            except OSError:
                continue
            monkeypatch.setattr(ground, "FIRST_PORT", first)
            yield
            return
    raise AssertionError("no thirty ports in a row are free")


def _bind_all(ports: range) -> None:
    with ExitStack() as stack:
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("", port))


def test_what_belongs_to_a_real_portal_is_left_alone(tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": "postgresql://somebody@database/fleet",
        "REDIS_URL": "redis://broker/0",
        "ESM_SECRETS_KEY_FILE": "/etc/portal/key",
        "ESM_BIND": "0.0.0.0",
        "ESM_ADMIN_NAME": "boss",
        "ESM_ADMIN_PASSWORD": "a password that nobody else may see",
        "ESM_HTTP_PORT": "8080",
        "ESM_DATA_DIR": str(tmp_path),
    }
    ground.prepare(tmp_path, environment)
    state = json.loads(environment.pop("ESM_DEMO_STATE"))
    assert (state["block"], state["staged"]) == (0, False)
    assert environment == {
        "ESM_DATA_DIR": str(tmp_path),
        "ESM_BIND": "127.0.0.1",
        "ESM_ADMIN_NAME": "demo",
        "ESM_ADMIN_PASSWORD": "show me the fleet",
        "ESM_HTTP_PORT": "8080",
        "ESM_CLASSIC_PORT": "21201",
        "ESM_TRAP_PORT": "21202",
        "ESM_FLEET_PORT": "21203",
        "ESM_EVENT_PORT": "21204",
    }
    assert list(tmp_path.iterdir()) == []


def test_it_has_a_folder_of_its_own(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    ground.prepare(tmp_path, environment)
    assert environment["ESM_DATA_DIR"] == str(tmp_path / "var" / "demo")


@pytest.mark.usefixtures("starting", "free_ports")
@pytest.mark.parametrize(("place", "kind"), [(0, socket.SOCK_STREAM), (2, socket.SOCK_DGRAM), (3, socket.SOCK_DGRAM)])
def test_a_second_one_moves_to_ports_and_addresses_that_are_free(tmp_path: Path, place: int, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as first:
        first.bind(("127.0.0.1", ground.FIRST_PORT + place))
        environment = {"ESM_DATA_DIR": str(tmp_path)}
        ground.prepare(tmp_path, environment)
    assert json.loads(environment["ESM_DEMO_STATE"])["block"] == 1
    assert environment["ESM_HTTP_PORT"] == str(ground.FIRST_PORT + 10)
    assert ground.first_address(1) == "127.101.0.1"


@pytest.mark.usefixtures("starting", "free_ports")
def test_a_port_that_was_asked_for_moves_nobody(tmp_path: Path) -> None:
    """It is left to the start, which names who holds it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = str(holder.getsockname()[1])
        environment = {"ESM_DATA_DIR": str(tmp_path), "ESM_HTTP_PORT": port}
        ground.prepare(tmp_path, environment)
    assert json.loads(environment["ESM_DEMO_STATE"])["block"] == 0
    assert environment["ESM_HTTP_PORT"] == port


@pytest.mark.usefixtures("starting", "free_ports")
def test_the_next_start_stands_where_the_last_one_stood(tmp_path: Path) -> None:
    ground.State(2, 1000.0, True).keep(tmp_path)
    environment = {"ESM_DATA_DIR": str(tmp_path)}
    ground.prepare(tmp_path, environment)
    assert json.loads(environment["ESM_DEMO_STATE"]) == {"block": 2, "begun_at": 1000.0, "staged": True}


@pytest.mark.usefixtures("starting", "free_ports")
def test_who_starts_a_running_one_again_moves_nothing(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "up.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as fleet:
            fleet.bind(("", ground.FIRST_PORT + 3))
            environment = {"ESM_DATA_DIR": str(tmp_path)}
            ground.prepare(tmp_path, environment)
    finally:
        os.close(lock)
    assert json.loads(environment["ESM_DEMO_STATE"])["block"] == 0


def test_processes_of_one_demonstration_stand_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ground.State(7, 1000.0)
    environment = {"ESM_DEMO_STATE": json.dumps({"block": 7, "begun_at": 1000.0, "staged": False})}
    ground.prepare(tmp_path, environment)
    assert environment["ESM_FLEET_PORT"] == "21273"
    monkeypatch.setenv("ESM_DEMO_STATE", environment["ESM_DEMO_STATE"])
    assert ground.current() == state


def test_a_real_portal_knows_nothing_of_it() -> None:
    from esm.settings import base

    assert not [name for name in base.INSTALLED_APPS if "demo" in name]
