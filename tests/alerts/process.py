"""The receiver process in tests: started over the database of the test, sent to by net-snmp, kept from the database."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, connections

from apps.alerts.models import Alert, AlertDefinition, Count, Counter
from apps.alerts.services.loading import load
from tests.factories import ship_definitions
from tests.system.waiting import FIRST_PAUSE, LONGEST_PAUSE

DEADLINE = 60.0  # seconds: for what takes one, on a machine that does other things too


def wait_for(what: Callable[[], Any], within: float = DEADLINE) -> Any:
    end, pause = time.monotonic() + within, FIRST_PAUSE
    while not (found := what()):
        assert time.monotonic() < end, f"not within {within} s: {what}"
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)
    return found


@dataclass
class Receiver:
    """The process, where it listens, and what it wrote to its log."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def alerts(self) -> Any:
        return Alert.objects.order_by("pk")

    def count(self, name: Count) -> int:
        return next(iter(Counter.objects.filter(pk=name).values_list("value", flat=True)), 0)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def _share_database(folder: Path) -> str:
    """Let this process use a database that another can open, too, unless it does already; gives its URL."""
    if connection.vendor == "postgresql":
        parts = urlsplit(os.environ["TEST_DATABASE_URL"])
        return f"postgresql://{parts.netloc}/{connection.settings_dict['NAME']}?{parts.query}"
    path = folder / "portal.sqlite3"
    if path.exists():
        return f"sqlite:///{path}"
    copy = sqlite3.connect(path)
    connection.ensure_connection()
    connection.connection.backup(copy)
    copy.execute("PRAGMA journal_mode=WAL")
    copy.close()
    shared = connections["default"].copy()
    shared.settings_dict["NAME"] = str(path)
    connections["default"] = shared
    return f"sqlite:///{path}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    """Start the receiver over what the database holds by then."""
    started: list[Receiver] = []
    own = connections["default"]

    def _start(*, without_traps: bool = False, **environment: str) -> Receiver:
        if not AlertDefinition.objects.exists():
            ship_definitions()
        elif not AlertDefinition.objects.exclude(origin="").exists():
            load(settings.FIXTURES_DIR / "alert_definitions")
        url = _share_database(tmp_path)
        log = tmp_path / "receiver.log"
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ESM_")},
            "DJANGO_SETTINGS_MODULE": "esm.settings.prod",
            "ESM_DATA_DIR": str(tmp_path),
            "DATABASE_URL": url,
            "ESM_SECRETS_KEY_FILE": str(settings.SECRETS_KEY_FILE),
            "ESM_TRAP_PORT": "0",
            "ESM_EVENT_PORT": "0",
            **environment,
        }
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "receive_alerts"],
                env=env,
                stderr=output,
                cwd=settings.BASE_DIR,
                text=True,
            )
        what = "Redfish events" if without_traps else "SNMP notifications"
        pattern = re.compile(rf"receiving {what} on \S+:(\d+)")
        ready = wait_for(lambda: process.poll() is not None or pattern.search(log.read_text()))
        assert process.poll() is None, log.read_text()
        started.append(Receiver(process, int(ready[1]), log))
        return started[-1]

    yield _start
    for receiver in started:
        if receiver.process.poll() is None:
            receiver.process.kill()
            receiver.process.wait()
    if connections["default"] is not own:
        connections["default"].close()
        connections["default"] = own


def net_snmp(program: str, port: int, *arguments: str, version: str = "2c", community: str = "s3cret-word") -> None:
    command = [program, "-v", version, "-c", community, "-r", "0", "-t", "10", f"127.0.0.1:{port}", *arguments]
    subprocess.run(command, check=True, timeout=20, env={**os.environ, "MIBS": ""}, capture_output=True)


def lock_out() -> Callable[[], None]:
    """Keep everybody from writing alerts until the function that it gives is called."""
    lock = connections["default"].copy()
    lock.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    if lock.vendor == "postgresql":
        with lock.cursor() as cursor:
            cursor.execute("LOCK TABLE alerts_alert IN SHARE ROW EXCLUSIVE MODE")

    def release() -> None:
        lock.rollback()
        lock.close()

    return release
