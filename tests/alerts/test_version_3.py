"""The receiver process and version 3: users of credentials, our engine, answers after the commit, refusals told."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.alerts.models import Count
from apps.alerts.receivers.engine import FILE, start_engine
from apps.components.services import credentials
from apps.core import options
from apps.core.actors import SYSTEM
from apps.protocols.snmp.ber import PduKind, encode_pdu
from apps.protocols.snmp.usm import MOST_BOOTS, discovery, read_v3_header
from tests.alerts.process import DEADLINE, Receiver, lock_out, net_snmp, wait_for
from tests.factories import make_component, make_credential, make_interface
from tests.peers import free_udp_port, net_snmp_environment, program

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("receiver"),
    pytest.mark.one_database,  # what is stored is the same as of the other versions
]

COLD_START, AUTHENTICATION_FAILURE = "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.5"
LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1"
WATCHER = ("-l", "authPriv", "-u", "watcher", "-a", "SHA-256", "-A", "auth-secret", "-x", "AES", "-X", "priv-secret")
SIGNED = ("-l", "authNoPriv", "-u", "signer", "-a", "MD5", "-A", "auth-secret")
OPEN = ("-l", "noAuthNoPriv", "-u", "open")


class Device:
    """What net-snmp's programs send as one device, which keeps its engine id and counts its starts."""

    def __init__(self, folder: Path) -> None:
        self.environment = net_snmp_environment(folder)

    def command(
        self, name: str, port: int, *login: str, oid: str = LINK_DOWN, index: int = 3, patience: int = 8
    ) -> list[str]:
        words = (f"127.0.0.1:{port}", "77", oid, f"{IF_INDEX}.{index}", "i", str(index))
        return [program(name, "snmp"), "-v3", "-r1", f"-t{patience}", *login, *words]

    def send(self, name: str, port: int, *login: str, **more: Any) -> int:
        command = self.command(name, port, *login, **more)
        return subprocess.run(command, env=self.environment, timeout=30, capture_output=True).returncode


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "device")


def make_signer() -> None:
    make_credential("snmp-v3", username="signer", auth_protocol="MD5", priv_protocol="none", priv_password="")


def make_open() -> None:
    nothing = {"auth_protocol": "none", "auth_password": "", "priv_protocol": "none", "priv_password": ""}
    make_credential("snmp-v3", username="open", **nothing)


def ask_for_engine(receiver: Receiver) -> tuple[str, int]:
    """Ask as every sender of informs does that knows nothing yet; gives the engine id and its boots."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(DEADLINE)
        sender.sendto(discovery(77, encode_pdu(PduKind.GET, 1, 0, 0, b"")), ("127.0.0.1", receiver.port))
        header = read_v3_header(sender.recv(2000))
    assert header.message_id == 77
    return header.engine_id.hex(), header.boots


def test_traps_and_informs_of_every_level_become_alerts_without_a_secret(start, device):
    component = make_interface(make_component("web-01", status="normal"), address="127.0.0.1").component
    make_credential("snmp-v3")
    make_signer()
    make_open()
    receiver = start()
    for number, login in enumerate((WATCHER, SIGNED, OPEN)):
        assert device.send("snmptrap", receiver.port, *login, index=number + 1) == 0
        assert device.send("snmpinform", receiver.port, *login, oid=LINK_UP, index=number + 1) == 0
    wait_for(lambda: receiver.alerts().count() == 6)
    for number, alert in enumerate(receiver.alerts().filter(trap_oid=LINK_DOWN)):
        assert (str(alert.title), alert.version, alert.component_id) == (
            f"Link of {number + 1} went down",
            "3",
            component.pk,
        )
        assert alert.bindings == [{"oid": f"{IF_INDEX}.{number + 1}", "type": "Integer", "value": str(number + 1)}]
        assert (alert.request_id is not None, alert.digest) == (True, "")
    kept = b"".join(bytes(alert.datagram) for alert in receiver.alerts())
    assert b"watcher" in kept
    assert not re.search(rb"(auth|priv)-secret", kept)
    assert receiver.alerts().filter(trap_oid=LINK_UP, incident__state="closed").count() == 3
    assert receiver.stop() == 0
    assert receiver.count(Count.STORED) == 6
    assert receiver.count(Count.ASKED) >= 3
    assert not re.search(r"(auth|priv)-secret", receiver.log.read_text())


def test_an_inform_is_answered_after_the_commit_and_who_asks_for_the_engine_at_once(start, device):
    make_credential("snmp-v3")
    receiver = start()
    release = lock_out()
    with subprocess.Popen(
        device.command("snmpinform", receiver.port, *WATCHER), env=device.environment, stderr=subprocess.DEVNULL
    ) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        ask_for_engine(receiver)
        assert not receiver.alerts().exists()
        release()
        assert process.wait(DEADLINE) == 0
    assert receiver.alerts().count() == 1


def test_a_restart_keeps_the_engine_id_counts_up_and_agents_find_back(start, tmp_path):
    make_credential("snmp-v3")
    first = start()
    engine_id, boots = ask_for_engine(first)
    assert (engine_id[:10], boots) == ("80001f8805", 1)
    with agent_that_informs(tmp_path / "agent", first.port) as (ask_wrongly, ended):
        wait_for(lambda: first.alerts().filter(trap_oid=COLD_START).exists())
        assert first.stop() == 0
        second = start(ESM_TRAP_PORT=str(first.port))
        assert ask_for_engine(second) == (engine_id, 2)
        assert json.loads((tmp_path / FILE).read_text()) == {"engine_id": engine_id, "boots": 2}
        ask_wrongly()
        wait_for(lambda: second.alerts().filter(trap_oid=AUTHENTICATION_FAILURE).exists())
        assert not ended()
    assert second.alerts().filter(trap_oid=AUTHENTICATION_FAILURE).count() == 1


@contextmanager
def agent_that_informs(folder: Path, port: int) -> Iterator[tuple[Callable[[], None], Callable[[], bool]]]:
    """Run net-snmp's agent, which informs of its start and of whoever asks it with a wrong community."""
    own = free_udp_port()
    folder.mkdir()
    lines = [
        f"agentaddress udp:127.0.0.1:{own}",
        "rocommunity public",
        "authtrapenable 1",
        f"trapsess -Ci -v3 -r5 -t1 {' '.join(WATCHER)} 127.0.0.1:{port}",
    ]
    (folder / "agent.conf").write_text("\n".join(lines) + "\n")
    command = [program("snmpd", "snmpd"), "-f", "-C", "-c", str(folder / "agent.conf"), "-p", str(folder / "pid")]
    environment = net_snmp_environment(folder)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask_wrongly() -> None:
        words = [program("snmpget", "snmp"), "-v2c", "-cwrong", "-r0", "-t0.2", f"127.0.0.1:{own}", "1.3.6.1.2.1.1.1.0"]
        subprocess.run(words, env=environment, timeout=10, capture_output=True)

    try:
        yield ask_wrongly, lambda: process.poll() is not None
    finally:
        process.terminate()
        process.wait(10)


