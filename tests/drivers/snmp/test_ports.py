"""Ports: speed, state, and when one that is down is worth a word."""

from dataclasses import replace

import pytest

from apps.drivers.contract import Port, PortState, Status
from apps.drivers.snmp import oids, ports

UNKNOWN = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("speed", "high_speed", "kind", "seen"),
    [
        (1_000_000_000, 1000, 6, 1_000_000_000),
        (UNKNOWN, 10_000, 6, 10_000_000_000),
        (UNKNOWN, 100_000, 6, 100_000_000_000),
        (UNKNOWN, 4294, 6, None),
        (UNKNOWN, 4295, 6, None),
        (UNKNOWN, 0, 6, None),
        (UNKNOWN, None, 6, None),
        (UNKNOWN, UNKNOWN, 6, None),
        (0, 0, 6, None),
        (0, 25_000, 6, 25_000_000_000),
        (None, None, 6, None),
        (None, 1000, 6, 1_000_000_000),
        (64_000, None, 22, 64_000),
        (10_000_000, 10, 24, None),
    ],
)
def test_the_speed_is_known_or_unknown_but_never_4294_megabit(
    speed: int | None, high_speed: int | None, kind: int, seen: int | None
) -> None:
    assert ports.port_speed(speed, high_speed, kind) == seen


@pytest.mark.parametrize(
    ("admin", "oper", "seen"),
    [
        (1, 1, PortState.UP),
        (1, 2, PortState.DOWN),
        (2, 2, PortState.DISABLED),
        (2, 1, PortState.DISABLED),
        (1, 3, PortState.UNKNOWN),
        (1, 4, PortState.UNKNOWN),
        (1, 5, PortState.DORMANT),
        (1, 6, PortState.NOT_PRESENT),
        (1, 7, PortState.DOWN),
        (None, 1, PortState.UP),
        (1, None, PortState.UNKNOWN),
    ],
)
def test_the_state_takes_both_words_together(admin: int | None, oper: int | None, seen: PortState) -> None:
    assert ports.port_state(admin, oper) == seen


@pytest.fixture
def port() -> Port:
    return Port(2, "eth0", "eth0", "", None, PortState.UP, 10**9, 6, 64, in_octets=5)


def test_a_port_that_never_was_up_is_not_missed(port: Port) -> None:
    down = [replace(port, state=PortState.DOWN)]
    remembered = ports.remembered_up(down, [])
    assert list(ports.facts(down, remembered)) == []


def test_a_port_that_was_up_is_missed_until_it_is_back(port: Port) -> None:
    remembered = ports.remembered_up([port], [])
    down = [replace(port, state=PortState.DOWN)]

    facts = list(ports.facts(down, remembered))
    still = ports.remembered_up(down, remembered)

    assert [(fact.key, fact.status, fact.message % fact.params) for fact in facts] == [
        ("if.2.down", Status.WARNING, "The network port eth0 is down")
    ]
    assert still == [2]
    assert list(ports.facts([port], still)) == []


def test_a_port_that_somebody_switched_off_is_forgotten(port: Port) -> None:
    disabled = [replace(port, state=PortState.DISABLED)]
    assert list(ports.facts(disabled, [2])) == []
    assert ports.remembered_up(disabled, [2]) == []
    assert ports.remembered_up([replace(port, state=PortState.DOWN)], ports.remembered_up(disabled, [2])) == []


@pytest.mark.parametrize(
    "name", ["docker0", "veth12ab", "br-0af3", "virbr0", "tun0", "wg0", "vnet3", "cali12", "lxdbr0"]
)
def test_a_software_interface_that_goes_is_not_missed(port: Port, name: str) -> None:
    gone = [replace(port, name=name, description=name, state=PortState.DOWN)]
    assert list(ports.facts(gone, [2])) == []


def test_a_tunnel_by_its_type_is_not_missed(port: Port) -> None:
    assert list(ports.facts([replace(port, type=131, state=PortState.DOWN)], [2])) == []


def test_narrow_counters_serve_where_there_are_no_wide_ones() -> None:
    cells = {
        oids.IF_DESCR: {"1": b"a", "2": b"b"},
        oids.IF_HC_IN_OCTETS: {"1": 5_000_000_000},
        oids.IF_HC_OUT_OCTETS: {"1": 6},
        oids.IF_IN_OCTETS: {"1": 7, "2": 8},
        oids.IF_OUT_OCTETS: {"1": 9, "2": 10},
    }
    first, second = ports.ports(cells, None)
    assert (first.in_octets, first.out_octets, first.counter_bits) == (5_000_000_000, 6, 64)
    assert (second.in_octets, second.out_octets, second.counter_bits) == (8, 10, 32)


def test_a_name_falls_back_to_what_there_is() -> None:
    cells = {oids.IF_DESCR: {"1": b"Ethernet0", "7": b""}, oids.IF_NAME: {"1": b"Et0", "9": b"ghost"}}
    assert [(port.index, port.name) for port in ports.ports(cells, None)] == [(1, "Et0"), (7, "7")]
