"""Subscriptions through their whole life, on a simulated iLO in a process of its own."""

import re
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.alerts import tasks
from apps.alerts.models import Alert, EventSubscription, Farewell
from apps.alerts.subscriptions import decommissioning, farewells, here, keeping, talking, trying
from apps.components.models import ManagementInterface
from apps.components.services import managers, registration
from apps.components.services.drafts import NewInterface
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry, JobStep
from apps.drivers.contract import Subscription
from apps.protocols.errors import Unreachable
from tests.alerts.events import event_port
from tests.alerts.process import wait_for
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program

__all__ = ["ilo_program"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("receiver")]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def port_of_events(settings):
    settings.EVENT_PORT = 21443


@pytest.fixture
def ilo(ilo_program: IloProgram):
    ilo_program.tell("forget")
    yield ilo_program
    for fault in ("fan-stopped", "wrong-password", "wrong-certificate", "silent"):
        ilo_program.tell(f"mend {fault}")


def manage(ilo: IloProgram, name: str = "web-01", port: int | None = None) -> ManagementInterface:
    component = make_component(name, status="normal")
    credential = make_credential("password", component.group, username=USER, password=SECRET)
    return make_interface(component, driver="ilo", address="127.0.0.1", port=port or ilo.port, credential=credential)


def destinations(ilo: IloProgram) -> int:
    return int(ilo.tell("subscriptions").split()[0])


def test_from_the_registration_to_the_last_event(ilo, start, settings, monkeypatch):
    monkeypatch.setattr(tasks.run_event_test, "apply_async", lambda *given, **how: None)  # there is no broker
    interface = manage(ilo)
    receiver = start()
    settings.EVENT_PORT = event_port(receiver)
    assert keeping.follow() == 1
    row = EventSubscription.objects.get(interface=interface)
    assert (row.state, row.tests, row.others, row.place) == (
        "active",
        True,
        [],
        f"https://127.0.0.1:{settings.EVENT_PORT}",
    )
    assert re.fullmatch("/redfish/v1/EventService/Subscriptions/[0-9]+", row.uri)
    assert keeping.follow() == 0  # it is looked at daily

    ilo.tell("fault fan-stopped")
    fan = wait_for(Alert.objects.first)
    assert (fan.component_id, fan.severity, str(fan.title)) == (interface.component_id, "critical", "FanFailed: 2")
    ilo.tell("mend fan-stopped")
    wait_for(lambda: Alert.objects.count() == 2)
    assert Alert.objects.order_by("pk").last().severity == "normal"

    job = trying.order([row], SYSTEM)
    trying.run(job.pk)
    step = JobStep.objects.get(job=job)
    assert (step.state, str(step.message)) == ("done", "The test event arrived.")

    # It forgot us, and the daily look finds that out.
    ilo.tell("forget")
    first = EventSubscription.objects.get()
    assert keeping.follow(timezone.now() + DAY) == 1
    second = EventSubscription.objects.get()
    assert destinations(ilo) == 1
    assert (second.token_hash != first.token_hash, second.uri != first.uri) == (True, True)
    assert keeping.follow(timezone.now() + 2 * DAY) == 1  # and when all is well, nothing is made anew
    assert (EventSubscription.objects.get().uri, destinations(ilo)) == (second.uri, 1)

    # Another port of ours: the old one goes, so that the device does not send twice.
    settings.EVENT_PORT = 21999
    assert keeping.follow() == 1
    moved = EventSubscription.objects.get()
    assert (moved.place, destinations(ilo)) == ("https://127.0.0.1:21999", 1)
    settings.EVENT_PORT = event_port(receiver)
    assert keeping.follow() == 1

    registration.remove([interface.component], SYSTEM)
    assert destinations(ilo) == 1  # nothing is sent to a device inside a transaction
    assert keeping.follow() == 1
    assert (destinations(ilo), Farewell.objects.count(), EventSubscription.objects.count()) == (0, 0, 0)
    assert int(ilo.tell("sessions")) == 0
    acts = list(AuditEntry.objects.filter(action__startswith="events.").order_by("pk").values_list("action", flat=True))
    assert acts == ["events.subscribe"] * 4 + ["events.unsubscribe"]
    assert SECRET not in receiver.log.read_text()


