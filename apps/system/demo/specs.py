"""The processes of a demonstration: the simulated fleet, and the step that registers it and makes its history.

Polling and its clock wait for that step, because history is made in the order of time.
"""

import os
import sys
from pathlib import Path

from django.conf import settings

from apps.simulators.fleet.control import answers
from apps.system.demo import ground
from apps.system.processes import Port, ProcessRegistry, ProcessSpec

PLAN = Path(os.environ.get("ESM_DEMO_PLAN") or settings.FIXTURES_DIR / "demo" / "fleet.yaml")
MODULE = "apps.simulators.fleet"
CONTROL = Path(settings.BROKER_SOCKET).with_name("fleet.sock")


def register(registry: ProcessRegistry) -> None:
    """Register both."""
    registry.register("fleet", fleet_process)
    registry.register("demo", staging_step)


def fleet_process() -> ProcessSpec:
    """Give the simulated fleet."""
    number = int(os.environ["ESM_FLEET_PORT"])
    port = Port("simulated devices", "udp", number, "ESM_FLEET_PORT", "ESM_FLEET_FDS", binds=("0.0.0.0",))
    state = ground.current()
    words = {
        "--plan": PLAN,
        "--first": ground.first_address(state.block),
        "--since": state.begun_at,
        "--traps": f"{ground.ADDRESS}:{settings.TRAP_PORT}",
        "--control": CONTROL,
        "--controllers": settings.DATA_DIR / "controllers",
    }
    argv = [sys.executable, "-m", MODULE, *(str(word) for pair in words.items() for word in pair)]
    environment = {"PYTHONPATH": str(settings.BASE_DIR)}
    return ProcessSpec(
        "fleet",
        tuple(argv),
        needs=("receiver",),
        ports=(port,),
        environment=environment,
        ready=lambda: answers(CONTROL),
    )


def staging_step() -> ProcessSpec:
    """Give the step that registers the fleet and makes its history."""
    from apps.system.demo.staging import stage

    return ProcessSpec(
        "demo",
        (sys.executable, str(settings.BASE_DIR / "manage.py"), "stage_demo"),
        run=stage,
        needs=("fleet", "web"),
        before=("beat", "worker-poll"),
        once=True,
        raw_ping=True,
    )
