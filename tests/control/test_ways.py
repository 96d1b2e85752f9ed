"""By which way an order goes: one that works, that offers this, and that leads to the machine itself."""

from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone

from apps.components import contact
from apps.components.models import Credential, InventoryItem, ManagementInterface
from apps.components.services import interfaces, learning
from apps.components.services.drafts import NewInterface
from apps.control.operations import OPERATIONS
from apps.control.services import targets
from apps.core import rows
from apps.core.errors import Conflict
from apps.core.models import Job
from apps.drivers import registry
from apps.drivers.bmc import parts as bmc_parts
from apps.drivers.contract import IdentityFacts, PowerAction, ShutsDownBy
from apps.drivers.fake.driver import FakeDriver
from apps.drivers.redfish import parts as redfish_parts
from apps.monitoring.services import inventory, polling
from apps.protocols.ipmi.about import DeviceId, Lan
from tests.control.conftest import machine, order, run
from tests.factories import make_component, make_credential, make_interface

pytestmark = pytest.mark.django_db

CONTROLLERS = "02:00:5e:00:53:0b"
LAN = Lan(channel=1, mac=CONTROLLERS)
DEVICE = DeviceId(0x20, 1, "2.45", "2.0", 119, 0x1234, "", has_repository=True)


def controller(component=None, driver="bmc"):
    return make_interface(component or make_component(), driver=driver, credential=make_credential("password"))


def list_parts(interface, items):
    line = contact.lines([interface], "refresh")[0]
    inventory.keep([inventory.Told(line, items=tuple(items))])


def test_nobody_is_woken_by_the_port_of_his_controller(admin, queued):
    bmc, redfish = controller(), controller(driver="redfish")
    learning.learn(bmc, bmc_parts.identity(DEVICE, None, None, LAN))
    list_parts(bmc, [bmc_parts.lan_port(LAN)])
    manager, nic = {"Id": "1"}, {"Id": "1", "MACAddress": CONTROLLERS}
    list_parts(redfish, redfish_parts.manager_nics(manager, [nic]))
    listed = InventoryItem.objects.values_list("details", flat=True)
    assert [(one["MAC address"], one["Port of"]) for one in listed] == [(CONTROLLERS, "Management controller")] * 2
    both = [bmc.component_id, redfish.component_id]
    assert targets.mac_addresses(both) == {}
    assert targets.ways(both, OPERATIONS["wake"]) == {}
    with pytest.raises(Conflict):
        order(admin, [bmc], "wake")
    learning.learn(redfish, IdentityFacts(mac_addresses=("02:00:5e:00:53:01",)))
    assert targets.mac_addresses(both) == {redfish.component_id: ["02:00:5e:00:53:01"]}


def test_two_ways_to_one_controller_are_known_by_its_port():
    one, other = controller(), controller()
    for interface in (one, other):
        learning.learn(interface, bmc_parts.identity(DEVICE, None, None, Lan(channel=1, mac="00:16:3e:00:53:0b")))
    assert {(row.kind, row.value) for row in one.machine_ids.all()} == {("mac", "00163e00530b")}
    one.refresh_from_db()
    assert one.identity["controller_mac_addresses"] == ["00:16:3e:00:53:0b"]


ANSWERED = {"last_answer_at": timezone.now(), "last_error_code": ""}


def told(interface, **facts):
    ManagementInterface.objects.filter(pk=interface.pk).update(**facts)
    return interface


def way(component, operation, **arguments):
    return targets.ways([component.pk], OPERATIONS[operation], arguments).get(component.pk)


