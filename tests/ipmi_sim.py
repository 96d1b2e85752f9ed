"""OpenIPMI's simulator of a management controller, with a folder of its own, and ipmitool as a second opinion."""

import contextlib
import os
import re
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from tests.peers import START_WITHIN, free_udp_port, program

USERNAME, PASSWORD = "admin", "Geheim-4711"
GUID = "a1b2c3d4-e5f6-4718-a93a-4b5c6d7e8f90"
ADDED_AT = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
PRESENCE = bytes.fromhex("0600ff06000011be80010000")

# number, name, SDR sensor type, unit, M, exponent, format, raw value, thresholds from the highest to the lowest
ANALOG = (
    (2, "CPU1 Temp", "Temperature", "degrees_C", 1, 0, "unsigned", 48, (100, 95, 85, 0, 3, 5)),
    (3, "P12V", "Voltage", "Volts", 6, -2, "unsigned", 202, (230, 220, 210, 180, 190, 195)),
    (4, "Fan1", "Fan", "RPM", 100, 0, "unsigned", 42, (255, 254, 250, 3, 5, 8)),
    (5, "PS Power", "Other_Units_Based_Sensor", "Watts", 2, 0, "unsigned", 90, None),
    (6, "Ambient", "Temperature", "degrees_C", 1, 0, "2s_complement", 0xFB, None),
)
# number, name, SDR sensor type, number of the type, bits that are set
DISCRETE = (
    (32, "PSU1 Status", "Power_Supply", 0x08, (0,)),
    (33, "PSU2 Status", "Power_Supply", 0x08, (0, 3)),
    (34, "Drive 1", "Drive_Slot", 0x0D, (0,)),
)
_SENSOR_TYPES = {"Temperature": 1, "Voltage": 2, "Fan": 4, "Other_Units_Based_Sensor": 0x0B}

_LAN = """name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 {port}
  priv_limit admin
  allowed_auths_callback none md2 md5 straight
  allowed_auths_user none md2 md5 straight
  allowed_auths_operator none md2 md5 straight
  allowed_auths_admin none md2 md5 straight
  guid {guid}
  lan_config_program "{folder}/lan.sh"
endlan
chassis_control "{folder}/chassis.sh {folder}"
{sol}console 127.0.0.1 {console}
startnow false
user 1 true "" "" user 10 none md2 md5 straight
user 2 true "{username}" "{password}" admin 10 none md2 md5 straight
"""
_CHASSIS_SH = """#!/bin/sh
folder=$1; verb=$2; what=$3; value=$4
echo "$verb $what $value" >> "$folder/orders"
case "$verb $what" in
    "get power") echo "power:$(cat "$folder/power")" ;;
    "set power") echo "$value" > "$folder/power" ;;
    "set shutdown") echo 0 > "$folder/power" ;;
    "get boot") echo "boot:$(cat "$folder/boot")" ;;
    "set boot") echo "$value" > "$folder/boot" ;;
esac
"""
_LAN_SH = """#!/bin/sh
kept="$(dirname "$0")/lan"
mkdir -p "$kept"
if [ "$1" = set ]; then
    shift
    while [ $# -gt 1 ]; do echo "$2" > "$kept/$1"; shift 2; done
    exit 0
fi
shift
for name in "$@"; do
    [ -f "$kept/$name" ] && echo "$name:$(cat "$kept/$name")" && continue
    case $name in
        ip_addr) echo "ip_addr:192.0.2.17" ;;
        ip_addr_src) echo "ip_addr_src:static" ;;
        mac_addr) echo "mac_addr:02:00:00:00:20:17" ;;
        subnet_mask) echo "subnet_mask:255.255.255.0" ;;
        default_gw_ip_addr) echo "default_gw_ip_addr:192.0.2.1" ;;
        *) echo "$name:0" ;;
    esac
done
"""


def entry(number: int, seconds: int, *behind: int) -> bytes:
    """One system event for the log: sensor type, sensor, direction and type, three bytes of data."""
    at = int(ADDED_AT.timestamp()) + seconds
    return struct.pack("<HBI", number, 0x02, at) + bytes((0x20, 0x00, 0x04, *behind))


EVENTS = (
    entry(1, 0, 0x01, 2, 0x01, 0x59, 96, 95),  # CPU1 Temp above its upper critical limit
    entry(2, 60, 0x08, 33, 0x6F, 0x03, 0xFF, 0xFF),  # PSU2 lost its input
    entry(3, 120, 0x08, 33, 0xEF, 0x03, 0xFF, 0xFF),  # and has it again
)

