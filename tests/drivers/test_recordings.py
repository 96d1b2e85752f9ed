"""Every recorded machine, replayed over a socket, is seen as its ``expected.json`` says."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.drivers.contract import Capability, UpsPart
from apps.drivers.registry import specs
from tests.drivers.machines import WIRE, machines, read_recording

RECORDED = [folder for driver in sorted(path.name for path in WIRE.iterdir()) for folder in machines(driver)]


def test_there_are_recordings_of_drivers_that_there_are() -> None:
    drivers = {folder.parent.name for folder in RECORDED}
    assert drivers == {"snmp_agent", "network_snmp", "ups_snmp"}
    assert drivers <= specs().keys()
    assert len(RECORDED) >= 14


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
async def test_a_recorded_machine_is_seen_as_expected(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    seen = await read_recording(folder.parent.name, folder, expected["settings"])

    wanted = expected["seen"]
    assert _without_rates(seen) == _without_rates(wanted)
    for key, value in _rates(wanted).items():
        # The replay takes some milliseconds, which the recorded time between two readings does not have.
        assert _rates(seen)[key] == pytest.approx(value, rel=0.01), key


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_the_keys_of_a_ups_are_those_that_its_capability_promises(folder: Path) -> None:
    if Capability.UPS not in specs()[folder.parent.name].capabilities:
        return
    seen = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["seen"]
    places = {key.split(".")[0] for key in seen["readings"]}
    assert places <= {*(part.value for part in UpsPart), "power", "ambient", "uptime", "if"}
    assert {key.split(".")[0] for key in seen["states"]} <= {"source", "battery", "test", "alarm"}
    assert {"battery.charge", "output.load"} <= seen["readings"].keys()


def _rates(seen: dict[str, Any]) -> dict[str, float]:
    return {
        key: reading[1]
        for key, reading in seen.get("readings", {}).items()
        if key.startswith("if.") and reading[1] is not None
    }


def _without_rates(seen: dict[str, Any]) -> dict[str, Any]:
    rates = _rates(seen)
    return {
        **seen,
        "readings": {
            key: [reading[0], "rate" if key in rates else reading[1], *reading[2:]]
            for key, reading in seen.get("readings", {}).items()
        },
    }
