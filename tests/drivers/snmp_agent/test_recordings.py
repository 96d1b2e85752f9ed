"""Every recorded machine, replayed over a socket, is seen as its ``expected.json`` says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.machines import machines, read_recording

RECORDED = machines("snmp_agent")


def test_there_are_recordings() -> None:
    assert len(RECORDED) >= 8


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
async def test_a_recorded_machine_is_seen_as_expected(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    seen = await read_recording("snmp_agent", folder, expected["settings"])

    wanted = expected["seen"]
    assert _without_rates(seen) == _without_rates(wanted)
    for key, value in _rates(wanted).items():
        # The replay takes some milliseconds, which the recorded time between two readings does not have.
        assert _rates(seen)[key] == pytest.approx(value, rel=0.01), key


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
