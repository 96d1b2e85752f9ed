"""The write turn: four processes at once on one SQLite file, nobody fails and nobody waits for long."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

WRITER = """
import json, sys, time
import django
from django.conf import settings
from esm.settings import env
from pathlib import Path
settings.configure(DATABASES={"default": env.sqlite(Path(sys.argv[1]))}, INSTALLED_APPS=[], USE_TZ=True)
django.setup()
from django.db import connection
from apps.core.writes import turn
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
waits = []
for number in range(int(sys.argv[2])):
    began = time.monotonic()
    with turn(), connection.cursor() as cursor:
        waits.append(time.monotonic() - began)
        cursor.execute("SELECT value FROM counter")
        value = cursor.fetchone()[0]
        with turn():  # a savepoint: the turn is held already
            cursor.execute("UPDATE counter SET value = %s", [value + 1])
print(json.dumps(waits))
"""
PROCESSES, WRITES = 4, 150
ROOT = Path(__file__).resolve().parents[2]


def counting(path: Path) -> sqlite3.Connection:
    """Make a database with one number in it."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE counter (value INTEGER)")
    database.execute("INSERT INTO counter VALUES (0)")
    database.commit()
    return database


def test_four_processes_write_in_turn(tmp_path: Path):
    path = tmp_path / "turns.sqlite3"
    database = counting(path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(WRITES)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _number in range(PROCESSES)
    ]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * PROCESSES
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    answers = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * PROCESSES, [error for _out, error in answers]
    assert database.execute("SELECT value FROM counter").fetchone() == (PROCESSES * WRITES,)
    waits = sorted(wait for out, _error in answers for wait in json.loads(out))
    # Fair: nobody waits longer than the whole run of the others would take, far below the busy timeout of 20 s.
    assert waits[-1] < 5.0


AFTERWARDS = """
import os, sys, threading, time
import django
from django.conf import settings
from esm.settings import env
from pathlib import Path
settings.configure(DATABASES={"default": env.sqlite(Path(sys.argv[1]))}, INSTALLED_APPS=[], USE_TZ=True)
django.setup()
from django.db import connection, transaction
from apps.core.writes import turn

def write():
    with turn(), connection.cursor() as cursor:
        cursor.execute("UPDATE counter SET value = value + 1")

def ask_another():
    other = threading.Thread(target=write_and_close)
    other.start()
    other.join(20)
    assert not other.is_alive(), "a thread that was asked after the commit waits for the turn"

def write_and_close():
    write()
    connection.close()

queued = threading.Thread(target=write_and_close)
with turn():
    transaction.on_commit(write)  # although somebody stands at the head of the queue by then
    transaction.on_commit(ask_another)
    write()
    queued.start()
    time.sleep(0.5)
queued.join()
open_before = len(os.listdir("/proc/self/fd"))
for _ in range(20):
    ask_another()
print(len(os.listdir("/proc/self/fd")) - open_before)
"""


def test_what_waits_for_the_commit_may_write_and_no_thread_leaves_a_file_open(tmp_path: Path):
    path = tmp_path / "turns.sqlite3"
    database = counting(path)
    command = [sys.executable, "-c", AFTERWARDS, str(path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "0\n"), ran.stderr
    assert database.execute("SELECT value FROM counter").fetchone() == (24,)
