"""Orders to a controller that we did not write: OpenIPMI's simulator takes each once, and ipmitool sees what became."""

from collections.abc import Iterator

import pytest

from apps.control.orders import LAMP_UNTOLD, RESTART_UNSEEN
from tests.control.conftest import order, run
from tests.factories import make_credential, make_interface
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim

NOT_SHOWN = (
    "The controller took the order, but does not show it back: "
    "by its own word the machine starts from its own boot order."
)
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    """One controller for the whole module."""
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as running:
        yield running


def test_orders_are_given_once_seen_and_leave_no_session(admin, queued, impatient, simulator):
    device = make_interface(
        driver="bmc",
        address="127.0.0.1",
        port=simulator.port,
        credential=make_credential("password", username=USERNAME, password=PASSWORD),
    )
    begun = len(simulator.orders())
    told = []
    for operation, arguments in (
        ("power", {"action": "off"}),
        ("power", {"action": "off"}),
        ("power", {"action": "on"}),
        ("boot", {"device": "pxe"}),
        ("clear_log", {}),
        ("power", {"action": "reset"}),
        ("lamp", {}),
    ):
        (step,) = run(order(admin, [device], operation, **arguments))
        told.append((step.state, step.code, str(step.message)))
        if arguments == {"action": "off"}:
            assert "is off" in simulator.ipmitool("chassis", "power", "status")
    assert told == [
        ("done", "", "It is off."),
        ("done", "", "It was off already: nothing was ordered."),
        ("done", "", "It is on."),
        ("failed", "not_confirmed", NOT_SHOWN),  # the simulator forgets that its boot device is valid
        ("done", "", "The event log is empty. Entries before: 3."),
        ("failed", "not_confirmed", str(RESTART_UNSEEN)),  # it writes nothing down when the machine is reset
        ("failed", "not_confirmed", str(LAMP_UNTOLD)),
    ]
    assert "is on" in simulator.ipmitool("chassis", "power", "status")
    seen = simulator.ipmitool("chassis", "bootparam", "get", "5")
    assert ("Boot Flag Invalid" in seen, "Boot Device Selector : Force PXE" in seen) == (True, True)
    assert "set boot pxe" in simulator.orders()[begun:]
    powered = [line for line in simulator.orders()[begun:] if "power" in line]
    assert powered == ["set power 0", "set power 1"]
    assert simulator.sessions() == 0
    device.component.refresh_from_db()
    assert device.component.power_state == "on"
