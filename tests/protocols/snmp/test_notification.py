"""Traps and informs: those that net-snmp's programs send, and those that we encode ourselves."""

import asyncio
import socket
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from apps.protocols.snmp.ber import Malformed, PduKind, Tag, Varbind, encode_question
from apps.protocols.snmp.message import V1, V2C, seal_envelope
from apps.protocols.snmp.notification import (
    Notification,
    NotificationKind,
    decode_notification,
    encode_inform_response,
    encode_notification_v2,
    encode_trap_v1,
)
from tests.peers import net_snmp_environment, program

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
IF_INDEX, IF_NAME = "1.3.6.1.2.1.2.2.1.1.3", "1.3.6.1.2.1.31.1.1.1.1.3"


async def _sent(tmp_path: Path, command: str, *arguments: str, acknowledge: bool = False) -> Notification:
    """The notification that a program of net-snmp sends to a socket of ours; informs are acknowledged."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as receiver:
        receiver.bind(("127.0.0.1", 0))
        options = [word.replace("{peer}", f"127.0.0.1:{receiver.getsockname()[1]}") for word in arguments]
        process = await asyncio.create_subprocess_exec(
            program(command, "snmp"), *options, env=net_snmp_environment(tmp_path), stderr=asyncio.subprocess.PIPE
        )
        datagram, sender = await asyncio.wait_for(loop.sock_recvfrom(receiver, 65535), 10)
        if acknowledge:
            await loop.sock_sendto(receiver, encode_inform_response(datagram), sender)
        _, said = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0, said.decode()
    return decode_notification(datagram)


async def test_a_version_1_trap_of_snmptrap(tmp_path: Path) -> None:
    trap = await _sent(
        tmp_path,
        "snmptrap",
        *("-v1", "-cprivate", "{peer}", ".1.3.6.1.4.1.119.2.3", "192.0.2.7", "6", "42", "123456"),
        *(IF_INDEX, "i", "3", IF_NAME, "s", "eth3"),
    )

    assert trap == Notification(
        version="1",
        community=b"private",
        kind=NotificationKind.TRAP,
        request_id=None,
        trap_oid="1.3.6.1.4.1.119.2.3.0.42",
        uptime=123456,
        varbinds=(Varbind(IF_INDEX, Tag.INTEGER, 3), Varbind(IF_NAME, Tag.OCTET_STRING, b"eth3")),
        enterprise="1.3.6.1.4.1.119.2.3",
        generic=6,
        specific=42,
        agent_address=IPv4Address("192.0.2.7"),
    )
    assert "private" not in repr(trap)


async def test_a_generic_version_1_trap_gets_its_version_2_name(tmp_path: Path) -> None:
    trap = await _sent(
        tmp_path, "snmptrap", "-v1", "-cpublic", "{peer}", ".1.3.6.1.4.1.8072", "192.0.2.7", "2", "0", "5"
    )

    assert (trap.trap_oid, trap.generic, trap.specific, trap.varbinds) == (LINK_DOWN, 2, 0, ())


@pytest.mark.parametrize(
    ("command", "kind"), [("snmptrap", NotificationKind.TRAP), ("snmpinform", NotificationKind.INFORM)]
)
async def test_a_version_2_notification_keeps_the_types_of_its_values(
    tmp_path: Path, command: str, kind: NotificationKind
) -> None:
    peculiar = [
        ("1.3.6.1.4.1.9.1.0", "i", "-7", Tag.INTEGER, -7),
        ("1.3.6.1.4.1.9.2.0", "u", "4294967295", Tag.GAUGE32, 4294967295),
        ("1.3.6.1.4.1.9.3.0", "c", "17", Tag.COUNTER32, 17),
        ("1.3.6.1.4.1.9.4.0", "C", "18446744073709551615", Tag.COUNTER64, 2**64 - 1),
        ("1.3.6.1.4.1.9.5.0", "t", "99", Tag.TIME_TICKS, 99),
        ("1.3.6.1.4.1.9.6.0", "a", "192.0.2.1", Tag.IP_ADDRESS, IPv4Address("192.0.2.1")),
        ("1.3.6.1.4.1.9.7.0", "o", ".1.3.6.1.4.1.119", Tag.OBJECT_IDENTIFIER, "1.3.6.1.4.1.119"),
        ("1.3.6.1.4.1.9.8.0", "x", "00 ff 0a", Tag.OCTET_STRING, b"\x00\xff\x0a"),
    ]
    words = [word for oid, letter, text, _, _ in peculiar for word in (oid, letter, text)]
    sent = await _sent(
        tmp_path,
        command,
        *("-v2c", "-cpublic", "-r0", "-t8", "{peer}", "777", LINK_DOWN, *words),
        acknowledge=kind == NotificationKind.INFORM,
    )

    assert (sent.version, sent.kind, sent.trap_oid, sent.uptime) == ("2c", kind, LINK_DOWN, 777)
    assert sent.varbinds == tuple(Varbind(oid, tag, value) for oid, _, _, tag, value in peculiar)
    assert (sent.enterprise, sent.generic, sent.specific, sent.agent_address) == (None, None, None, None)


def test_what_we_encode_is_what_we_decode() -> None:
    bindings = [(IF_INDEX, Tag.INTEGER, 3), ("1.3.6.1.6.3.18.1.3.0", Tag.IP_ADDRESS, IPv4Address("192.0.2.9"))]
    one = decode_notification(
        encode_trap_v1(
            b"c", "1.3.6.1.4.1.119", specific=2**31 - 1, agent_address="192.0.2.8", uptime=9, varbinds=bindings
        )
    )
    two = decode_notification(
        encode_notification_v2(
            b"c", LINK_DOWN, request_id=88, uptime=9, varbinds=bindings, kind=NotificationKind.INFORM
        )
    )

    assert (one.trap_oid, one.agent_address) == ("1.3.6.1.4.1.119.0.2147483647", IPv4Address("192.0.2.8"))
    assert one.varbinds == two.varbinds == tuple(bindings)
    assert (two.kind, two.request_id, two.agent_address) == (NotificationKind.INFORM, 88, IPv4Address("192.0.2.9"))


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"not SNMP at all",
        seal_envelope(V2C, b"public", encode_question(PduKind.GET, 1, ["1.3.6.1"])),
        seal_envelope(V2C, b"public", encode_question(PduKind.TRAP_V2, 1, [])),
        seal_envelope(V1, b"public", encode_question(PduKind.TRAP_V2, 1, ["1.3.6.1"])),
        encode_trap_v1(b"public", "1.3.6.1.4.1.119", generic=7),
        encode_trap_v1(b"public", "1.3.6.1.4.1.119", generic=-1),
        encode_trap_v1(b"public", "1.3.6.1.4.1.119")[:-1],
        bytes.fromhex("3003020103"),
    ],
)
def test_everything_else_is_malformed(datagram: bytes) -> None:
    with pytest.raises(Malformed):
        decode_notification(datagram)


def test_only_informs_are_acknowledged() -> None:
    with pytest.raises(Malformed):
        encode_inform_response(encode_notification_v2(b"public", LINK_DOWN))
