"""A server that is switched off: its agent's silence is explained by its controller, and nobody is told of a loss."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, Incident
from apps.components import contact
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes, power_states
from apps.drivers.contract import PowerState, Quantity, Reading, Sensor
from apps.monitoring.judging import snapshot
from apps.monitoring.services import liveness, readings, writing
from apps.monitoring.services.asking import Polled
from apps.protocols.errors import AuthenticationFailed, Unreachable
from tests.factories import make_component, make_interface, ship_definitions

pytestmark = pytest.mark.django_db
CPU = Sensor("cpu", "CPU", Quantity.CPU, "%")


class Server:
    """A component with an agent and a controller, and what polls and sweeps find of it."""

    def __init__(self) -> None:
        ship_definitions()
        self.now = timezone.now()
        long_ago = self.now - timedelta(hours=1)
        self.component = make_component("web01")
        told = {"last_answer_at": long_ago, "last_polled_at": long_ago, "next_poll_at": self.now + timedelta(hours=9)}
        self.agent = make_interface(self.component, address="192.0.2.1", **told)
        self.controller = make_interface(self.component, driver="ilo", address="192.0.2.2", **told)
        self.poll(agent=True, power=PowerState.ON)
        # Rounds follow each other at once here: those that were a moment ago would not be repeated.
        ManagementInterface.objects.update(last_polled_at=long_ago, next_poll_at=self.now + timedelta(hours=9))

    def poll(self, *, agent: bool | None = None, power: PowerState | None = None, controller_error=None) -> None:
        """Keep what one round of polls gave; ``agent`` says whether it answered, None that it was not asked."""
        self.now += timedelta(minutes=1)
        told = []
        at = self.now.timestamp()
        if agent is not None:
            (line,) = contact.lines([self.agent.pk], contact.POLL)
            values = snapshot([Reading(CPU, 12.0)], {})
            silent = Unreachable("%(address)s does not answer.", address="192.0.2.1")
            told.append(Polled(line, at, readings=values) if agent else Polled(line, at, silent))
        if power is not None or controller_error is not None:
            (line,) = contact.lines([self.controller.pk], contact.POLL)
            told.append(Polled(line, at, controller_error, power=power))
        writing.write(told)

    def sweep(self, *answering: str) -> None:
        """Keep a sweep of pings."""
        self.now += timedelta(minutes=1)
        places = liveness._places()
        liveness.keep(places, {address: address in answering for _component, address in places}, self.now)

    @property
    def reasons(self) -> list[str]:
        return [str(row.text) for row in StatusCause.objects.filter(component=self.component)]

    @property
    def status(self) -> str:
        causes.recompute([self.component.pk])
        return Component.objects.get(pk=self.component.pk).status

    def row(self) -> Component:
        return Component.objects.get(pk=self.component.pk)

    def is_due(self, interface) -> bool:
        interface.refresh_from_db()
        return interface.next_poll_at <= timezone.now()


@pytest.fixture
def server() -> Server:
    return Server()


def test_a_server_that_was_switched_off_is_off_and_not_lost(server):
    server.sweep("192.0.2.1", "192.0.2.2")
    server.poll(agent=False, power=PowerState.OFF)
    for _ in range(6):
        server.sweep("192.0.2.2")
    assert (server.status, server.reasons) == ("normal", [])
    assert not Alert.objects.exists()
    row = server.row()
    assert (row.power_state, row.cpu, row.up_since) == ("off", None, None)
    assert row.power_since is not None


def test_what_its_system_told_is_out_of_date_at_once_and_what_its_controller_tells_is_not(server):
    power_states.keep([power_states.Seen(server.component.pk, PowerState.OFF, server.now + timedelta(seconds=1))])
    (view,) = readings.latest(server.component)
    assert (view.value, view.stale) == (12.0, True)
    server.controller.component.refresh_from_db()
    assert not power_states.is_out_of_date(server.controller, server.now)


def test_of_an_agent_that_falls_silent_the_controller_is_asked_at_once(server):
    server.poll(agent=False)
    assert server.status == "unknown"
    assert server.is_due(server.controller)
    server.poll(power=PowerState.OFF)
    assert (server.status, server.reasons) == ("normal", [])


def test_the_first_silent_sweep_asks_the_controller_too(server):
    server.sweep("192.0.2.1", "192.0.2.2")
    assert not server.is_due(server.controller)
    server.sweep("192.0.2.2")
    assert server.is_due(server.controller)


def test_a_loss_that_was_told_before_the_controller_said_so_is_ended(server):
    server.sweep("192.0.2.1", "192.0.2.2")
    for _ in range(5):
        server.sweep("192.0.2.2")
    incident = Incident.objects.open().get()
    server.poll(power=PowerState.OFF)
    server.sweep("192.0.2.2")
    assert (server.status, server.reasons) == ("normal", [])
    incident.refresh_from_db()
    assert not incident.is_open
    assert Alert.objects.count() == 1  # nothing has recovered


def test_a_machine_that_starts_has_ten_minutes_and_is_asked_every_minute(server):
    server.sweep("192.0.2.1", "192.0.2.2")
    server.poll(agent=False, power=PowerState.OFF)
    for _ in range(6):
        server.sweep("192.0.2.2")
    power_states.keep([power_states.Seen(server.component.pk, PowerState.ON, server.now + timedelta(seconds=1))])
    server.poll(agent=False)
    server.sweep("192.0.2.2")
    assert (server.status, Alert.objects.count()) == ("normal", 0)
    server.agent.refresh_from_db()
    assert server.agent.next_poll_at <= timezone.now() + timedelta(seconds=61)
    long_ago = timezone.now() - power_states.STARTING - timedelta(seconds=1)
    Component.objects.filter(pk=server.component.pk).update(power_since=long_ago)
    server.poll(agent=False)
    server.sweep("192.0.2.2")
    assert server.status == "unknown"
    assert Alert.objects.get().object == "192.0.2.1"


def test_a_controller_that_is_silent_itself_explains_nothing(server):
    server.sweep("192.0.2.1", "192.0.2.2")
    server.poll(agent=True, power=PowerState.OFF)
    server.poll(agent=False, controller_error=Unreachable("%(address)s does not answer.", address="192.0.2.2"))
    for _ in range(6):
        server.sweep()
    assert server.status == "unknown"
    assert {alert.object for alert in Alert.objects.all()} == {"192.0.2.1", "192.0.2.2"}


def test_a_wrong_password_of_an_agent_is_told_also_while_the_machine_is_off(server):
    (line,) = contact.lines([server.agent.pk], contact.POLL)
    power_states.keep([power_states.Seen(server.component.pk, PowerState.OFF, timezone.now())])
    writing.write([Polled(line, server.now.timestamp(), AuthenticationFailed("refused"))])
    assert server.status == "unknown"


def test_a_server_that_was_never_seen_off_does_not_start(server):
    assert server.row().power_since is None
    assert power_states.excused({server.component.pk}) == set()


def test_one_address_for_both_is_lost_when_both_are_silent(server):
    """MON-08: the state of a shared address says of neither alone that it is lost."""
    server.controller.address = "192.0.2.1"
    server.controller.save()
    server.sweep("192.0.2.1")
    server.poll(agent=False, power=PowerState.OFF)
    for _ in range(6):
        server.sweep()
    assert Alert.objects.get().object == "192.0.2.1"
