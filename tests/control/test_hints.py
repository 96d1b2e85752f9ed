"""Warnings of the guide stand in dialogs, steps and on pages where they apply, and nowhere else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from apps.components import driver_parameters
from apps.components.models import Component, InventoryItem
from apps.components.services.needs import lacks
from apps.control.hints import LET_IT_BE_FOUND
from apps.control.operations import OPERATIONS
from apps.control.services import targets
from apps.core.models import JobStep
from apps.drivers import registry
from apps.drivers.contract import ShutsDownBy
from apps.monitoring.models import LastStates
from apps.monitoring.services import polling
from tests.control.conftest import machine, order, run
from tests.factories import make_component, make_credential, make_interface, make_user

pytestmark = pytest.mark.django_db

STARTING = "Just starting, or in the BIOS setup, which is to be left before: 1"


def dialog(name, *devices):
    client = Client()
    client.force_login(make_user("administrator"))
    ids = ",".join(str(device.component_id) for device in devices)
    return " ".join(client.get("/operations/", {"order": name, "ids": ids}).content.decode().split())


def test_who_was_sent_to_the_setup_is_named_before_it_is_switched(admin, queued):
    device, other = machine(make_component("bios-01")), machine(make_component("calm-01"))
    assert "Leave the BIOS setup before" in dialog("power.off", device)
    assert STARTING not in dialog("power.off", device, other)
    run(order(admin, [device], "boot", device="setup"))
    shown = dialog("power.off", device, other)
    assert STARTING in shown
    assert STARTING in dialog("power.shutdown", device)
    assert STARTING not in dialog("power.on", device)
    assert STARTING not in dialog("lamp.on", device)
    JobStep.objects.update(finished_at=timezone.now() - timedelta(days=2))
    assert STARTING not in dialog("power.off", device)
    run(order(admin, [device], "boot", device="setup", once=False))
    JobStep.objects.update(finished_at=timezone.now() - timedelta(days=2))
    assert STARTING in dialog("power.off", device)
    run(order(admin, [device], "boot", device="none"))
    assert STARTING not in dialog("power.off", device)


@pytest.mark.parametrize(
    ("word", "since", "told"),
    [
        ("Power-on self test running", timedelta(days=9), True),
        ("In the setup of the firmware", timedelta(days=9), True),
        ("Firmware progress", timedelta(hours=23), True),
        ("Firmware progress", timedelta(hours=25), False),  # some controllers never take it back
        ("Power-on self test done", timedelta(), False),
        ("Powered off", timedelta(), False),
    ],
)
def test_a_machine_in_its_self_test_is_named(queued, word, since, told):
    device = machine()
    began = (timezone.now() - since).timestamp()
    states = f'[["post","Start","other",["{word}"],"normal",null,{began}]]'
    LastStates.objects.create(interface=device, states=states, measured_at=timezone.now())
    assert (STARTING in dialog("power.reset", device)) is told


LOST = "May be out of reach while they are off, by the LAN port of their controllers: 1"


@pytest.mark.parametrize(
    ("types", "told"),
    [
        (["shared port"], True),
        (["remote card"], True),
        (["management port"], False),
        (["not known"], False),
        ([None], False),
        (["shared port", "management port"], False),  # by the other one it is reached
        (["shared port", "remote card"], True),
    ],
)
def test_who_may_be_out_of_reach_while_it_is_off_is_named_before_it_is_switched(queued, types, told):
    component = make_component("shared-01")
    for lan_type in types:
        parameters = {"bmc_lan_type": lan_type} if lan_type else {}
        device = make_interface(component, driver="bmc", credential=make_credential("password"), parameters=parameters)
    for name in ("power.on", "power.off", "power.shutdown"):
        shown = dialog(name, device)
        assert (LOST in shown) is told
        assert ("gratuitous ARP" in shown) is told
    assert LOST not in dialog("power.reset", device)


@pytest.mark.parametrize("driver", ["bmc", "redfish", "ilo"])
def test_a_controller_takes_the_type_of_its_lan_port(driver):
    spec = registry.specs()[driver]
    assert driver_parameters.clean(spec, {"bmc_lan_type": "shared port"}) == {"bmc_lan_type": "shared port"}
    with pytest.raises(ValidationError):
        driver_parameters.clean(spec, {"bmc_lan_type": "wireless"})


def test_why_a_machine_last_started_is_shown_and_told(client_of, queued):
    device = machine()
    page, api = f"/components/{device.component_id}/", f"/api/v1/components/{device.component_id}/"
    user = make_user("operator")
    client, program = Client(), client_of(user)
    client.force_login(user)
    polling.poll([device.pk])
    assert program.get(api).json()["restart_cause"] == "Power button"
    shown = " ".join(client.get(page).content.decode().split())
    assert "<dt>Last start</dt> <dd>Power button</dd>" in shown
    Component.objects.update(restart_cause="")
    assert "<dt>Last start" not in client.get(page).content.decode()


def test_a_way_that_tells_no_cause_leaves_the_known_one(queued):
    device = machine()
    other = machine(device.component, traces="none")
    polling.poll([device.pk])
    polling.poll([other.pk])
    device.component.refresh_from_db()
    assert device.component.restart_cause == "Power button"


def test_a_controller_that_is_silent_while_its_server_is_off_gets_the_hint_of_the_network():
    device = machine()
    spec = registry.specs()["fake"]
    Component.objects.filter(pk=device.component_id).update(power_state="off")
    device.component.refresh_from_db()
    assert lacks(device, spec) == []
    device.last_error_code = "unreachable"
    (lack,) = lacks(device, spec)
    assert (lack.sentence, lack.remedy) == (
        "The server was off when it was seen last, and now its controller does not answer.",
        LET_IT_BE_FOUND,
    )
    device.last_error_code = "authentication_failed"
    assert lacks(device, spec) == []
    device.last_error_code = "unreachable"
    Component.objects.filter(pk=device.component_id).update(power_state="on")
    device.component.refresh_from_db()
    assert lacks(device, spec) == []
    device.component.power_state = "off"
    assert lacks(device, replace(spec, capabilities=frozenset())) == []


@pytest.mark.parametrize("state", ["off", "on"])
def test_an_order_that_nobody_answers_says_it_too(admin, queued, state):
    device = machine(power="off", fault="refusing")
    Component.objects.filter(pk=device.component_id).update(power_state=state, power_seen_at=timezone.now())
    (step,) = run(order(admin, [device], action="on"))
    assert (step.state, step.code) == ("failed", "unreachable")
    assert ("gratuitous ARP" in str(step.remedy)) is (state == "off")


def test_a_controller_that_two_ways_list_is_not_taken_for_two():
    client = Client()
    client.force_login(make_user("viewer"))
    component = make_component()
    ways = [make_interface(component, driver="fake", credential=make_credential("password")) for _ in range(2)]
    url = f"/components/{component.pk}/?tab=inventory"

    def listed(interface, serial):
        about = {"interface": interface, "kind": "storage", "name": "RAID", "details": {"Serial number": serial}}
        return InventoryItem.objects.create(key=f"controller.{serial}.0", read_at=timezone.now(), **about)

    listed(ways[0], "A")
    second = listed(ways[0], "B")
    assert "listed twice" not in client.get(url).content.decode()
    second.delete()
    listed(ways[1], "A")
    assert "A RAID controller may be listed twice" in client.get(url).content.decode()


def test_a_shutdown_takes_the_way_to_the_agent_and_other_orders_the_first(monkeypatch):
    component = make_component()
    controller, agent = (
        make_interface(component, driver=driver, credential=make_credential("password")) for driver in ("bmc", "fake")
    )
    specs = dict(registry.specs())
    specs["fake"] = replace(specs["fake"], shuts_down_by=ShutsDownBy.AGENT)
    monkeypatch.setattr(registry, "specs", lambda: specs)
    power = OPERATIONS["power"]
    assert targets.ways([component.pk], power, {"action": "shutdown"}) == {component.pk: agent.pk}
    assert targets.ways([component.pk], power, {"action": "reboot"}) == {component.pk: agent.pk}
    assert targets.ways([component.pk], power, {"action": "off"}) == {component.pk: controller.pk}
