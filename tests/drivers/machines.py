"""Recorded machines: the varbinds a device gave, replayed over a socket and read by the driver.

``fixtures/wire/<driver>/<machine>/`` holds ``first.snmprec``, perhaps ``second.snmprec`` (the same machine some time
later) and ``expected.json``. A machine is added by

    python -m tests.drivers.machines snmp_agent <machine> <address>:<port> <community>

which walks it and writes what the driver makes of it; whoever adds it reads that file with care.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.drivers.contract import Health, Identity, Neighbours, Ports, Sensors, States, Status, Target
from apps.drivers.registry import driver_class
from apps.protocols.errors import ContactError
from apps.protocols.snmp import SnmpClient, SnmpTarget, Tag
from apps.simulators.snmp_replay import Recording, serve

WIRE = Path(__file__).resolve().parents[2] / "fixtures" / "wire"
_READ_BY_DRIVER = (
    "1.3.6.1.2.1.1",
    "1.3.6.1.2.1.2.2.1",
    "1.3.6.1.2.1.25.1",
    "1.3.6.1.2.1.25.2",
    "1.3.6.1.2.1.25.3",
    "1.3.6.1.2.1.31.1.1.1",
    "1.0.8802.1.1.2.1",
    "1.3.6.1.2.1.17.1.4.1.2",
    "1.3.6.1.2.1.33",
    "1.3.6.1.2.1.47.1",
    "1.3.6.1.2.1.99.1",
    "1.3.6.1.2.1.131.1",
    "1.3.6.1.4.1.2021.4",
    "1.3.6.1.4.1.2021.10.1",
    "1.3.6.1.4.1.2021.11",
)
_CHANGING = ("up_since",)


def machines(driver: str) -> list[Path]:
    """Give the folders of a driver's recorded machines."""
    return sorted(path.parent for path in (WIRE / driver).glob("*/expected.json"))


async def read_recording(driver: str, folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Replay a machine and give all that the driver sees, as ``expected.json`` holds it."""
    state: Mapping[str, Any] = {}
    seen: dict[str, Any] = {}
    for dump in ("first.snmprec", "second.snmprec"):
        if not (folder / dump).exists():
            continue
        async with await serve(Recording.load(folder / dump), "127.0.0.1", 0) as agent:
            target = Target(
                "127.0.0.1",
                agent.port,
                "snmp-community",
                {"version": settings.get("version", "2c"), "community": "public"},
                parameters=settings.get("parameters", {}),
                state=_earlier(state, settings.get("seconds", 0)),
            )
            seen, state = await read(driver, target)
    return seen


def _earlier(state: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
    """Let the first contact lie ``seconds`` further back, as if that much time had passed."""
    if "rates" not in state:
        return state
    return {**state, "rates": {**state["rates"], "at": state["rates"]["at"] - seconds}}


async def read(name: str, target: Target) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Poll a device once and give what was seen, as JSON values, and the state to keep."""
    driver = driver_class(name)(target)
    try:
        async with driver:
            assert isinstance(driver, Identity)
            assert isinstance(driver, Health)
            assert isinstance(driver, Sensors)
            assert isinstance(driver, Ports)
            identity = await driver.identify()
            health = await driver.read_health()
            readings = await driver.read_sensors()
            states = await driver.read_states() if isinstance(driver, States) else ()
            report = await driver.read_ports()
            neighbours = await driver.read_neighbours() if isinstance(driver, Neighbours) else None
    except ContactError as error:
        return {"error": error.code, "message": str(error).replace(f":{target.port}", "")}, {}
    verdicts = [fact.status for fact in health.facts] + [
        reading.status or reading.sensor.limits.judge(reading.value)
        for reading in readings
        if reading.value is not None
    ]
    seen = {
        "status": worst(verdicts).value,
        "identity": {
            field: list(value) if isinstance(value, tuple) else value
            for field in identity.__slots__
            if field not in _CHANGING and (value := getattr(identity, field)) not in (None, ())
        },
        "facts": [[fact.key, fact.status.value, fact.message % fact.params] for fact in health.facts],
        "readings": {
            reading.sensor.key: [reading.sensor.name, reading.value, reading.sensor.unit, reading.why]
            for reading in readings
        },
        "limits": {
            reading.sensor.key: [reading.sensor.limits.upper_warning, reading.sensor.limits.upper_critical]
            for reading in readings
            if reading.sensor.limits.upper_critical is not None
        },
        "ports": {
            str(port.index): [port.name, port.alias, port.mac_address, port.state.value, port.speed, port.counter_bits]
            for port in report.ports
        },
    }
    if states:
        seen["states"] = {state.key: [state.name, list(state.words), state.status.value] for state in states}
    if neighbours is not None:
        seen["neighbours"] = [
            [each.local_port, each.port_index, each.chassis_id, each.port_id, each.system_name, list(each.addresses)]
            for each in neighbours
        ]
    return seen, driver.state


def worst(statuses: Sequence[Status]) -> Status:
    """Give the worst of some statuses; none at all is normal."""
    order = [Status.CRITICAL, Status.WARNING, Status.UNKNOWN, Status.NORMAL]
    return min(statuses, key=order.index, default=Status.NORMAL)


async def record(driver: str, machine: str, address: str, port: int, community: str) -> None:
    """Walk a device, write its values down and what the driver makes of them."""
    folder = WIRE / driver / machine
    folder.mkdir(parents=True, exist_ok=True)
    async with SnmpClient() as client:
        target = SnmpTarget(address=address, port=port, community=community)
        lines = []
        for base in _READ_BY_DRIVER:
            for oid, tag, value in await client.walk(target, base):
                lines.append(f"{oid}|{line_value(tag, value)}\n")
    (folder / "first.snmprec").write_text("".join(lines), encoding="ascii")
    await expect(driver, folder, {})


async def expect(driver: str, folder: Path, settings: Mapping[str, Any]) -> None:
    """Write ``expected.json`` from what the driver sees now."""
    seen = await read_recording(driver, folder, settings)
    text = json.dumps({"settings": dict(settings), "seen": seen}, indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")


def line_value(tag: int, value: Any) -> str:
    """Give type and value as a dump writes them; octets always in hexadecimal, because they may be anything."""
    if isinstance(value, bytes):
        return f"{int(tag)}x|{value.hex()}"
    if isinstance(value, float):
        return f"{int(Tag.OCTET_STRING)}x|{str(value).encode().hex()}"
    return f"{int(tag)}|{value}"


if __name__ == "__main__":
    place, _, number = sys.argv[3].rpartition(":")
    asyncio.run(record(sys.argv[1], sys.argv[2], place, int(number), sys.argv[4]))
