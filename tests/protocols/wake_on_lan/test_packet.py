"""The magic packet is six bytes of ones and sixteen times the address, however the address is written."""

import pytest

from apps.protocols.errors import Unreachable
from apps.protocols.wake_on_lan import BadAddress, magic_packet, send

ADDRESS = bytes.fromhex("0200 5e00 5301".replace(" ", ""))


@pytest.mark.parametrize("text", ["02:00:5e:00:53:01", "02-00-5E-00-53-01", "0200.5e00.5301", "02005E005301"])
def test_an_address_in_any_form_gives_the_same_packet(text: str) -> None:
    assert magic_packet(text) == b"\xff" * 6 + ADDRESS * 16
    assert len(magic_packet(text)) == 102


@pytest.mark.parametrize("text", ["", "02:00:5e:00:53", "02:00:5e:00:53:01:02", "zz:00:5e:00:53:01", "198.51.100.7"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        magic_packet(text)


def test_what_the_system_lets_out_nowhere_is_told() -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        send(["02:00:5e:00:53:01"], [("127.0.0.1", 0)])
