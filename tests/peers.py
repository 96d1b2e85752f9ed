"""Programs that others wrote and that our tests talk to, each started on loopback with a folder of its own."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apps.protocols.snmp import SnmpTarget

START_WITHIN = 15.0  # seconds

# A table of our own inside the real agent, whose values never change: 3 columns, wide enough that not everything that
# one asks for fits into one answer.
WIDE_TABLE = "1.3.6.1.4.1.8072.9999.9999.7"
WIDE_ROWS = 300
TYPED_VALUES = "1.3.6.1.4.1.8072.9999.9999.8"

_USERS = {
    "none": {},
    "md5": {"auth_protocol": "MD5"},
    "sha": {"auth_protocol": "SHA"},
    "sha-aes": {"auth_protocol": "SHA", "priv_protocol": "AES-128"},
    "sha224-aes": {"auth_protocol": "SHA-224", "priv_protocol": "AES-128"},
    "sha256-aes": {"auth_protocol": "SHA-256", "priv_protocol": "AES-128"},
    "sha384-aes": {"auth_protocol": "SHA-384", "priv_protocol": "AES-128"},
    "sha512-aes": {"auth_protocol": "SHA-512", "priv_protocol": "AES-128"},
    "sha512-aes256": {"auth_protocol": "SHA-512", "priv_protocol": "AES-256"},
    "sha-aes192": {"auth_protocol": "SHA", "priv_protocol": "AES-192"},
    "sha-des": {"auth_protocol": "SHA", "priv_protocol": "DES"},
}
_NET_SNMP_PRIV = {"AES-128": "AES", "AES-192": "AES-192", "AES-256": "AES-256", "DES": "DES"}
AUTH_PASSWORD = "authpass123"
PRIV_PASSWORD = "privpass123"
V3_LOGIN = {
    "username": "sha256-aes",
    "auth_password": AUTH_PASSWORD,
    "priv_password": PRIV_PASSWORD,
    **_USERS["sha256-aes"],
}


def program(name: str, package: str) -> str:
    """The path of a peer's program; the test fails, naming the Debian package, when it is not installed."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        pytest.fail(f'{name} is missing: install the Debian package "{package}" (apt-get install {package})')
    return path


def free_udp_port() -> int:
    """A UDP port that nobody uses on 127.0.0.1 and ::1."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four:
            four.bind(("127.0.0.1", 0))
            port = int(four.getsockname()[1])
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
                try:
                    six.bind(("::1", port))
                except OSError:
                    continue
                return port


@dataclass(frozen=True)
class Snmpd:
    """A running net-snmp agent and the logins it knows: community ``public`` and the users of ``user``."""

    port: int
    environment: dict[str, str]

    def target(self, version: str = "2c", **fields: Any) -> SnmpTarget:
        """How our client reaches it."""
        settings = {"address": "127.0.0.1", "port": self.port, "version": version, "timeout": 1.0, "retries": 1}
        return SnmpTarget(**settings | fields)

    def user(self, name: str, **fields: Any) -> SnmpTarget:
        """How our client reaches it as one of its version 3 users."""
        login = {"username": name, "auth_password": AUTH_PASSWORD, "priv_password": PRIV_PASSWORD, **_USERS[name]}
        return self.target("3", **login | fields)


def net_snmp_environment(folder: Path) -> dict[str, str]:
    """The environment in which net-snmp's programs leave the machine's own settings alone."""
    return {
        **os.environ,
        "MIBS": "",
        "SNMP_PERSISTENT_DIR": str(folder / "persistent"),
        "SNMPCONFPATH": str(folder),
        "LC_ALL": "C",
    }


def _configuration(port: int) -> str:
    lines = [f"agentaddress udp:127.0.0.1:{port},udp6:[::1]:{port}", "rocommunity public", "rocommunity6 public"]
    for name, settings in _USERS.items():
        words, level = [name], "noauth"
        if "auth_protocol" in settings:
            words += [settings["auth_protocol"], AUTH_PASSWORD]
            level = "auth"
        if "priv_protocol" in settings:
            words += [_NET_SNMP_PRIV[settings["priv_protocol"]], PRIV_PASSWORD]
            level = "priv"
        lines += [f"createUser {' '.join(words)}", f"rouser {name} {level}"]
    for column in (1, 2, 3):
        for row in range(1, WIDE_ROWS + 1):
            lines.append(f'override {WIDE_TABLE}.1.{column}.{row} octet_str "{f"column {column} row {row}":*<60}"')
    lines += [
        f"override {TYPED_VALUES}.1.0 integer -129",
        f"override {TYPED_VALUES}.2.0 uinteger 4294967295",
        f"override {TYPED_VALUES}.3.0 counter 4000000000",
        f"override {TYPED_VALUES}.4.0 timeticks 123456",
        f"override {TYPED_VALUES}.5.0 object_id 1.3.6.1.4.1.119.2.4294967295.1",
        f'override {TYPED_VALUES}.6.0 octet_str ""',
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    """A real net-snmp agent on loopback, IPv4 and IPv6, for the whole run."""
    path = program("snmpd", "snmpd")
    folder = tmp_path_factory.mktemp("snmpd")
    port = free_udp_port()
    (folder / "agent.conf").write_text(_configuration(port))
    environment = net_snmp_environment(folder)
    process = subprocess.Popen(
        [path, "-f", "-C", "-c", str(folder / "agent.conf"), "-Le", "-p", str(folder / "pid")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = threading.Event()
    said: list[str] = []

    def listen() -> None:
        assert process.stderr
        for line in process.stderr:
            said.append(line)
            if line.startswith("NET-SNMP version"):
                ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        if not ready.wait(START_WITHIN):
            pytest.fail("snmpd does not start: " + "".join(said[-20:]))
        yield Snmpd(port, environment)
    finally:
        process.terminate()
        process.wait(10)
        listener.join(5)
