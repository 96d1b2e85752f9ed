"""From registration to status with a simulated iLO in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.components.models import Component, InventoryItem, ManagementInterface, StatusCause
from apps.monitoring.services import collecting, polling, readings
from tests.factories import make_component, make_credential, make_interface

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def ilo_program() -> Iterator[tuple[int, Callable[[str], str]]]:
    """A simulated iLO; gives its port, and how it is told what to do."""
    program = subprocess.Popen(
        [sys.executable, "-m", "apps.simulators.redfish", "127.0.0.1:0", "--password", "s3cret-word"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    orders, answers = program.stdin, program.stdout
    port = int(answers.readline().rpartition("/redfish")[0].rpartition(":")[2])

    def tell(command: str) -> str:
        verb, fault = command.split()
        orders.write(f"{verb} 127.0.0.1:{port} {fault}\n")
        orders.flush()
        return answers.readline()

    try:
        yield port, tell
    finally:
        program.terminate()
        program.wait(10)


def causes(interface: ManagementInterface) -> dict[str, str]:
    return {cause.status: str(cause.text) for cause in StatusCause.objects.filter(interface=interface)}


def test_an_ilo_is_polled_shown_and_judged(ilo_program: tuple[int, Callable[[str], str]]) -> None:
    port, tell = ilo_program
    credential = make_credential("password", username="watcher")
    interface = make_interface(
        make_component(), polled=False, driver="ilo", address="127.0.0.1", port=port, credential=credential
    )
    assert collecting.collect([interface.pk]) == {interface.pk: None}
    component = Component.objects.get(pk=interface.component_id)
    assert (component.status, component.serial_number, component.model) == (
        "normal",
        "SIM0000001",
        "ProLiant DL360 Gen11",
    )
    values = {view.key: view.value for view in readings.latest(component)}
    assert (values["power"], values["temperature.0"], values["drive.DE00C000.0.life"]) == (214.0, 22.0, 97.0)
    assert InventoryItem.objects.filter(interface=interface, kind="memory").count() == 2
    interface.refresh_from_db()
    assert len(interface.state["pin"]) == 64

    tell("fault fan-stopped")
    polling.poll([interface.pk])
    assert causes(interface)["critical"] == "Fan 2: Critical"
    assert Component.objects.get(pk=component.pk).status == "critical"
    tell("mend fan-stopped")
    polling.poll([interface.pk])
    assert Component.objects.get(pk=component.pk).status == "normal"

    tell("fault wrong-certificate")
    (error,) = polling.poll([interface.pk]).values()
    assert error is not None
    assert (error.code, error.params["known"]) == ("device_error", interface.state["pin"])
    assert Component.objects.get(pk=component.pk).status == "unknown"
    tell("mend wrong-certificate")
    assert polling.poll([interface.pk]) == {interface.pk: None}

    tell("fault wrong-password")
    (error,) = polling.poll([interface.pk]).values()
    assert error is not None
    assert error.code == "authentication_failed"
    tell("mend wrong-password")
    (error,) = polling.poll([interface.pk]).values()
    assert error is not None
    assert "not offered again until it is changed" in str(error)