def test_an_order_goes_by_a_way_that_answered_last():
    component = make_component()
    refused, latched, silent, new, spare, well = (machine(component) for _ in range(6))
    told(refused, **ANSWERED, refused_version=1)
    told(latched, **ANSWERED)
    Credential.objects.filter(pk=latched.credential_id).update(latched_version=1)
    told(silent, last_answer_at=timezone.now(), last_error_code="unreachable")
    told(spare, **ANSWERED)
    told(well, **ANSWERED)
    for expected in (spare, well, new, silent, refused, latched):
        assert way(component, "lamp") == expected.pk
        assert way(component, "power", action="off") == expected.pk
        assert way(component, "power", action="shutdown") == expected.pk
        told(expected, enabled=False)
    assert way(component, "power", action="off") is None


def test_a_shutdown_passes_over_an_agent_that_forbids_it_or_is_silent(monkeypatch):
    component = make_component()
    by_controller, agent = controller(component), machine(component)
    specs = dict(registry.specs())
    specs["fake"] = replace(specs["fake"], shuts_down_by=ShutsDownBy.AGENT)
    monkeypatch.setattr(registry, "specs", lambda: specs)
    for interface in (by_controller, agent):
        told(interface, **ANSWERED)
    assert way(component, "power", action="shutdown") == agent.pk
    told(agent, power_actions=["on", "reboot"])
    assert way(component, "power", action="shutdown") == by_controller.pk
    assert way(component, "power", action="reboot") == agent.pk
    told(agent, power_actions=None, last_error_code="unreachable")
    assert way(component, "power", action="shutdown") == by_controller.pk
    told(by_controller, last_error_code="unreachable")
    assert way(component, "power", action="shutdown") == agent.pk


def test_what_a_device_does_not_offer_is_on_no_menu_and_a_conflict(client_of, admin, queued, monkeypatch):
    device = machine()
    read, offered = FakeDriver.read_power, frozenset(PowerAction) - {PowerAction.REBOOT}

    async def read_power(driver):
        return replace(await read(driver), actions=offered)

    monkeypatch.setattr(FakeDriver, "read_power", read_power)
    browser = Client()
    browser.force_login(admin.user)
    page, word = f"/components/{device.component_id}/", "The device was not asked yet which power orders it offers."
    api, url = client_of(admin.user), f"/api/v1{page}"
    shown = browser.get(page).content.decode()
    assert "order=power.reboot" in shown
    assert word in shown
    assert api.get(url).json()["interfaces"][0]["power_actions"] is None
    polling.poll([device.pk])
    device.refresh_from_db()
    assert set(device.power_actions) == {action.value for action in offered}
    shown = browser.get(page).content.decode()
    assert "order=power.reboot" not in shown
    assert "order=power.reset" in shown
    assert word not in shown
    assert set(api.get(url).json()["interfaces"][0]["power_actions"]) == set(device.power_actions)
    dialog = browser.get("/operations/", {"order": "power.reboot", "ids": device.component_id}).content.decode()
    assert "None of these components can do this." in dialog
    body = {"operation": "power", "arguments": {"action": "reboot"}, "components": [device.component_id]}
    refused = client_of(admin.user).post("/api/v1/operations/", body, format="json")
    assert (refused.status_code, Job.objects.count()) == (409, 0)
    able = machine()
    body["components"].append(able.component_id)
    assert client_of(admin.user).post("/api/v1/operations/", body, format="json").status_code == 202
    assert run(Job.objects.get())[0].code == "unsupported"


def test_what_is_offered_as_before_is_not_written_again(monkeypatch):
    device = machine()
    polling.poll([device.pk])
    written = []
    monkeypatch.setattr(rows, "update", lambda model, names, values: written.append((tuple(names), len(values))))
    polling.poll([device.pk])
    assert [number for names, number in written if names == ("power_actions",)] == [0]


def test_a_way_that_leads_elsewhere_has_offered_nothing_yet():
    device = machine()
    polling.poll([device.pk])
    device.refresh_from_db()
    assert device.power_actions
    interfaces.replace_all(device.component, [NewInterface("fake", "192.0.2.77", id=device.pk)])
    device.refresh_from_db()
    assert device.power_actions is None
