"""Simulated controllers that take a setting late or not now, and whether their reports arrive, over real sockets."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.models import Alert, EventSubscription
from apps.alerts.subscriptions import keeping
from apps.control.settings import running, services
from apps.core.models import JobStep
from tests.alerts.events import event_port
from tests.alerts.process import start, wait_for
from tests.bmc_peers import BmcProgram, bmc_programs
from tests.control.conftest import run
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_programs

__all__ = ["start"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database, pytest.mark.xdist_group("receiver")]
LATER = ("done", "", "Tried 2 times. It shows the new values by now: they took effect later.")
CONFIRMED = "It answers again and shows the new values."
ARRIVES = f"{CONFIRMED} Reports still arrive: a test alert came here."
NO_REPORT = f"{CONFIRMED} No report arrived within 60 s: check the destination at the controller itself."


@pytest.fixture
def bmc() -> Iterator[BmcProgram]:
    with bmc_programs("127.53.11", 1, "--takes-in", "5") as (program,):
        yield program


@pytest.fixture
def ilo() -> Iterator[IloProgram]:
    with ilo_programs(1, "--takes-in", "5") as (program,):
        yield program


@pytest.fixture
def meanwhile(monkeypatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen while a step waits, before it is tried again."""

    def given(happens: Callable[[], object]) -> None:
        def tick(self: running.SettingsRound) -> None:
            for pk, one in list(self.waiting.items()):
                if one.due:
                    happens()
                    self.waiting[pk] = replace(one, due=0.0)

        monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(0))
        monkeypatch.setattr(running.SettingsRound, "pause", lambda self: timedelta(minutes=3))
        monkeypatch.setattr(running.SettingsRound, "tick", tick)

    return given


def manage(admin, program: Any, driver: str) -> Any:
    made = make_interface(
        make_component(f"{driver}-1", status="normal"),
        driver=driver,
        address=getattr(program, "address", "127.0.0.1"),
        port=program.port,
        credential=make_credential("password", username=USER, password=SECRET),
    )
    run(services.read([made.component], admin))
    return made


def change(admin, row: Any, wanted: dict[str, Any]) -> tuple[str, str, str]:
    order = services.propose(services.differ([row.component], wanted), admin)
    (step,) = run(services.apply(order, admin))
    return step.state, step.code, str(step.message)


def test_a_bmc_that_takes_it_later_or_is_busy(admin, queued, bmc, meanwhile):
    row = manage(admin, bmc, "bmc")
    bmc.tell("fault slow-to-take")
    meanwhile(lambda: wait_for(lambda: ": later" in bmc.ipmitool("lan", "print", "1")))
    assert change(admin, row, {"destinations.community": "later"}) == LATER
    bmc.tell("mend slow-to-take")

    bmc.tell("fault busy")
    meanwhile(lambda: bmc.tell("mend busy"))
    assert change(admin, row, {"destinations.community": "now", "network.vlan": 7}) == (
        "done",
        "",
        f"Tried 2 times. {CONFIRMED}",
    )
    lan = bmc.ipmitool("lan", "print", "1")
    assert "SNMP Community String   : now" in lan
    assert "802.1q VLAN ID          : 7" in lan

    bmc.tell("fault busy")
    meanwhile(lambda: None)
    state, code, message = change(admin, row, {"destinations.community": "never"})
    assert (state, code) == ("failed", "device_error")
    assert message.startswith("Tried 3 times. It refused Community of alerts: ")
    assert "0xC0 Node busy" in message
    assert "SNMP Community String   : now" in bmc.ipmitool("lan", "print", "1")


def test_an_ilo_that_is_busy_moves_late_or_is_changed_by_others(admin, queued, ilo, meanwhile):
    row = manage(admin, ilo, "ilo")
    ilo.tell("fault busy")
    meanwhile(lambda: ilo.tell("mend busy"))
    before = ilo.tell("writes")
    assert change(admin, row, {"network.host_name": "bmc-2"}) == ("done", "", f"Tried 2 times. {CONFIRMED}")
    assert before == "nothing"
    assert ilo.tell("writes") == "/redfish/v1/Managers/1/EthernetInterfaces/1"

    ilo.tell("fault busy")
    meanwhile(lambda: (ilo.tell("mend busy"), ilo.tell("host theirs")))
    state, code, message = change(admin, row, {"network.host_name": "bmc-3"})
    assert (state, code) == ("failed", "changed_meanwhile")
    assert message == (
        "Tried 2 times. Not written again: Host name is theirs by now, neither as it was (bmc-2) nor as it was to be "
        "(bmc-3)."
    )
    assert str(JobStep.objects.latest("pk").remedy).startswith("Read the settings again, and look")

    run(services.read([row.component], admin))
    ilo.tell("fault slow-to-take")
    meanwhile(lambda: wait_for(lambda: _listens("127.0.0.2", ilo.port)))
    state, _code, message = change(admin, row, {"network.address": "127.0.0.2"})
    assert state == "done", message
    assert message.startswith("Tried 2 times. It ")
    assert "The portal asks it at 127.0.0.2 from now on." in message
    row.refresh_from_db()
    assert row.address == "127.0.0.2"


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


def test_the_test_alerts_of_controllers_are_heard(admin, queued, start, settings, monkeypatch):
    receiver = start()
    settings.EVENT_PORT = event_port(receiver)
    place = ["--trap-port", str(receiver.port)]
    with bmc_programs("127.53.12", 1, *place, "--alerts", "127.0.0.1") as (bmc,), ilo_programs(1, *place) as (ilo,):
        by_ipmi, by_redfish = manage(admin, bmc, "bmc"), manage(admin, ilo, "ilo")
        assert change(admin, by_ipmi, {"network.source": "dhcp"}) == ("done", "", ARRIVES)
        alert = Alert.objects.get(component=by_ipmi.component)
        assert str(alert.title).endswith(": Event trap sent")
        assert alert.severity in ("information", "normal")
        assert "DHCP" in bmc.ipmitool("lan", "print", "1")

        assert change(admin, by_redfish, {"destinations.new.address": "127.0.0.1"})[0] == "done"
        assert change(admin, by_redfish, {"network.source": "dhcp"}) == ("done", "", ARRIVES)  # its own traps
        assert EventSubscription.objects.count() == 0
        keeping.follow()
        assert EventSubscription.objects.get(interface=by_redfish).state == "active"
        assert change(admin, by_redfish, {"network.source": "static"}) == ("done", "", ARRIVES)  # Redfish events
        assert EventSubscription.objects.get(interface=by_redfish).last_event_at is not None

        def tick(self: running.SettingsRound) -> None:
            self.checks = {pk: replace(one, until=min(one.until, 1.0)) for pk, one in self.checks.items()}

        monkeypatch.setattr(running.SettingsRound, "tick", tick)
        ilo.tell("fault mute")
        assert change(admin, by_redfish, {"network.source": "dhcp"}) == ("done", "", NO_REPORT)
        assert receiver.stop() == 0
        assert change(admin, by_ipmi, {"network.source": "static"}) == ("done", "", NO_REPORT)
