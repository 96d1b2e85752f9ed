"""From registration to status with a simulated iLO in a process of its own."""

import pytest

from apps.components.models import Component, InventoryItem, ManagementInterface, StatusCause
from apps.monitoring.services import collecting, polling, readings
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db


def causes(interface: ManagementInterface) -> dict[str, str]:
    return {cause.status: str(cause.text) for cause in StatusCause.objects.filter(interface=interface)}


def test_an_ilo_is_polled_shown_and_judged(ilo_program: IloProgram) -> None:  # noqa: F811
    tell = ilo_program.tell
    credential = make_credential("password", username=USER, password=SECRET)
    interface = make_interface(
        make_component(), polled=False, driver="ilo", address="127.0.0.1", port=ilo_program.port, credential=credential
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