def test_a_device_that_was_away_is_looked_at_when_it_is_back(ilo):
    interface = manage(ilo)
    keeping.follow()
    ManagementInterface.objects.filter(pk=interface.pk).update(failures=2)
    assert keeping.follow() == 0
    assert EventSubscription.objects.get().interrupted
    ManagementInterface.objects.filter(pk=interface.pk).update(failures=0)
    ilo.tell("forget")
    assert keeping.follow() == 1
    assert destinations(ilo) == 1


def test_one_whose_controller_another_manager_has_is_ended_and_made_again_when_it_is_ours(ilo, monkeypatch):
    monkeypatch.setattr(tasks.run_event_test, "apply_async", lambda *given, **how: None)  # there is no broker
    interface = manage(ilo)
    keeping.follow()
    row = EventSubscription.objects.get()
    job = trying.order([row], SYSTEM)
    managers.assign([interface.component], {"controller": "Osaka"}, SYSTEM)
    trying.run(job.pk)
    step = JobStep.objects.get(job=job)
    assert (step.state, str(step.message).endswith("changes nothing on it: Osaka.")) == ("skipped", True)
    keeping.follow()
    farewells.follow()
    assert (destinations(ilo), EventSubscription.objects.count(), Farewell.objects.count()) == (0, 0, 0)
    writes = ilo.tell("writes")
    assert keeping.follow(timezone.now() + DAY) == 0
    assert (ilo.tell("writes"), EventSubscription.objects.count()) == (writes, 0)
    managers.assign([interface.component], {"controller": None}, SYSTEM)
    assert keeping.follow() == 1
    assert destinations(ilo) == 1


def test_one_that_is_given_to_another_manager_while_it_is_due_is_not_asked(ilo, monkeypatch):
    interface = manage(ilo)
    notice = keeping._notice

    def given_meanwhile(now):
        managers.assign([interface.component], {"controller": ""}, SYSTEM)
        notice(now)

    monkeypatch.setattr(keeping, "_notice", given_meanwhile)
    before = ilo.tell("requests")
    assert keeping.follow() == 0
    assert (destinations(ilo), ilo.tell("requests")) == (0, before)


def test_one_that_leads_to_another_device_is_ended_where_it_was(ilo):
    interface = manage(ilo)
    keeping.follow()
    credential = interface.credential_id
    there = NewInterface(id=interface.pk, driver="ilo", address="127.0.0.1", port=9, credential_id=credential)
    registration.change(interface.component, {"interfaces": [there]}, SYSTEM)
    assert Farewell.objects.get().port == ilo.port
    keeping.follow()
    assert (destinations(ilo), Farewell.objects.count()) == (0, 0)
    lost = EventSubscription.objects.get()
    assert (lost.state, lost.uri) == ("failed", "")
    assert "127.0.0.1" in str(lost.last_error)
    assert lost.due_at > timezone.now()

    # Without a way of managing at all, nothing is left that could be asked to stop.
    registration.change(interface.component, {"interfaces": []}, SYSTEM)
    assert (EventSubscription.objects.count(), Farewell.objects.count()) == (0, 0)


def test_a_device_that_is_not_there_is_asked_for_a_day_and_then_listed(ilo):
    interface = manage(ilo)
    keeping.follow()
    ManagementInterface.objects.filter(pk=interface.pk).update(port=9)  # nobody listens there any more
    registration.remove([interface.component], SYSTEM)
    now = timezone.now()
    for _ in range(len(farewells.PAUSES) + 1):
        assert farewells.follow(now) == 1
        assert farewells.follow(now) == 0
        now += timedelta(hours=13)
    left = Farewell.objects.get()
    assert (left.is_given_up, left.name, left.tries) == (True, "web-01", len(farewells.PAUSES) + 1)
    assert SECRET not in str(left.login)
    assert farewells.follow(now + 30 * DAY) == 0
    assert AuditEntry.objects.filter(action="events.unsubscribe", outcome="failed").count() == 1
    farewells.forget(left, SYSTEM)
    assert not Farewell.objects.exists()


def test_one_that_is_removed_while_it_agrees_to_send_is_told_to_stop(ilo, monkeypatch):
    component = manage(ilo).component
    keep = talking.keep

    async def removed_meanwhile(line, plan):
        kept = await keep(line, plan)
        await sync_to_async(registration.remove, thread_sensitive=False)([component], SYSTEM)
        return kept

    monkeypatch.setattr(talking, "keep", removed_meanwhile)
    keeping.follow()
    assert (destinations(ilo), EventSubscription.objects.count()) == (1, 0)
    farewells.follow()
    assert (destinations(ilo), EventSubscription.objects.count(), Farewell.objects.count()) == (0, 0, 0)


