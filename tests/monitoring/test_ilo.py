"""From registration to status with a simulated iLO in a process of its own."""

import pytest

from apps.components import contact
from apps.components.models import Component, InventoryItem, ManagementInterface, StatusCause
from apps.drivers.contract import Power, PowerAction
from apps.monitoring.models import InventoryChange
from apps.monitoring.services import collecting, event_loop, inventory, polling, readings
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


async def _order(line: contact.Line, action: PowerAction) -> None:
    async with contact.open(line, deadline=30) as device:
        assert isinstance(device, Power)
        await device.set_power(action)


def test_a_drive_that_is_pulled_out_is_noticed_and_what_an_ilo_does_not_list_while_it_is_off_is_not(
    ilo_program: IloProgram,  # noqa: F811
) -> None:
    credential = make_credential("password", username=USER, password=SECRET)
    interface = make_interface(
        make_component(), polled=False, driver="ilo", address="127.0.0.1", port=ilo_program.port, credential=credential
    )
    (line,) = contact.lines([interface.pk], "inventory")

    def read() -> list[tuple[str, str, str]]:
        seen = set(InventoryChange.objects.values_list("pk", flat=True))
        assert inventory.read([interface.pk]) == {interface.pk: None}
        found = InventoryChange.objects.exclude(pk__in=seen)
        return sorted(found.values_list("change", "kind", "name"))

    assert read() == []
    ilo_program.tell("fault drive-pulled")
    bay = "Slot=14:Port=1:Box=1:Bay=2"
    assert read() == [("gone", "storage", bay)]
    facts = {label: (before, after) for label, before, after in InventoryChange.objects.get().facts}
    assert facts["Serial number"] == ("SIM0000001D1", None)
    assert "Media life left" not in facts

    event_loop.submit(_order(line, PowerAction.OFF)).result(60)
    ilo_program.tell("mend drive-pulled")
    processors = InventoryItem.objects.filter(interface=interface, kind="processor")
    assert read() == [("appeared", "storage", bay)]  # drives are listed while it is off, processors are not
    assert processors.count() == 2
    event_loop.submit(_order(line, PowerAction.ON)).result(60)
    ilo_program.tell("tested")
    assert read() == []
    assert processors.count() == 2
