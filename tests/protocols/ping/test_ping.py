"""Ping finds who is there on loopback, with either kind of socket."""

import socket
import subprocess
import sys

import pytest

from apps.protocols.ping import Pinger, PingNotPermitted, open_sockets, ping, rights, sockets, sweep
from apps.protocols.ping.pinger import _checksum

# Nobody answers for this on any machine: the broadcast address of the loopback network.
SILENT = "127.255.255.255"
_AS_NOBODY = """
import asyncio, fcntl, os, pathlib, socket, struct
from apps.protocols.ping import rights, sweep

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running
pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")
"a".encode("idna")  # loaded while the interpreter's own files can still be read
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
assert rights() == "datagram", rights()
found = asyncio.run(sweep(["127.0.0.1", "127.0.0.2", "::1", "127.255.255.255"], timeout=0.2))
assert [seconds is not None for seconds in found.values()] == [True, True, True, False], found
"""
_needs_rights = pytest.mark.usefixtures("_rights")


@pytest.fixture
def _rights() -> None:
    if rights() is None:
        pytest.fail(str(PingNotPermitted()))


@_needs_rights
async def test_a_sweep_tells_who_answers_and_how_fast() -> None:
    present = [f"127.0.{third}.{fourth}" for third in range(8) for fourth in range(1, 251)]
    found = await sweep([*present, SILENT, "::1", "::ffff:127.0.0.1"], timeout=0.3, retries=1, interval=0.0001)

    assert list(found) == [*present, SILENT, "::1", "::ffff:127.0.0.1"]
    assert [address for address, seconds in found.items() if seconds is None] == [SILENT]
    assert all(0 < seconds < 5 for seconds in found.values() if seconds is not None)


@_needs_rights
async def test_one_address() -> None:
    assert await ping("127.0.0.1") is not None
    assert await ping("::1") is not None
    assert await ping(SILENT, timeout=0.05) is None


@_needs_rights
async def test_sweeps_of_one_pinger_do_not_disturb_each_other() -> None:
    async with Pinger() as pinger:
        for _ in range(3):
            assert await pinger.sweep(["127.0.0.1", SILENT], timeout=0.05, retries=0) != {}
        assert pinger._waiting == {}
        assert len(pinger._sockets) == 1


@_needs_rights
async def test_sockets_that_a_parent_opened_are_used() -> None:
    handed_down = open_sockets()
    found = await sweep(["127.0.0.1", "::1"], descriptors=[sock.detach() for sock in handed_down])

    assert None not in found.values()


@pytest.mark.parametrize("text", ["", "localhost", "127.0.0.1/24", "1.2.3"])
async def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        await sweep([text])


async def test_without_the_right_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(sockets, "_open", refuse)
    assert rights() is None
    with pytest.raises(PermissionError, match=r"net\.ipv4\.ping_group_range"):
        await ping("127.0.0.1")


@_needs_rights
async def test_the_unprivileged_socket_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = sockets._open

    def open_unprivileged(family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        if kind == socket.SOCK_RAW:
            raise PermissionError(1, "Operation not permitted")
        return really_open(family, kind)

    monkeypatch.setattr(sockets, "_open", open_unprivileged)
    if rights() == "datagram":
        assert None not in (await sweep(["127.0.0.1", "127.0.0.2", "::1"])).values()
    else:
        # Only root may widen the range, and only in a network of its own can it do so without touching the machine's.
        finished = subprocess.run(
            ["unshare", "--net", sys.executable, "-c", _AS_NOBODY],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert finished.returncode == 0, finished.stderr


def test_the_checksum_is_that_of_rfc_1071() -> None:
    assert _checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