def test_one_whose_answer_got_lost_is_told_to_stop(ilo, monkeypatch):
    interface = manage(ilo)
    keep = talking.keep

    async def unheard(line, plan):
        await keep(line, plan)
        raise Unreachable("silence", address="127.0.0.1")

    monkeypatch.setattr(talking, "keep", unheard)
    keeping.follow()
    assert (destinations(ilo), EventSubscription.objects.get().uri) == (1, "")
    ManagementInterface.objects.filter(pk=interface.pk).update(last_answer_at=timezone.now())  # as a poll writes it
    registration.remove([interface.component], SYSTEM)
    farewells.follow()
    assert (destinations(ilo), Farewell.objects.count()) == (0, 0)


def test_a_refused_login_is_offered_once(ilo):
    interface = manage(ilo)
    keeping.follow()
    registration.remove([interface.component], SYSTEM)
    ilo.tell("fault wrong-password")
    farewells.follow()
    assert Farewell.objects.get().is_given_up
    ilo.tell("mend wrong-password")
    assert destinations(ilo) == 1

    again = manage(ilo, "web-02")
    ilo.tell("fault wrong-password")
    keeping.follow()
    assert EventSubscription.objects.get().state == "failed"
    assert ManagementInterface.objects.get(pk=again.pk).refused_version is not None


def test_switched_off_all_are_removed_and_decommission_lists_what_is_left(ilo):
    manage(ilo)
    gone = manage(ilo, "web-02", port=9)
    keeping.follow()
    EventSubscription.objects.filter(interface=gone).update(uri="/redfish/v1/EventService/Subscriptions/77")
    said = StringIO()
    with pytest.raises(CommandError, match="1 devices may go on sending"):
        call_command("decommission", "--yes", stdout=said)
    assert said.getvalue().splitlines()[0] == "Subscriptions removed: 1"
    assert "Could not be removed: web-02, 127.0.0.1, /redfish/v1/EventService/Subscriptions/77" in said.getvalue()
    assert (destinations(ilo), options.get("redfish_events")) == (0, False)
    assert keeping.follow() == 0
    assert not EventSubscription.objects.exists()
    assert decommissioning.decommission(SYSTEM).removed == 0  # it may be repeated


def test_others_are_shown_and_what_is_left_of_ours_goes(ilo):
    interface = manage(ilo)
    place = "https://127.0.0.1:21443"
    (line,) = talking.contact.lines([interface.pk], talking.PURPOSE)

    async def put(destination: str, context: str) -> Subscription:
        async with talking.contact.open(line, deadline=10) as device:
            return await device.subscribe(destination, context)

    talking.all_at_once([partial(put, f"https://192.0.2.{n}:443/secret-of-another", "manager") for n in (1, 2, 3)])
    talking.all_at_once([partial(put, f"{place}/redfish-events/left", "esm-of-a-component-that-went")])
    keeping.follow()
    row = EventSubscription.objects.get()
    assert row.others == ["192.0.2.1:443", "192.0.2.2:443", "192.0.2.3:443"]
    assert (row.managers, destinations(ilo)) == (4, 4)


class TestHere:
    """The address to which devices are to send."""

    def test_it_is_that_of_the_way_to_the_device(self):
        assert here.place_for("127.0.0.1") == "https://127.0.0.1:21443"

    def test_one_where_nobody_listens_is_none(self, settings):
        settings.BIND = "127.0.0.2"
        with pytest.raises(here.Nowhere, match="ESM_BIND"):
            here.place_for("127.0.0.1")
        settings.BIND = "0.0.0.0"
        assert here.place_for("127.0.0.1") == "https://127.0.0.1:21443"

    @pytest.mark.parametrize(
        ("chosen", "place"),
        [
            ("portal.example.com", "https://portal.example.com:21443"),
            ("192.0.2.1:8443", "https://192.0.2.1:8443"),
            ("2001:db8::1", "https://[2001:db8::1]:21443"),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ],
    )
    def test_what_somebody_chose_counts(self, chosen, place):
        options.set_value("event_address", chosen, SYSTEM)
        assert here.place_for("192.0.2.200") == place

    @pytest.mark.parametrize("chosen", ["https://x", "a/b", "user@host", "host:99999", "[::", "ho st"])
    def test_what_is_no_address_is_refused(self, chosen):
        with pytest.raises(ValidationError):
            here.check(chosen)
