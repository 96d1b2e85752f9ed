"""What parts of a device say in words, who is at the other ends of its cables, and the way of a UPS's power."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.components.models import Component, ManagementInterface
from apps.drivers.contract import Neighbour as Told
from apps.drivers.contract import State, StateKind, Status
from apps.monitoring.models import LastStates, Liveness, Neighbour
from apps.monitoring.services import neighbours, polling, readings, retention, states
from apps.simulators.snmp_replay import Recording
from tests.drivers.machines import WIRE
from tests.factories import make_component, make_credential, make_interface, make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db
SWITCH = Told("Gi1", 1, "02:aa:bb:cc:dd:ee", "mac-address", "Te1/1", "interface-name", system_name="core-1")


class TestStates:
    """One row an interface; a state that is as it was keeps the time it began."""

    FAN = State("fan.1", "Fan 1", StateKind.COOLING, ("Running",))

    def keep(self, interface: ManagementInterface, at: float, *told: State) -> None:
        (packed,) = states.packed([(interface.pk, told, at)]).values()
        measured_at = datetime.fromtimestamp(at, UTC)
        LastStates.objects.update_or_create(
            interface=interface, defaults={"states": packed, "measured_at": measured_at}
        )

    def test_a_state_begins_when_it_was_seen_first(self):
        interface = make_interface()
        self.keep(interface, 1000.0, self.FAN)
        self.keep(interface, 2000.0, self.FAN)
        (view,) = readings.states(interface.component)
        assert (view.since.timestamp(), view.measured_at.timestamp()) == (1000.0, 2000.0)
        self.keep(interface, 3000.0, replace(self.FAN, words=("Failed",), status=Status.CRITICAL))
        (view,) = readings.states(interface.component)
        assert (view.since.timestamp(), [str(word) for word in view.words], view.status) == (
            3000.0,
            ["Failed"],
            "critical",
        )
        assert view.stale  # measured in 1970

    def test_the_time_that_a_device_tells_does_not_wander_while_nothing_happens(self):
        interface = make_interface()
        began = datetime(2026, 6, 1, tzinfo=UTC)
        for seconds in (0, 3, -5):
            self.keep(interface, 1000.0, replace(self.FAN, at=began + timedelta(seconds=seconds)))
        assert readings.states(interface.component)[0].told_at == began
        self.keep(interface, 1000.0, replace(self.FAN, at=began + timedelta(minutes=5)))
        assert readings.states(interface.component)[0].told_at == began + timedelta(minutes=5)

    def test_a_poll_keeps_them_and_what_is_bad_among_them_is_shown_first(self, client):
        interface = fake_device(script="ailing")
        polling.poll([interface.pk])
        assert [(view.key, view.status) for view in readings.states(interface.component)] == [
            ("fan.1", "normal"),
            ("fan.2", "warning"),
        ]
        client.force_login(make_user("viewer"))
        page = " ".join(client.get(f"/components/{interface.component_id}/").content.decode().split())
        assert "1 of 2 bad" in page
        assert page.index("Failure detected") < page.index("Running")

    def test_the_api_lists_and_filters_them(self):
        interface = fake_device(script="ailing")
        polling.poll([interface.pk])
        api = APIClient()
        api.force_authenticate(make_user("viewer"))
        address = f"/api/v1/components/{interface.component_id}/states/"
        (row,) = api.get(f"{address}?status=warning&kind=cooling&interface={interface.pk}").json()["results"]
        assert (row["key"], row["name"], row["words"], row["status"]) == (
            "fan.2",
            "Fan 2",
            ["Failure detected"],
            "warning",
        )
        assert api.get(f"{address}?kind=nothing").status_code == 400
        assert api.get(f"{address}?colour=red").status_code == 400


class TestNeighbours:
    """Rows are written only when something changed, and who is gone stays for a while."""

    def test_who_is_heard_is_kept_and_who_is_not_any_more_is_gone(self):
        interface = make_interface()
        neighbours.keep([(interface.pk, [SWITCH])])
        row = Neighbour.objects.get()
        assert (row.label, row.port_label, row.gone_at) == ("core-1", "Te1/1", None)
        neighbours.keep([(interface.pk, [])])
        row.refresh_from_db()
        assert row.gone_at is not None
        neighbours.keep([(interface.pk, [SWITCH])])
        again = Neighbour.objects.get()
        assert (again.pk, again.gone_at) == (row.pk, None)
        assert again.since > row.since

    def test_what_it_tells_of_itself_is_brought_up_to_date(self):
        interface = make_interface()
        neighbours.keep([(interface.pk, [SWITCH])])
        since = Neighbour.objects.get().since
        neighbours.keep([(interface.pk, [replace(SWITCH, system_name="core-2", addresses=("192.0.2.1",))])])
        row = Neighbour.objects.get()
        assert (row.system_name, row.addresses, row.since) == ("core-2", ["192.0.2.1"], since)

    def test_a_port_shows_who_is_there_else_who_was_there_last(self):
        interface = make_interface()
        old = replace(SWITCH, chassis_id="old", system_name="old")
        neighbours.keep([(interface.pk, [old])])
        neighbours.keep([(interface.pk, [SWITCH])])
        shown = neighbours.by_port(neighbours.of_component(interface.component))
        assert [each.label for each in shown[interface.pk, 1]] == ["core-1"]
        neighbours.keep([(interface.pk, [])])
        shown = neighbours.by_port(neighbours.of_component(interface.component))
        assert [(each.label, each.gone_at is not None) for each in shown[interface.pk, 1]] == [("core-1", True)]

    def test_who_is_gone_for_long_is_forgotten(self):
        interface = make_interface()
        neighbours.keep([(interface.pk, [SWITCH])])
        Neighbour.objects.update(gone_at=timezone.now() - neighbours.FORGOTTEN_AFTER + timedelta(days=1))
        retention.forget_old()
        assert Neighbour.objects.exists()
        Neighbour.objects.update(gone_at=timezone.now() - neighbours.FORGOTTEN_AFTER - timedelta(days=1))
        retention.forget_old()
        assert not Neighbour.objects.exists()

    def test_the_api_lists_them_over_all_components(self):
        one, other = make_interface(), make_interface()
        neighbours.keep([(one.pk, [SWITCH]), (other.pk, [replace(SWITCH, system_name="edge")])])
        neighbours.keep([(other.pk, [])])
        api = APIClient()
        api.force_authenticate(make_user("viewer"))
        listed = api.get("/api/v1/neighbours/").json()
        assert [(row["component"], row["system_name"]) for row in listed["results"]] == [
            (one.component_id, "core-1"),
            (other.component_id, "edge"),
        ]
        gone = api.get("/api/v1/neighbours/?gone=true").json()
        assert [row["system_name"] for row in gone["results"]] == ["edge"]
        assert api.get(f"/api/v1/neighbours/?component={one.component_id}&q=core").json()["count"] == 1


class TestUps:
    """A UPS on battery, read from a recorded one: its own state and the ping are shown apart."""

    @pytest.fixture
    def ups(self, snmp_device) -> Component:
        recording = Recording.load(WIRE / "ups_snmp" / "smart-ups-on-battery" / "first.snmprec")
        interface = make_interface(
            make_component(category="ups"),
            polled=False,
            driver="ups_snmp",
            address="127.0.0.1",
            port=snmp_device(recording),
            credential=make_credential(),
        )
        assert polling.poll([interface.pk]) == {interface.pk: None}
        return Component.objects.get(pk=interface.component_id)

    def test_on_battery_is_a_warning_and_says_so_once(self, ups):
        assert ups.status == "warning"
        assert sorted(str(cause.text) for cause in ups.causes.all()) == [
            "Alarm: The temperature is out of range",
            "Battery: Needs to be replaced",
            "Output source: On battery",
            "Self test: Failed",
        ]
        assert ups.power == 402.0

    def test_its_page_shows_the_way_of_the_power_and_the_ping_apart(self, ups, client):
        Liveness.objects.create(component=ups, address="127.0.0.1", answers=True, since=timezone.now())
        client.force_login(make_user("viewer"))
        page = " ".join(client.get(ups.get_absolute_url()).content.decode().split())
        assert 'id="panel-ups"' in page
        assert 'id="panel-pings"' in page
        for word in ("On battery", "Needs to be replaced", "64.3", "100", "402", "Self test", "Active alarms"):
            assert word in page
        assert "Answers" in page
        assert 'id="panel-states"' not in page  # the panel of the UPS tells all of them

    def test_another_device_has_no_such_panel(self, client):
        interface = fake_device()
        polling.poll([interface.pk])
        client.force_login(make_user("viewer"))
        page = client.get(f"/components/{interface.component_id}/").content.decode()
        assert 'id="panel-ups"' not in page
