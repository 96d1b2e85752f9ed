"""The same stream received by what others wrote: net-snmp's snmptrapd, alone and with snmptt behind it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import stream
from tests.bench.outcomes import Outcome, Sender, cpu_seconds, kernel_drops, until_all
from tests.peers import free_udp_port, program

HANDLER = Path("/usr/lib/snmptt/snmptthandler-embedded")
STARTED = 3.0  # seconds that they get
_TABLES = """
CREATE TABLE snmptt (eventname VARCHAR(50), eventid VARCHAR(50), trapoid VARCHAR(100), enterprise VARCHAR(100),
  community VARCHAR(20), hostname VARCHAR(100), agentip VARCHAR(16), category VARCHAR(20), severity VARCHAR(20),
  uptime VARCHAR(20), traptime VARCHAR(30), formatline VARCHAR(255));
CREATE TABLE snmptt_unknown (trapoid VARCHAR(100), enterprise VARCHAR(100), community VARCHAR(20),
  hostname VARCHAR(100), agentip VARCHAR(16), uptime VARCHAR(20), traptime VARCHAR(30), formatline VARCHAR(255));
"""


def to_file(folder: Path, sender: Sender, rate: int, seconds: float) -> Outcome:
    """Let ``snmptrapd`` write a line for each notification."""
    written = folder / "traps.txt"
    configuration = "disableAuthorization yes\nformat1 TRAP %a %N %w %q %W %v\\n\nformat2 TRAP %b %v\\n\n"
    with _snmptrapd(folder, configuration, written) as (process, port):
        before, start = cpu_seconds([process.pid]), time.monotonic()
        sent = sender.send(port, rate, seconds)
        end = until_all(lambda: written.read_bytes().count(b"\nTRAP "), sent)
        cpu, dropped = cpu_seconds([process.pid]) - before, kernel_drops(port)
    stored = written.read_bytes().count(b"\nTRAP ")
    return Outcome("snmptrapd to a file", sent, stored, None, dropped, end - start, cpu)


def to_database(folder: Path, sender: Sender, rate: int, seconds: float, database: str, server: int) -> Outcome:
    """Let ``snmptrapd`` hand notifications to ``snmptt``, in the faster of its two ways, which stores them."""
    import psycopg

    spool = folder / "spool"
    spool.mkdir()
    (folder / "snmptt.conf").write_text(_definitions())
    (folder / "snmptt.ini").write_text(_snmptt(folder, spool, database))
    handler = folder / "handler"
    handler.write_text(HANDLER.read_text().replace("my $ini = '';", f"my $ini = '{folder}/snmptt.ini';"))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_TABLES)

        def rows(*tables: str) -> int:
            return sum(connection.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables)  # type: ignore[call-overload,index]

        command = [program("snmptt", "snmptt"), "--daemon", f"--ini={folder / 'snmptt.ini'}"]
        configuration = f'disableAuthorization yes\ndoNotLogTraps yes\nperl do "{handler}"\n'
        with (
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon,
            _snmptrapd(folder, configuration, folder / "snmptrapd.log") as (process, port),
        ):
            pids = [process.pid, daemon.pid, server]
            before, start = cpu_seconds(pids), time.monotonic()
            sent = sender.send(port, rate, seconds)
            end = until_all(lambda: rows("snmptt", "snmptt_unknown"), sent)
            cpu, dropped = cpu_seconds(pids) - before, kernel_drops(port)
            daemon.terminate()
        stored, matched = rows("snmptt", "snmptt_unknown"), rows("snmptt")
    return Outcome("snmptrapd and snmptt to PostgreSQL", sent, stored, matched, dropped, end - start, cpu)


@contextmanager
def _snmptrapd(folder: Path, configuration: str, log: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run it with the largest buffer that it can get, and numbers left as they are."""
    (folder / "snmptrapd.conf").write_text(configuration)
    (folder / "snmp.conf").write_text("[snmp] serverRecvBuf 16777216\n")
    port = free_udp_port()
    command = [
        program("snmptrapd", "snmptrapd"),
        "-f",
        "-C",
        "-On",
        "-n",
        "-m",
        "",
        "-c",
        str(folder / "snmptrapd.conf"),
    ]
    command += ["-Lf", str(log), "-p", str(folder / "snmptrapd.pid"), f"udp:127.0.0.1:{port}"]
    environment = {**os.environ, "MIBS": "", "SNMPCONFPATH": str(folder), "SNMP_PERSISTENT_DIR": str(folder)}
    environment["RES_OPTIONS"] = "attempts:0"  # it looks every sender's name up, although -n tells it not to
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(STARTED)
        if process.poll() is not None:
            raise SystemExit(f"snmptrapd does not start: {log.read_text()}")
        try:
            yield process, port
        finally:
            process.terminate()


def _definitions() -> str:
    known = {
        "coldStart": (stream.COLD_START, "Device reinitialized"),
        "linkDown": (stream.LINK_DOWN, "Link down on interface $2 ($1). Admin state: $3. Operational state: $4"),
        "linkUp": (stream.LINK_UP, "Link up on interface $2 ($1). Admin state: $3. Operational state: $4"),
        "authenticationFailure": (stream.AUTHENTICATION_FAILURE, "SNMP authentication failed"),
    }
    return "".join(
        f'EVENT {name} .{oid} "Status Events" Normal\nFORMAT {text}\n' for name, (oid, text) in known.items()
    )


def _snmptt(folder: Path, spool: Path, database: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    words = conninfo_to_dict(database)
    return f"""[General]
mode = daemon
net_snmp_perl_enable = 0
dns_enable = 0
translate_value_oids = 0
translate_integers = 0
[DaemonMode]
daemon_fork = 0
pid_file = {folder}/snmptt.pid
spool_directory = {spool}/
sleep = 1
use_trap_time = 1
[Logging]
stdout_enable = 0
log_enable = 0
syslog_enable = 0
syslog_system_enable = 0
unknown_trap_log_enable = 1
unknown_trap_log_file = /dev/null
[SQL]
postgresql_dbi_enable = 1
postgresql_dbi_module = 1
postgresql_dbi_hostport_enable = 1
postgresql_dbi_host = {words["host"]}
postgresql_dbi_port = {words.get("port", 5432)}
postgresql_dbi_database = {words["dbname"]}
postgresql_dbi_table = snmptt
postgresql_dbi_table_unknown = snmptt_unknown
postgresql_dbi_table_statistics =
postgresql_dbi_username = {words["user"]}
postgresql_dbi_password =
postgresql_ping_on_insert = 0
[Exec]
exec_enable = 0
pre_exec_enable = 0
[TrapFiles]
snmptt_conf_files = <<END
{folder}/snmptt.conf
END
"""
