"""Version 3 notifications that net-snmp and pysnmp send, in every algorithm."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    NotificationType,
    ObjectIdentity,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
    usm3DESEDEPrivProtocol,
    usmAesBlumenthalCfb192Protocol,
    usmAesBlumenthalCfb256Protocol,
    usmAesCfb192Protocol,
    usmAesCfb256Protocol,
    usmHMAC192SHA256AuthProtocol,
    usmHMACMD5AuthProtocol,
    usmHMACSHAAuthProtocol,
)
from pysnmp.proto import rfc1902

from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import NotificationKind
from apps.protocols.snmp.receiving import Opened, Reason, Receiving, Refused, is_version_3
from apps.protocols.snmp.target import AUTH_PROTOCOLS
from apps.protocols.snmp.usm import User
from tests.peers import AUTH_PASSWORD, PRIV_PASSWORD, net_snmp_environment, program
from tests.protocols.snmp.notifications import IF_INDEX, LINK_DOWN, expected, receiving, user

# What net-snmp calls the protocols, and what a credential calls them; "-C" makes the key as Cisco does.
NET_SNMP_PRIVACY = {
    "DES": "DES",
    "AES": "AES-128",
    "AES-192": "AES-192",
    "AES-256": "AES-256",
    "AES-192-C": "AES-192",
    "AES-256-C": "AES-256",
}


class Peer:
    """Receives what another program sends to a socket, and answers it, until a notification is open."""

    def __init__(self, gate: Receiving) -> None:
        self.gate = gate
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(10)
        self.port = int(self.socket.getsockname()[1])
        self.refused: list[Reason] = []

    def take(self) -> Opened | None:
        """Give the next notification; None when a message was refused without a report."""
        while True:
            data, sender = self.socket.recvfrom(65535)
            assert is_version_3(data)
            try:
                opened = self.gate.open(data, time.monotonic())
            except Refused as error:
                self.refused.append(error.reason)
                if error.report is None:
                    return None
                self.socket.sendto(error.report, sender)
                if not error.teaches:
                    return None
            else:
                if opened.is_inform:
                    self.socket.sendto(opened.answer(), sender)
                return opened

    def net_snmp(self, folder: Path, command: str, *login: str) -> tuple[Opened | None, int]:
        """Have a program of net-snmp send one notification; gives it, and how the program ended."""
        words = ["-v3", "-r0", "-t8", *login, f"127.0.0.1:{self.port}", "77", LINK_DOWN, IF_INDEX, "i", "3"]
        process = subprocess.Popen(
            [program(command, "snmp"), *words], env=net_snmp_environment(folder), stderr=subprocess.DEVNULL
        )
        return self.take(), process.wait(20)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(receiving())
    yield made
    made.socket.close()


@pytest.mark.parametrize("auth", AUTH_PROTOCOLS)
@pytest.mark.parametrize(
    ("command", "kind"), [("snmptrap", NotificationKind.TRAP), ("snmpinform", NotificationKind.INFORM)]
)
def test_net_snmp_is_understood_in_every_algorithm(
    peer: Peer, tmp_path: Path, auth: str, command: str, kind: NotificationKind
) -> None:
    login = ["-u", "device"] if auth == "none" else ["-u", "device", "-a", auth, "-A", AUTH_PASSWORD]
    for theirs, ours in {"": "none"}.items() if auth == "none" else {"": "none", **NET_SNMP_PRIVACY}.items():
        peer.gate.admit([user(auth, ours)])
        level = "authPriv" if theirs else "noAuthNoPriv" if auth == "none" else "authNoPriv"
        privacy = ["-x", theirs, "-X", PRIV_PASSWORD] if theirs else []
        opened, ended = peer.net_snmp(tmp_path, command, "-l", level, *login, *privacy)
        assert opened is not None, f"{auth} {theirs}: {peer.refused}"
        expected(kind, opened.notification())
        assert ended == 0, f"{auth} {theirs}: {command} had no answer that it takes"


@pytest.mark.parametrize("kind", NotificationKind)
@pytest.mark.parametrize(
    ("priv", "theirs"),
    [
        ("3DES", usm3DESEDEPrivProtocol),
        ("AES-192", usmAesBlumenthalCfb192Protocol),
        ("AES-192", usmAesCfb192Protocol),
        ("AES-256", usmAesBlumenthalCfb256Protocol),
        ("AES-256", usmAesCfb256Protocol),
    ],
)
async def test_pysnmp_is_understood_in_what_net_snmp_lacks(
    peer: Peer, kind: NotificationKind, priv: str, theirs: tuple[int, ...]
) -> None:
    protocols = {
        "MD5": usmHMACMD5AuthProtocol,
        "SHA": usmHMACSHAAuthProtocol,
        "SHA-256": usmHMAC192SHA256AuthProtocol,
    }
    for auth, protocol in protocols.items():
        peer.gate.admit([user(auth, priv)])
        engine = SnmpEngine()
        login = UsmUserData("device", AUTH_PASSWORD, PRIV_PASSWORD, authProtocol=protocol, privProtocol=theirs)
        sent = NotificationType(ObjectIdentity(LINK_DOWN)).add_varbinds((IF_INDEX, rfc1902.Integer32(3)))
        target = await UdpTransportTarget.create(("127.0.0.1", peer.port), timeout=8, retries=0)
        taken = asyncio.get_running_loop().run_in_executor(None, peer.take)
        indication, *_ = await send_notification(
            engine, login, target, ContextData(), kind.value, sent, lookupMib=False
        )
        opened = await taken
        engine.close_dispatcher()
        assert opened is not None, f"{auth}: {peer.refused}"
        assert indication is None
        notification = opened.notification()
        assert (notification.kind, notification.trap_oid) == (kind, LINK_DOWN)
        assert (IF_INDEX, Tag.INTEGER, 3) in notification.varbinds


@pytest.mark.parametrize(
    ("ours", "reason"),
    [
        (user(auth_password="another-password"), Reason.WRONG_DIGEST),
        (user("SHA-512"), Reason.WRONG_DIGEST),
        (user(priv_password="another-password"), Reason.UNDECIPHERABLE),
        (user(priv="DES"), Reason.UNDECIPHERABLE),
        (user(priv="none"), Reason.LEVEL),
        (user(name="somebody-else"), Reason.UNKNOWN_USER),
    ],
)
def test_net_snmp_is_told_what_is_wrong(peer: Peer, tmp_path: Path, ours: User, reason: Reason) -> None:
    peer.gate.admit([ours])
    login = ["-l", "authPriv", "-u", "device", "-a", "SHA", "-A", AUTH_PASSWORD, "-x", "AES", "-X", PRIV_PASSWORD]
    assert peer.net_snmp(tmp_path, "snmptrap", *login) == (None, 0)
    assert peer.refused == [reason]
    opened, ended = peer.net_snmp(tmp_path, "snmpinform", *login)
    assert opened is None
    assert ended != 0
    assert peer.refused == [reason, Reason.UNKNOWN_ENGINE, reason]