Analog = tuple[int, str, str, str, int, int, str, int, tuple[int, ...] | None]
Discrete = tuple[int, str, str, int, tuple[int, ...]]


@dataclass(frozen=True)
class Machine:
    """What a simulated machine has: sensors that measure, others, and what its log holds."""

    analog: tuple[Analog, ...] = ANALOG
    discrete: tuple[Discrete, ...] = DISCRETE
    events: tuple[bytes, ...] = EVENTS


MACHINE = Machine()


@dataclass
class IpmiSim:
    """A running controller, and the same one seen by ipmitool."""

    process: subprocess.Popen[bytes]
    port: int
    console: int
    folder: Path

    def ipmitool(self, *command: str, fails: bool = False) -> str:
        """What ipmitool says; suite 3 is the only one that the simulator speaks."""
        where = ["-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(self.port), "-U", USERNAME, "-E"]
        done = subprocess.run(
            [program("ipmitool", "ipmitool"), *where, *command],
            env={**os.environ, "IPMI_PASSWORD": PASSWORD, "LC_ALL": "C", "TZ": "UTC"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stdout

    def say(self, *commands: str) -> None:
        """Change something inside the simulator: a sensor's value, an entry of the log."""
        with socket.create_connection(("127.0.0.1", self.console), timeout=5) as there:
            for command in ("", *commands):
                if command:
                    there.sendall(command.encode() + b"\n")
                heard = b""
                while not heard.endswith(b"> "):  # it does not survive that somebody goes before it has answered
                    heard += there.recv(4096)

    def orders(self) -> list[str]:
        """What the machine was told to do, oldest first."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "orders").read_text().splitlines()
            return [line.strip() for line in lines if line.startswith("set")]
        return []

    def sessions(self) -> int:
        """How many sessions are open besides the one that asks."""
        info = self.ipmitool("session", "info", "active")  # lists its own session alone, and counts all
        counted = re.search(r"active sessions\s*: (\d+)", info)
        assert counted is not None, info
        return int(counted[1]) - 1

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def ipmi_sim(folder: Path, serial: int | None = None) -> Iterator[IpmiSim]:
    """Build a controller's folder and run the simulator on it; ``serial`` is the TCP port of the machine's console."""
    port, console = free_udp_port(), free_tcp_port()
    build(folder, port, console, serial=serial)
    process = subprocess.Popen(
        [
            program("ipmi_sim", "openipmi"),
            *("-c", str(folder / "lan.conf"), "-f", str(folder / "sim.emu"), "-s", str(folder / "state"), "-n"),
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=(folder / "said").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(process, port, folder)
        yield IpmiSim(process, port, console, folder)
    finally:
        process.kill()
        process.wait(10)


def free_tcp_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        return int(used.getsockname()[1])


def _wait_for(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    limit = time.monotonic() + START_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", port))
        asking.settimeout(0.1)
        while time.monotonic() < limit and process.poll() is None:
            try:
                asking.send(PRESENCE)
                if asking.recv(64):
                    return
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                time.sleep(0.02)
    raise AssertionError("ipmi_sim does not start: " + (folder / "said").read_text(errors="replace"))


def build(folder: Path, port: int, console: int, machine: Machine = MACHINE, *, serial: int | None = None) -> None:
    """Write all that the simulator of one machine reads; ``serial`` is the TCP port of its console."""
    state = folder / "state" / "ipmi_sim" / "bmc"
    state.mkdir(parents=True)
    names = {"folder": folder, "port": port, "console": console, "username": USERNAME, "password": PASSWORD}
    names["sol"] = f'sol "tcp:127.0.0.1:{serial}" 115200\n' if serial else ""
    (folder / "lan.conf").write_text(_LAN.format(guid=UUID(GUID).bytes_le.hex(), **names))
    for name, text in (("chassis.sh", _CHASSIS_SH), ("lan.sh", _LAN_SH)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "power").write_text("1\n")
    (folder / "boot").write_text("none\n")
    (folder / "fru0.bin").write_bytes(fru_area())
    (folder / "sim.emu").write_text("\n".join(_commands(folder, machine)) + "\n")
    (folder / "main.sdrs").write_text("\n".join(_records(machine)) + "\n")
    compiler = program("sdrcomp", "openipmi")
    command = [compiler, "-8", "-o", str(state / "sdr.20.main"), str(folder / "main.sdrs")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (state / "sel.20").write_bytes(_log(machine.events))


def _commands(folder: Path, machine: Machine) -> Iterator[str]:
    masks = " ".join(["000111111111111"] * 4)
    yield "mc_setbmc 0x20"
    yield "mc_add 0x20 0 no-device-sdrs 0x23 2 0x45 0xbf 0x77 0x1234 persist_sdr"
    yield "sel_enable 0x20 100 0x0a"
    yield "sensor_add 0x20 0 0 35 0x6f event-only"  # the watchdog has to be sensor 0
    for number, _, kind, _, _, _, _, raw, thresholds in machine.analog:
        yield f"sensor_add 0x20 0 {number} {_SENSOR_TYPES[kind]} 1"
        yield f"sensor_set_value 0x20 0 {number} {raw} 0"
        if thresholds:
            yield f"sensor_set_threshold 0x20 0 {number} settable 111111 {' '.join(map(str, thresholds))}"
        yield f"sensor_set_event_support 0x20 0 {number} enable scanning per-state {masks}"
    for number, _, _, kind, bits in machine.discrete:
        yield f"sensor_add 0x20 0 {number} {kind} 0x6f"
        yield f"sensor_set_event_support 0x20 0 {number} enable scanning per-state {masks}"
        for bit in bits:
            yield f"sensor_set_bit 0x20 0 {number} {bit} 1 0"
    yield f'mc_add_fru_data 0x20 0 512 file 0 "{folder}/fru0.bin"'
    yield "mc_enable 0x20"


def _records(machine: Machine) -> Iterator[str]:
    common = "sensor_owner_id 0x20\nsensor_owner_lun 0\nchannel_number 0\nentity_instance 1"
    readable = "\n".join(f"{name}_thrsh_readable true" for name in ("unr", "uc", "unc", "lnr", "lc", "lnc"))
    for number, name, kind, unit, m, exponent, data_format, _, thresholds in machine.analog:
        yield f'sdr type 1\n{common}\nsensor_number {number}\nsensor_type {kind}\nid_string "{name}"'
        yield f"entity_id system_chassis\nevent_reading_type_code 1\nbase_unit {unit}"
        yield f"analog_data_format {data_format}\nm {m}\nb 0\nr_exp {exponent}\nb_exp 0"
        if thresholds:
            yield f"sensor_threshold_access settable\n{readable}"
        yield "endsdr"
    for number, name, kind, _, _ in machine.discrete:
        yield f'sdr type 2\n{common}\nsensor_number {number}\nsensor_type {kind}\nid_string "{name}"'
        yield "entity_id power_supply\nevent_reading_type_code 0x6f\nendsdr"
    yield "sdr type 17\ndevice_access_address 0x20\nfru_device_address 0\nlogical_fru true\nprivate_bus_id 0"
    yield "device_type 16\ndevice_type_modifier 0\nfru_entity_id system_chassis\nfru_entity_instance 1"
    yield 'id_string "Server"\nendsdr'


def _log(events: Iterable[bytes]) -> bytes:
    """The simulator's file of its log: the newest entry first."""
    lines = [f"last_erase_time:i:0\nlast_add_time:i:{int(ADDED_AT.timestamp()) + 120}"]
    for event in reversed(list(events)):
        escaped = "".join(f"\\{byte:02x}" for byte in event)
        lines.append(f"{int.from_bytes(event[:2], 'little')}:d:{escaped}")
    return ("\n".join(lines) + "\n").encode()


def fru_area(serial: str = "SRV0001") -> bytes:
    """What the machine says of itself: chassis, board and product."""
    chassis = _area(bytes((23,)), ("CH-100", "CHS0001"))
    minutes = (datetime(2026, 3, 2, tzinfo=UTC) - datetime(1996, 1, 1, tzinfo=UTC)).days * 24 * 60
    board = _area(b"\x19" + minutes.to_bytes(3, "little"), ("NEC", "Main board", "BRD0001", "BP-1", ""))
    product = _area(b"\x19", ("NEC", "Express5800/R120k-1M", "N8100-3021Y", "1.0", serial, "ASSET-7", ""))
    places = (1, 1 + len(chassis) // 8, 1 + (len(chassis) + len(board)) // 8)
    header = bytes((1, 0, *places, 0, 0))
    return header + _checksum(header) + chassis + board + product


def _area(first: bytes, texts: Iterable[str]) -> bytes:
    body = first + b"".join(bytes((0xC0 | len(text),)) + text.encode() for text in texts) + b"\xc1"
    length = (len(body) + 3 + 7) // 8
    area = bytes((1, length)) + body
    area += b"\x00" * (length * 8 - 1 - len(area))
    return area + _checksum(area)


def _checksum(data: bytes) -> bytes:
    return bytes((-sum(data) & 0xFF,))
