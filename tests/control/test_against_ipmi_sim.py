"""Orders to a controller that we did not write: OpenIPMI's simulator takes each once, and ipmitool sees what became."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest

from apps.control.orders import LAMP_UNTOLD, RESTART_UNSEEN
from apps.control.settings import running as settings_running
from apps.control.settings import services
from apps.core.models import JobStep
from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import Target
from apps.protocols.errors import Unsupported
from apps.protocols.ipmi import configuration, session
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


def test_settings_are_written_once_the_controller_answers_again(admin, queued, simulator, monkeypatch):
    monkeypatch.setattr(session, "LOGIN_PATIENCE", 2.0)
    device = make_interface(
        driver="bmc",
        address="127.0.0.1",
        port=simulator.port,
        credential=make_credential("password", username=USERNAME, password=PASSWORD),
    )
    run(services.read([device.component], admin))
    found = services.differ([device.component], {"network.gateway": "192.0.2.77"})
    job = services.apply(services.propose(found, admin), admin)
    simulator.process.send_signal(signal.SIGSTOP)
    waited = []

    def tick(self: settings_running.SettingsRound) -> None:
        if self.waiting and not waited:
            waited.append(str(JobStep.objects.get(job=job).message))
            simulator.process.send_signal(signal.SIGCONT)

    monkeypatch.setattr(settings_running.SettingsRound, "tick", tick)
    monkeypatch.setattr(settings_running.SettingsRound, "pause", lambda self: timedelta(seconds=0.2))
    try:
        (step,) = run(job)
    finally:
        simulator.process.send_signal(signal.SIGCONT)
    assert (step.state, str(step.message)) == ("done", "Tried 2 times. It answers again and shows the new values.")
    assert waited[0].startswith("Waits to try again at ")
    assert "Default Gateway IP      : 192.0.2.77" in simulator.ipmitool("lan", "print", "1", fails=True)


def test_a_controller_without_alert_destinations_sends_no_test_alert(simulator):
    async def ask() -> None:
        login = {"username": USERNAME, "password": PASSWORD}
        target = Target("127.0.0.1", simulator.port, "password", login, timeout=1.0)
        async with BmcDriver(target) as device:
            with pytest.raises(Unsupported, match="has no destination 1"):
                await device.send_test_alert("1")
            with pytest.raises(Unsupported, match="0xC1"):  # the simulator does not know the command
                await device._run(lambda session: configuration.send_alert(session, 1, 1))

    asyncio.run(ask())
