"""By which way an order goes: one that works, that offers this, and that leads to the machine itself."""

import pytest

from apps.components import contact
from apps.components.models import InventoryItem
from apps.components.services import learning
from apps.control.operations import OPERATIONS
from apps.control.services import targets
from apps.core.errors import Conflict
from apps.drivers.bmc import parts as bmc_parts
from apps.drivers.contract import IdentityFacts
from apps.drivers.redfish import parts as redfish_parts
from apps.monitoring.services import inventory
from apps.protocols.ipmi.about import DeviceId, Lan
from tests.control.conftest import order
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
