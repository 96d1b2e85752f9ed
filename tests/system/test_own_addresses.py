"""An administrator is warned where devices know the portal by an address that is only leased, and nowhere else."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.alerts.subscriptions import here
from apps.core import cautions, options
from apps.core.actors import SYSTEM
from apps.system import own_addresses
from apps.system.own_addresses import Leased, leased
from tests.factories import make_component, make_interface, make_user

pytestmark = pytest.mark.django_db

FOREVER = 4294967295


def address(local: str, lifetime: int = FOREVER, **more: Any) -> dict[str, Any]:
    """Give one address as iproute2 writes it."""
    family = "inet6" if ":" in local else "inet"
    known = {"family": family, "local": local, "prefixlen": 64 if ":" in local else 24, "scope": "global"}
    return {**known, **more, "valid_life_time": lifetime, "preferred_life_time": lifetime}


def link(name: str, *addresses: dict[str, Any], number: int = 2) -> dict[str, Any]:
    """Give one network interface as iproute2 writes it."""
    flags = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]
    return {"ifindex": number, "ifname": name, "flags": flags, "mtu": 1500, "addr_info": list(addresses)}


BY_DHCP = address("192.0.2.7", 3541, broadcast="192.0.2.255", dynamic=True, label="ens18")
LISTING = json.dumps(
    [
        link("lo", address("127.0.0.1", scope="host", label="lo"), number=1),
        link("ens18", BY_DHCP, address("fe80::5054:ff:fe12:3456", scope="link")),
        link("ens19", address("198.51.100.9", label="ens19"), number=3),
        link("docker0", number=4),
    ]
)


@pytest.fixture
def told(monkeypatch):
    """Have ``ip`` write something, and devices be reached from where the test says."""

    def tell(listing: str, **ways: str) -> None:
        monkeypatch.setattr(own_addresses, "listing", lambda: listing)
        monkeypatch.setattr(here, "towards", lambda address: ways.get("by") or ways[_key(address)])

    return tell


def _key(address: str) -> str:
    return "a" + address.replace(".", "_").replace(":", "_")


def texts() -> list[str]:
    return [one.text for one in own_addresses.cautions()]


def test_what_dhcp_gave_is_leased_and_what_somebody_set_is_not():
    assert leased(LISTING) == [Leased("192.0.2.7", "ens18")]
    # An older dhclient gives a lifetime, and iproute2 of its time no mark beside it.
    assert leased(json.dumps([link("eth0", address("192.0.2.8", 86_400))])) == [Leased("192.0.2.8", "eth0")]


def test_of_ipv6_a_router_names_the_network_and_the_machine_itself():
    announced = address("2001:db8::5054:ff:fe12:3456", 2591994, dynamic=True, mngtmpaddr=True, noprefixroute=True)
    kernel = address("2001:db8:1::1", 86_385, dynamic=True, protocol="kernel_ra")
    temporary = address("2001:db8::c0de", 86_385, dynamic=True, temporary=True)
    by_dhcp = address("2001:db8::17", 7_100, dynamic=True)
    found = leased(json.dumps([link("eth0", announced, kernel, temporary, by_dhcp)]))
    assert [one.address for one in found] == ["2001:db8::c0de", "2001:db8::17"]


@pytest.mark.parametrize(
    "listing",
    [
        "",
        'Object "address" is unknown',
        "{}",
        "[null, 5, {}]",
        '[{"addr_info": [5, {}, {"dynamic": true}, {"dynamic": true, "local": 7}]}]',
        '[{"ifname": "eth0", "addr_info": [{"local": "192.0.2.7", "valid_life_time": "forever"}]}]',
    ],
)
def test_what_cannot_be_read_names_nothing(listing):
    assert leased(listing) == []


def test_devices_that_are_reached_from_a_leased_address_are_a_caution(settings, told, client):
    settings.BIND = "0.0.0.0"
    for number, place in enumerate(("203.0.113.5", "203.0.113.6", "198.51.100.44", "bmc.example.net")):
        make_interface(make_component(f"c{number}"), driver="snmp_agent", address=place)
    told(LISTING, a203_0_113_5="192.0.2.7", a203_0_113_6="192.0.2.7", a198_51_100_44="198.51.100.9")
    (text,) = texts()
    assert "192.0.2.7 (ens18)" in text
    assert "reserve it in the DHCP server" in text
    cautions.forget()
    client.force_login(make_user("administrator"))
    assert "1 thing is to be mended" in client.get("/").content.decode()
    about = client.get("/about/").content.decode()
    assert "192.0.2.7 (ens18)" in about
    assert f'href="/settings/{own_addresses.RESERVED}/"' in about
    assert client.get(f"/settings/{own_addresses.RESERVED}/").status_code == 200
    client.force_login(make_user("operator"))
    assert "192.0.2.7" not in client.get("/about/").content.decode()


def test_who_reserved_it_says_so_and_is_not_warned_any_more(settings, told):
    settings.BIND = "::"
    told(LISTING, by="192.0.2.7")
    assert len(texts()) == 1  # before there is any device, the way to the rest of the world counts
    with pytest.raises(ValidationError):
        options.set_value(own_addresses.RESERVED, ["somewhere"], SYSTEM)
    options.set_value(own_addresses.RESERVED, ["192.0.2.7"], SYSTEM)
    assert texts() == []


@pytest.mark.parametrize(
    ("bind", "warned"),
    [("127.0.0.1", 0), ("::1", 0), ("127.0.0.1,198.51.100.9", 0), ("192.0.2.7", 1), ("127.0.0.1, 192.0.2.7", 1)],
)
def test_only_where_the_portal_listens_for_devices(settings, told, bind, warned):
    settings.BIND = bind
    told(LISTING, by="192.0.2.7")
    assert len(texts()) == warned


@pytest.mark.parametrize("option", ["event_address", "report_address"])
def test_an_address_that_was_entered_for_devices_counts_too(settings, told, option):
    settings.BIND = "0.0.0.0"
    told(LISTING, by="198.51.100.9")
    assert texts() == []
    options.set_value(option, "192.0.2.7", SYSTEM)
    assert len(texts()) == 1


def test_without_the_program_or_with_one_that_fails_nobody_is_warned(settings, monkeypatch, tmp_path: Path):
    settings.BIND = "0.0.0.0"
    monkeypatch.setattr(own_addresses.shutil, "which", lambda *given, **how: None)
    assert (own_addresses.listing(), texts()) == ("", [])
    program = tmp_path / "ip"
    monkeypatch.setattr(own_addresses.shutil, "which", lambda *given, **how: str(program))
    assert own_addresses.listing() == ""  # it went meanwhile
    program.write_text(f"#!/bin/sh\necho '{json.dumps([link('eth0', BY_DHCP)])}'\nexit 1\n")
    program.chmod(0o755)
    assert (own_addresses.listing(), texts()) == ("", [])
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(own_addresses, "PATIENCE", 0.2)
    assert own_addresses.listing() == ""


def test_the_program_of_this_machine_is_understood():
    """What the real program writes is read, where there is one: loopback is never leased."""
    found = own_addresses.listing()
    if own_addresses.shutil.which("ip", path=own_addresses.PLACES) is None:
        assert found == ""
        return
    plain = subprocess.run(["ip", "-4", "address", "show", "dev", "lo"], capture_output=True, text=True, check=True)
    assert "127.0.0.1/8" in plain.stdout
    links = json.loads(found)
    assert "127.0.0.1" in [one["local"] for link in links for one in link["addr_info"] if link["ifname"] == "lo"]
    assert "127.0.0.1" not in [one.address for one in leased(found)]
