"""Neighbours out of LLDP-MIB: which port hears them, and what identifiers of every kind read like."""

import pytest

from apps.drivers.contract import Port, PortState
from apps.drivers.snmp import lldp


def port(index: int, name: str, mac: str | None = None, **fields: str) -> Port:
    about = {"description": f"{name} Interface", "alias": "", **fields}
    return Port(index, name, about["description"], about["alias"], mac, PortState.UP, 10**9, 6, 64)


PORTS = (
    port(101, "Gi1", "02:00:00:00:00:01"),
    port(102, "Gi2", "02:00:00:00:00:02"),
    port(2, "Vlan2", "02:00:00:00:00:02"),
)


def heard(place: str = "0.2.1", **columns: object) -> dict[str, dict[str, object]]:
    cells = {lldp.CHASSIS_ID: {place: b"\x02\xaa\xbb\xcc\xdd\xee"}, lldp.CHASSIS_ID_KIND: {place: 4}}
    for name, value in columns.items():
        cells[getattr(lldp, name)] = {place: value}
    return cells


@pytest.mark.parametrize(
    ("local", "seen"),
    [
        ({lldp.LOCAL_ID_KIND: {"2": 5}, lldp.LOCAL_ID: {"2": b"Gi2"}}, ("Gi2", 102)),
        ({lldp.LOCAL_ID_KIND: {"2": 3}, lldp.LOCAL_ID: {"2": b"\x02\x00\x00\x00\x00\x01"}}, ("Gi1", 101)),
        (
            {lldp.LOCAL_ID_KIND: {"2": 7}, lldp.LOCAL_ID: {"2": b"17"}, lldp.LOCAL_DESCR: {"2": b"Gi1 Interface"}},
            ("Gi1", 101),
        ),
        ({lldp.BRIDGE_PORT: {"2": 102}}, ("Gi2", 102)),
        ({}, ("Vlan2", 2)),
    ],
    ids=["name", "MAC address", "description", "bridge port", "ifIndex"],
)
def test_the_local_port_is_found_by_what_is_known_of_it(local, seen) -> None:
    (found,) = lldp.neighbours(heard(), local, PORTS)
    assert (found.local_port, found.port_index) == seen


def test_a_mac_address_that_two_ports_share_says_nothing_and_a_port_that_nobody_knows_keeps_its_name() -> None:
    shared = {
        lldp.LOCAL_ID_KIND: {"9": 3},
        lldp.LOCAL_ID: {"9": b"\x02\x00\x00\x00\x00\x02"},
        lldp.LOCAL_DESCR: {"9": b"slot 9"},
    }
    (found,) = lldp.neighbours(heard("0.9.1"), shared, PORTS)
    assert (found.local_port, found.port_index) == ("slot 9", None)


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        (4, b"\x02\xaa\xbb\xcc\xdd\xee", ("mac-address", "02:aa:bb:cc:dd:ee")),
        (5, b"\x01\xc0\x00\x02\x09", ("network-address", "192.0.2.9")),
        (5, b"\x02" + bytes(15) + b"\x01", ("network-address", "::1")),
        (6, b"Gi1/0/1\x00", ("interface-name", "Gi1/0/1")),
        (7, b"Switch", ("local", "Switch")),
        (99, b"x", ("local", "x")),
        (5, b"", ("network-address", "")),
    ],
)
def test_a_chassis_is_readable_whatever_names_it(kind: int, value: bytes, seen: tuple[str, str]) -> None:
    (found,) = lldp.neighbours(heard(CHASSIS_ID_KIND=kind, CHASSIS_ID=value), {}, PORTS)
    assert (found.chassis_id_kind, found.chassis_id) == seen


def test_capabilities_and_addresses_are_told_and_nonsense_is_passed_over() -> None:
    cells = heard(CAPABILITIES=b"\x28", SYSTEM_NAME=b"core-1", PORT_ID_KIND=5, PORT_ID=b"Te1/1", PORT_DESCR=b"down")
    cells[lldp.ADDRESS_KIND] = {
        "0.2.1.1.4.192.0.2.1": 2,
        "0.2.1.1.192.0.2.7": 2,  # without the length
        "0.2.1.2.16." + ".".join(["0"] * 15 + ["1"]): 2,
        "0.2.1.1.192.0.2": 2,
        "0.2.1.1.4.192.0.2.999": 2,
        "0.2": 2,
        "0.3.1.1.4.192.0.2.3": 2,
    }
    (found,) = lldp.neighbours(cells, {}, PORTS)
    assert (found.system_name, found.port_id, found.port_description) == ("core-1", "Te1/1", "down")
    assert found.capabilities == ("bridge", "router")
    assert sorted(found.addresses) == ["192.0.2.1", "192.0.2.7", "::1"]


def test_what_is_listed_twice_is_heard_once_and_the_later_word_counts() -> None:
    cells = {
        lldp.CHASSIS_ID: {"100.2.1": b"old", "90.2.2": b"other", "200.2.1": b"new"},
        lldp.CHASSIS_ID_KIND: {"100.2.1": 7, "90.2.2": 7, "200.2.1": 7},
    }
    assert [each.chassis_id for each in lldp.neighbours(cells, {}, PORTS)] == ["other", "new"]
