"""The simulated Redfish service as a program: it answers where it is told to, and obeys commands."""

import json
import ssl
import subprocess
import sys
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any

from apps.simulators.redfish import Machine, Service
from apps.simulators.redfish.__main__ import obey
from apps.simulators.redfish.machine import Fault

ROOT = Path(__file__).resolve().parents[3]


def fetch(url: str) -> dict[str, Any]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    login = b64encode(b"watcher:secret").decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_the_program_answers_and_obeys() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "apps.simulators.redfish", "127.0.0.1:0"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdin
        assert program.stdout
        place = program.stdout.readline().strip()
        assert fetch(f"{place}Systems/1")["Status"]["Health"] == "OK"
        address = place.removeprefix("https://").removesuffix("/redfish/v1/")
        program.stdin.write(f"fault {address} psu-failed\n")
        program.stdin.flush()
        assert program.stdout.readline() == f"{address}: psu-failed\n"
        assert fetch(f"{place}Systems/1")["Status"]["Health"] == "Critical"
    finally:
        program.terminate()
        assert program.wait(10) == 0


def test_a_command_that_nobody_knows_is_answered_with_what_is_known() -> None:
    service = Service(Machine(), "127.0.0.1", 8443)
    assert obey("fault a:1 fan-stopped", {"a:1": service}) == "a:1: fan-stopped"
    assert obey("mend a:1 fan-stopped", {"a:1": service}) == "a:1: well"
    assert obey("burn a:1", {"a:1": service}).startswith("fault|mend a:1 silent|slow|")
    assert service.machine.faults == set()


def test_the_machine_writes_down_what_happens_to_it() -> None:
    machine = Machine(clock=lambda: 1_780_000_000.0)
    machine.begin(Fault.FAN_STOPPED)
    machine.begin(Fault.FAN_STOPPED)
    machine.mend(Fault.FAN_STOPPED)
    assert [(entry.number, entry.severity) for entry in machine.iml] == [
        (1, "Repaired"),
        (2, "Critical"),
        (3, "Repaired"),
    ]
    assert (machine.reset("ForceOff"), machine.reset("ForceOff"), machine.reset("On")) == (200, 409, 200)
    assert machine.reset("Explode") == 400
    assert machine.orders == ["ForceOff", "On"]