def test_users_are_taken_over_while_it_runs(start, device):
    receiver = start()
    assert device.send("snmptrap", receiver.port, *WATCHER) == 0
    wait_for(lambda: receiver.count(Count.UNKNOWN_USER) == 1)
    credential = make_credential("snmp-v3")
    # Several credentials may name the same user; the traps of each are read.
    make_credential("snmp-v3", auth_protocol="SHA", auth_password="other-secret")
    other = ("-l", "authPriv", "-u", "watcher", "-a", "SHA", "-A", "other-secret", "-x", "AES", "-X", "priv-secret")

    def arrived(*login: str) -> bool:
        before = receiver.alerts().count()
        return device.send("snmpinform", receiver.port, *login) == 0 and receiver.alerts().count() == before + 1

    wait_for(lambda: arrived(*WATCHER))
    assert arrived(*other)
    credentials.change(credential, SYSTEM, fields={"auth_password": "changed-secret"})
    changed = [word.replace("auth-secret", "changed-secret") for word in WATCHER]
    wait_for(lambda: arrived(*changed))
    assert arrived(*other)
    assert device.send("snmpinform", receiver.port, *WATCHER, patience=1) != 0
    assert receiver.stop() == 0
    assert receiver.count(Count.WRONG_DIGEST) >= 1


def test_versions_and_levels_that_are_not_accepted_are_counted(start, device):
    make_credential("snmp-v3")
    make_signer()
    options.set_value("trap_v1", False, SYSTEM)
    options.set_value("trap_v2c", False, SYSTEM)
    options.set_value("trap_v3_level", "authPriv", SYSTEM)
    options.set_value("trap_communities", ["right"], SYSTEM)
    receiver = start()
    net_snmp("snmptrap", receiver.port, "1.3.6.1.4.1.8072", "", "0", "0", "", version="1", community="right")
    net_snmp("snmptrap", receiver.port, "", LINK_DOWN, community="right")
    assert device.send("snmptrap", receiver.port, *SIGNED) == 0
    assert device.send("snmpinform", receiver.port, *WATCHER) == 0
    assert receiver.alerts().get().version == "3"
    assert receiver.stop() == 0
    assert (receiver.count(Count.VERSION), receiver.count(Count.LEVEL), receiver.count(Count.RECEIVED)) == (
        2,
        1,
        receiver.count(Count.ASKED) + 4,
    )


def test_without_its_database_it_tells_its_engine_and_keeps_what_comes(start, device):
    make_credential("snmp-v3")
    receiver = start(DATABASE_URL="postgresql://127.0.0.1:1/nowhere")
    assert ask_for_engine(receiver)[1] == 1
    assert device.send("snmptrap", receiver.port, *WATCHER) == 0
    receiver.process.send_signal(signal.SIGTERM)
    assert receiver.process.wait(15) == 1
    assert "1 datagrams could not be stored before the end" in receiver.log.read_text()


# --- our engine on the disk -------------------------------------------------------------------------------------------


def test_an_engine_counts_each_start_and_stops_at_the_highest_number(tmp_path, caplog):
    first, second = start_engine(tmp_path), start_engine(tmp_path)
    assert (first.boots, second.boots) == (1, 2)
    assert first.engine_id == second.engine_id
    assert len(first.engine_id) == 17
    (tmp_path / FILE).write_text(json.dumps({"engine_id": first.engine_id.hex(), "boots": MOST_BOOTS - 1}))
    assert [start_engine(tmp_path).boots for _ in range(2)] == [MOST_BOOTS, MOST_BOOTS]
    assert "cannot count its starts any further" in caplog.text


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"engine_id": "80", "boots": 3}', '{"engine_id": "xy"}'])
def test_an_engine_whose_file_is_spoiled_gets_a_new_id(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    engine = start_engine(tmp_path)
    assert engine.boots == 1
    assert start_engine(tmp_path).engine_id == engine.engine_id


def test_an_engine_that_cannot_be_written_down_has_an_id_that_nobody_knows(tmp_path, caplog):
    known = start_engine(tmp_path)
    os.mkdir(tmp_path / "snmp-engine.new")
    engine = start_engine(tmp_path)
    assert (engine.boots, engine.engine_id != known.engine_id) == (1, True)
    assert "cannot be written" in caplog.text
