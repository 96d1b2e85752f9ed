"""The notifications of the measurements: what a fleet of switches, servers and strange devices sends in a bad hour."""

import random
from collections.abc import Iterator
from pathlib import Path

from apps.protocols.snmp.ber import RawVarbind, Tag
from apps.protocols.snmp.notification import encode_notification_v2, encode_trap_v1
from tests.bench import fleet

FIRST = "127.3.0.1"
SENDERS = 200  # each is a component with that address
DISTINCT = 20_000  # datagrams; a longer stream repeats them
COMMUNITY = b"public"
PORTS = 24
LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
COLD_START, AUTHENTICATION_FAILURE = "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.5"
STRANGER = "1.3.6.1.4.1.99999.1"  # nobody defined its traps
STRANGERS_TRAP = f"{STRANGER}.0.12"
MIX = (("link", 55), ("authentication", 25), ("start", 10), ("stranger", 10))  # percent


def address(sender: int) -> str:
    """Give the address of the sender of that number, from 0."""
    return fleet.address_after(FIRST, sender)


def write(path: Path, seed: int = 1) -> None:
    """Write the stream as ``trapper`` reads it: sender and length in two octets each, then the datagram."""
    with path.open("wb") as file:
        for sender, datagram in datagrams(seed):
            file.write(sender.to_bytes(2, "big") + len(datagram).to_bytes(2, "big") + datagram)


def datagrams(seed: int = 1) -> Iterator[tuple[int, bytes]]:
    """Give senders and datagrams in their order; links go down and come up again, half of the senders speak v1."""
    chance = random.Random(seed)
    down: set[tuple[int, int]] = set()
    kinds, weights = zip(*MIX, strict=True)
    for number in range(DISTINCT):
        sender = number % SENDERS
        (kind,) = chance.choices(kinds, weights)
        if kind == "link":
            port = chance.randrange(1, PORTS + 1)
            down ^= {(sender, port)}
            yield sender, _sent(sender, number, LINK_DOWN if (sender, port) in down else LINK_UP, _port(port))
        elif kind == "authentication":
            yield sender, _sent(sender, number, AUTHENTICATION_FAILURE, ())
        elif kind == "start":
            yield sender, _sent(sender, number, COLD_START, ())
        else:
            yield sender, _sent(sender, number, STRANGERS_TRAP, _strange(chance))


def _sent(sender: int, number: int, trap_oid: str, bindings: tuple[RawVarbind, ...]) -> bytes:
    uptime = 360_000 + number
    if sender % 2:
        return encode_notification_v2(COMMUNITY, trap_oid, request_id=number, uptime=uptime, varbinds=bindings)
    own = address(sender)
    if trap_oid == STRANGERS_TRAP:
        specific = int(STRANGERS_TRAP.rpartition(".")[2])
        return encode_trap_v1(
            COMMUNITY, STRANGER, specific=specific, agent_address=own, uptime=uptime, varbinds=bindings
        )
    generic = int(trap_oid.rpartition(".")[2]) - 1
    return encode_trap_v1(
        COMMUNITY, "1.3.6.1.4.1.8072.3.2.10", generic=generic, agent_address=own, uptime=uptime, varbinds=bindings
    )


def _port(port: int) -> tuple[RawVarbind, ...]:
    return (
        (f"1.3.6.1.2.1.2.2.1.1.{port}", Tag.INTEGER, port),
        (f"1.3.6.1.2.1.2.2.1.2.{port}", Tag.OCTET_STRING, f"GigabitEthernet0/{port}".encode()),
        (f"1.3.6.1.2.1.2.2.1.7.{port}", Tag.INTEGER, 1),
        (f"1.3.6.1.2.1.2.2.1.8.{port}", Tag.INTEGER, 2),
    )


def _strange(chance: random.Random) -> tuple[RawVarbind, ...]:
    return (
        (f"{STRANGER}.1.1.0", Tag.OCTET_STRING, f"event {chance.randrange(10_000)}".encode()),
        (f"{STRANGER}.1.2.0", Tag.GAUGE32, chance.randrange(100)),
        (f"{STRANGER}.1.3.0", Tag.OCTET_STRING, chance.randbytes(6)),
        (f"{STRANGER}.1.4.0", Tag.OBJECT_IDENTIFIER, "1.3.6.1.2.1.1.5"),
        (f"{STRANGER}.1.5.0", Tag.OCTET_STRING, b"Temperature of the left intake above its threshold"),
    )
