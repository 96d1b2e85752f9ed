"""What every driver folder owes, tested over all of them: adding a folder adds these tests."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from apps.drivers.contract import CAPABILITY_CLASSES, Capability, Driver, DriverSpec, Target
from apps.drivers.registry import driver_class, specs
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable
from tests.peers import free_udp_port

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(specs())
SECRET = "s3cret-Geheimnis"
CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "snmp-community": {"version": "2c", "community": SECRET},
    "snmp-v3": {
        "username": "watcher",
        "auth_protocol": "SHA-256",
        "auth_password": SECRET,
        "priv_protocol": "AES-128",
        "priv_password": SECRET,
        "context": "",
    },
    "password": {"username": "watcher", "password": SECRET},
    "ssh-key": {"username": "watcher", "private_key": SECRET, "passphrase": SECRET},
}
TIMEOUT, RETRIES = 0.2, 1
DEADLINE = 3.0  # seconds; the longest way to an error is two questions of two attempts each

# The fault of a device and what it must end as, whatever the way of managing is.
FAULTS: Mapping[str, type[ContactError]] = {
    "silent": Unreachable,
    "slow": Unreachable,
    "refusing": Unreachable,
    "garbage": DeviceError,
}
# ICMP has no port to refuse, and the kernel itself drops what is no echo reply.
NOT_OF_TRANSPORT = {"icmp": {"refusing", "garbage", "slow"}}


@pytest.mark.parametrize("name", NAMES)
def test_the_spec_says_what_the_folder_is(name: str) -> None:
    spec = specs()[name]
    assert spec.name == name
    assert spec.label
    assert spec.capabilities <= set(Capability)
    assert set(spec.credential_kinds) <= CREDENTIALS.keys()
    assert spec.transport in ("udp", "tcp", "icmp")
    assert (spec.default_port is None) == (spec.transport == "icmp")
    names = [parameter.name for parameter in spec.parameters]
    assert len(names) == len(set(names))
    for parameter in spec.parameters:
        assert parameter.default is None or isinstance(parameter.default, parameter.type)
        assert not parameter.choices or parameter.default in parameter.choices


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_implements_what_it_declares_and_nothing_else(name: str) -> None:
    driver = driver_class(name)
    assert issubclass(driver, Driver)
    implemented = {capability for capability, kind in CAPABILITY_CLASSES.items() if issubclass(driver, kind)}
    assert implemented == specs()[name].capabilities
    assert driver.__abstractmethods__ == frozenset()


def test_every_capability_has_its_class() -> None:
    assert set(CAPABILITY_CLASSES) == set(Capability)


def test_specs_import_no_driver_no_protocol_and_no_framework() -> None:
    program = (
        "import sys\n"
        "from apps.drivers.registry import specs\n"
        "assert len(specs()) >= 3\n"
        "print('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    drivers = {f"apps.drivers.{name}.{module}" for name in NAMES for module in ("driver", "parse")}
    libraries = {"django", "celery", "pysnmp", "pyasn1", "cryptography", "aiohttp", "asyncio", "paramiko", "pyghmi"}
    protocols = {module for module in loaded if module.startswith("apps.protocols.")}
    assert loaded & (drivers | libraries) == set()
    assert protocols == {"apps.protocols.errors"}


@pytest.mark.parametrize("name", NAMES)
def test_constructing_opens_no_socket_and_shows_no_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    before = os.listdir("/proc/self/fd")
    for kind in specs()[name].credential_kinds or ("",):
        target = Target("192.0.2.1", 161, kind, CREDENTIALS.get(kind, {}), state={"note": SECRET})
        driver = driver_class(name)(target)
        assert SECRET not in repr(driver) + str(driver) + repr(target)
        assert "192.0.2.1" in repr(driver)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def possible_faults() -> list[tuple[str, str]]:
    return [
        (name, fault)
        for name in NAMES
        for fault in FAULTS
        if fault not in NOT_OF_TRANSPORT.get(specs()[name].transport, ())
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if specs()[name].transport in NOT_OF_TRANSPORT])
def test_a_driver_that_is_spared_faults_has_no_port_and_no_login_to_refuse(name: str) -> None:
    assert specs()[name].default_port is None
    assert specs()[name].credential_kinds == ()


@pytest.mark.parametrize(("name", "fault"), possible_faults())
async def test_a_faulty_device_ends_as_the_right_error_in_time(
    name: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    spec = specs()[name]
    for kind in spec.credential_kinds or ("",):
        async with faulty_device(spec, fault) as (address, port, parameters):
            target = Target(address, port, kind, CREDENTIALS.get(kind, {}), parameters, TIMEOUT, RETRIES)
            started = time.monotonic()
            with pytest.raises(ContactError) as failed:
                async with driver_class(name)(target) as driver:
                    await driver.check()
            took = time.monotonic() - started
        error = failed.value
        assert isinstance(error, FAULTS[fault]), f"{fault} ended as {error!r}"
        assert error.retry_helps == (FAULTS[fault] is Unreachable)
        if fault == "refusing":
            assert error.stage is Stage.PORT
        assert not isinstance(error, AuthenticationFailed)
        assert took < DEADLINE
        assert SECRET not in _everything_said(error) + caplog.text


def _everything_said(error: BaseException) -> str:
    said = ""
    chain: BaseException | None = error
    while chain is not None:
        said += str(chain) + repr(chain)
        chain = chain.__cause__ or chain.__context__
    return said


@contextlib.asynccontextmanager
async def faulty_device(spec: DriverSpec, fault: str) -> AsyncIterator[tuple[str, int | None, dict[str, Any]]]:
    """Run a device with this fault: scripted for the fake driver, else something real on loopback."""
    if spec.name == "fake":
        yield "192.0.2.1", 9, {"fault": "silent" if fault == "slow" else fault}
    elif spec.transport == "udp":
        async with _udp_device(fault) as port:
            yield "127.0.0.1", port, {}
    elif spec.transport == "tcp":
        async with _tcp_device(fault) as port:
            yield "127.0.0.1", port, {}
    elif spec.transport == "icmp":
        yield "127.255.255.255", None, {}  # nobody answers an echo request to the broadcast address of loopback
    else:
        pytest.fail(f"no faulty device is known for {spec.transport}: add one here")


class _Device(asyncio.DatagramProtocol):
    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        if self.fault == "slow":
            asyncio.get_running_loop().call_later(DEADLINE, self._send, data, peer)
        elif self.fault == "garbage":
            self._send(b"HTTP/1.1 400 Bad Request\r\n\r\n", peer)

    def _send(self, data: bytes, peer: Any) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(data, peer)


@contextlib.asynccontextmanager
async def _tcp_device(fault: str) -> AsyncIterator[int]:
    """Take connections, and say nothing, or something too late, or what nobody asked for."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault == "garbage":
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        elif fault == "slow":
            await asyncio.sleep(DEADLINE)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if fault == "refusing":
        server.close()
    try:
        yield port
    finally:
        server.close()


@contextlib.asynccontextmanager
async def _udp_device(fault: str) -> AsyncIterator[int]:
    if fault == "refusing":
        yield free_udp_port()
        return
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Device(fault), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
