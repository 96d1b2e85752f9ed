"""Recorded devices, replayed over a socket, are read exactly as their dumps read."""

import asyncio
import bz2
import importlib.util
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from apps.protocols.snmp import SnmpClient, SnmpTarget, Tag, Value
from apps.protocols.snmp.ber import RawVarbind, arcs
from apps.simulators.snmp_replay import Behaviour, Recording, serve
from apps.simulators.snmp_replay.recording import read_dump

DEVICES = [
    "UPS/apc-7902b.snmprec",
    "UPS/apc-8641.snmprec",
    "UPS/apc-8932.snmprec",
    "UPS/eaton-93e-80.snmprec.bz2",
    "UPS/emerson-network-power.snmprec.bz2",
    "UPS/vertiv-power.snmprec.bz2",
    "bmc/hp-onboard-administrator.snmprec.bz2",
    "iot/geist-temperature-sensor.snmprec",
    "network/appliance/tripplite-poweralert.snmprec",
    "network/firewall/paloalto-pa-5000.snmprec.bz2",
    "network/router/vyatta-unknown.snmprec.bz2",
    "network/switch/brocade-ds-5100b.snmprec.bz2",
    "network/switch/cisco-c3750.snmprec.bz2",
    "network/switch/dlink-des3038.snmprec.bz2",
    "network/switch/h3c-e528-2.snmprec.bz2",
    "os/linux/ibm-x3550-m3.snmprec.bz2",
    "os/linux/slackware.snmprec.bz2",
    "os/windows/server-2003-5-2.snmprec.bz2",
    "os/windows/XP.snmprec.bz2",
    "storage/isilon-onefs.snmprec.bz2",
]
IF_ENTRY = "1.3.6.1.2.1.2.2.1"


@pytest.fixture(scope="session")
def dumps() -> Path:
    """The folder of the recorded devices; the test fails when their package is not installed."""
    package = importlib.util.find_spec("snmpsim_data")
    if package is None or not package.submodule_search_locations:
        pytest.fail("snmpsim-data is missing: pip install --no-deps -r requirements/recordings.txt")
    return Path(package.submodule_search_locations[0]) / "data"


def _plain(path: Path) -> list[RawVarbind]:
    """The dump in the order of SNMP, a name that stands twice once."""
    first: dict[str, RawVarbind] = {}
    for bound in read_dump(path):
        first.setdefault(bound[0], bound)
    return [first[oid] for oid in sorted(first, key=arcs)]


@pytest.mark.parametrize("device", DEVICES)
async def test_a_recorded_device_reads_as_its_dump(client: SnmpClient, dumps: Path, device: str) -> None:
    plain = _plain(dumps / device)
    async with await serve(Recording.load(dumps / device), behaviour=Behaviour(largest=8000)) as agent:
        target = SnmpTarget(address=agent.address, port=agent.port)
        assert len(plain) > 20
        walked = [bound for top in ("1.0", "1.2", "1.3") for bound in await client.walk(target, top)]
        assert walked == plain

        columns = [f"{IF_ENTRY}.{column}" for column in range(1, 23)]
        cells: dict[str, dict[str, Value]] = {column: {} for column in columns}
        for oid, _, value in plain:
            for column in columns:
                if oid.startswith(column + "."):
                    cells[column][oid.removeprefix(column + ".")] = value
        assert await client.table(target, columns) == cells

        scalars = [bound for bound in plain if bound[0].startswith("1.3.6.1.2.1.1.") and bound[0].endswith(".0")]
        assert await client.get(target, [oid for oid, _, _ in scalars]) == {oid: value for oid, _, value in scalars}


@pytest.mark.parametrize("device", DEVICES[:2])
async def test_version_1_reads_a_recorded_device_without_its_64_bit_counters(
    client: SnmpClient, dumps: Path, device: str
) -> None:
    plain = [bound for bound in _plain(dumps / device) if bound[1] != Tag.COUNTER64]
    async with await serve(Recording.load(dumps / device)) as agent:
        assert await client.walk(SnmpTarget(address=agent.address, port=agent.port, version="1"), "1.3") == plain


def test_dumps_are_read_packed_and_unpacked(tmp_path: Path) -> None:
    text = (
        b"# a comment\n"
        b"1.3.6.1.2.1.1.1.0|4|text with | inside\n"
        b"1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.119\n"
        b"1.3.6.1.2.1.1.3.0|67:numeric|rate=100\n"
        b"1.3.6.1.2.1.1.4.0|4x|00ff\r\n"
        b"1.3.6.1.2.1.4.20.1.1.1|64x|c0000201\n"
    )
    (tmp_path / "plain.snmprec").write_bytes(text)
    (tmp_path / "packed.snmprec.bz2").write_bytes(bz2.compress(text))
    (tmp_path / "packed.snmprec.xz").write_bytes(lzma.compress(text))
    plain = list(read_dump(tmp_path / "plain.snmprec"))

    assert [(tag, value) for _, tag, value in plain[:3]] == [
        (Tag.OCTET_STRING, b"text with | inside"),
        (Tag.OBJECT_IDENTIFIER, "1.3.6.1.4.1.119"),
        (Tag.OCTET_STRING, b"\x00\xff"),
    ]
    assert str(plain[3][2]) == "192.0.2.1"
    assert list(read_dump(tmp_path / "packed.snmprec.bz2")) == plain
    assert list(read_dump(tmp_path / "packed.snmprec.xz")) == plain
    (tmp_path / "plain.snmprec").write_bytes(text + b"no dump at all\n")
    with pytest.raises(ValueError, match=r"plain\.snmprec, line 7"):
        list(read_dump(tmp_path / "plain.snmprec"))


async def test_a_recording_can_be_changed_while_it_is_asked(client: SnmpClient) -> None:
    recording = Recording({"1.3.6.1.9.1": (Tag.INTEGER, 1), "1.3.6.1.9.3": (Tag.INTEGER, 3)})
    async with await serve(recording, "::1") as agent:
        target = SnmpTarget(address="::1", port=agent.port)
        recording.set("1.3.6.1.9.2", Tag.COUNTER64, 2**63)
        recording.set("1.3.6.1.9.1", Tag.INTEGER, -1)
        recording.remove("1.3.6.1.9.3")

        walked = await client.walk(target, "1.3.6.1.9")
    assert [bound.value for bound in walked] == [-1, 2**63]


async def test_the_command_line_serves_a_dump(client: SnmpClient, tmp_path: Path) -> None:
    (tmp_path / "one.snmprec").write_text("1.3.6.1.2.1.1.5.0|4|one\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "apps.simulators.snmp_replay",
        f"127.0.0.1:0={tmp_path / 'one.snmprec'}",
        "--community",
        "private",
        "--behave",
        "copies=2",
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        port = int(line.split("port ")[1].split(":")[0])
        target = SnmpTarget(address="127.0.0.1", port=port, community="private")
        assert await client.get(target, ["1.3.6.1.2.1.1.5.0"]) == {"1.3.6.1.2.1.1.5.0": b"one"}
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
