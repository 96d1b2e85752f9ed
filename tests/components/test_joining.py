"""One server by several interfaces: recognised in either byte order, joined by itself where that is sure, and split."""

import uuid

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, Incident
from apps.alerts.services.raising import raise_alert
from apps.components.models import Component, InventoryItem, MachineId, StatusCause, StatusChange
from apps.components.services import causes, identity, joining, learning, machines, power_states, registration
from apps.components.services.causes import Cause
from apps.components.services.identity import Said
from apps.core import options
from apps.core.actors import COMMAND, SYSTEM
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, Job, JobStep
from apps.core.phrases import Phrase
from apps.drivers.contract import IdentityFacts, PowerState
from apps.monitoring.models import ExcludedPort
from tests.factories import make_component, make_group, make_interface, make_suspend_period, ship_definitions

pytestmark = pytest.mark.django_db

UUID = "4c4c4544-0042-4a10-8059-b4c04f4e3232"
OTHER_ORDER = str(uuid.UUID(bytes=uuid.UUID(UUID).bytes_le))
THIRD = "4c4c4544-0042-4a10-8059-b4c04f4e9999"
AGENT = IdentityFacts(uuid=UUID, serial_number="MXQ1", manufacturer="HPE", model="Linux host", operating_system="Linux")
CONTROLLER = IdentityFacts(uuid=UUID, serial_number="MXQ1", manufacturer="hpe", model="DL360", agent_version="iLO 6")


def pair(first=AGENT, second=CONTROLLER, *, group=None, other_group=None, drivers=("snmp_agent", "ilo")):
    """Register a machine twice, each by one interface, and have both say who they are."""
    one = make_component("web01", group)
    two = make_component("web01-ilo", other_group or one.group)
    for component, driver, facts in zip((one, two), drivers, (first, second), strict=True):
        learning.learn(make_interface(component, driver=driver, last_answer_at=timezone.now()), facts)
    return one, two


def is_there(component: Component) -> bool:
    return Component.objects.filter(pk=component.pk).exists()


def warned(component: Component) -> bool:
    return component.causes.filter(key__startswith=machines.SAME_MACHINE).exists()


class TestByItself:
    """What is joined without a question, and what is only offered."""

    def test_an_agent_and_a_controller_of_one_machine_become_one_component(self):
        one, two = pair()
        assert is_there(one)
        assert not is_there(two)
        one.refresh_from_db()
        assert [row.driver for row in one.interfaces.order_by("pk")] == ["snmp_agent", "ilo"]
        assert (one.name, str(one.uuid), one.model, one.operating_system) == ("web01", UUID, "DL360", "Linux")
        assert not warned(one)
        entry = AuditEntry.objects.get(action="component.join")
        assert (entry.actor_kind, entry.after["joined"]["name"]) == ("system", "web01-ilo")

    def test_the_uuid_in_the_other_byte_order_is_the_same_one(self):
        one, two = pair(second=IdentityFacts(uuid=OTHER_ORDER, model="DL360"))
        assert not is_there(two)
        assert MachineId.objects.filter(kind="uuid").values("value").distinct().count() == 1
        assert machines.holders(uuid.UUID(OTHER_ORDER), "") == [one]

    def test_a_serial_number_and_manufacturer_suffice_where_one_knows_no_uuid(self):
        _one, two = pair(second=IdentityFacts(serial_number="mxq1", manufacturer="HPE"))
        assert not is_there(two)

    @pytest.mark.parametrize(
        ("case", "how"),
        [
            ("another manufacturer", {"second": IdentityFacts(serial_number="MXQ1", manufacturer="Dell Inc.")}),
            ("no manufacturer", {"second": IdentityFacts(serial_number="MXQ1")}),
            ("the same UUID, another serial number", {"second": IdentityFacts(uuid=UUID, serial_number="MXQ2")}),
            ("the same serial number, another UUID", {"second": IdentityFacts(uuid=THIRD, serial_number="MXQ1")}),
            ("two agents", {"drivers": ("snmp_agent", "network_snmp")}),
            ("two controllers", {"drivers": ("bmc", "ilo")}),
            ("only a network card", {"first": IdentityFacts(mac_addresses=("00:16:3e:00:00:07",)),
                                     "second": IdentityFacts(mac_addresses=("00:16:3e:00:00:07",))}),
        ],
    )  # fmt: skip
    def test_what_is_less_sure_is_only_offered(self, case, how):
        one, two = pair(**how)
        assert is_there(two), case
        assert warned(one), case
        assert warned(two), case

    def test_groups_decide_who_may_see_what_so_only_within_one(self):
        one, two = pair(group=make_group(), other_group=make_group())
        assert is_there(two)
        registration.move([two], one.group, SYSTEM)
        joining.join_found()
        assert not is_there(two)

    def test_of_clones_nobody_is_joined(self):
        options.set_value("join_same_machines", False, COMMAND)
        one, two = pair()
        clone = make_interface(make_component("clone"))
        learning.learn(clone, AGENT)
        options.set_value("join_same_machines", True, COMMAND)
        assert joining.join_found() == []
        assert is_there(two)
        registration.remove([clone.component], SYSTEM)
        assert joining.join_found() == [one]

    @pytest.mark.parametrize("why", ["option", "unmanaged"])
    def test_not_when_the_option_is_off_or_one_is_not_watched(self, why):
        options.set_value("join_same_machines", False, COMMAND)
        one, two = pair()
        if why == "unmanaged":
            Component.objects.filter(pk=two.pk).update(unmanaged=True)
            options.set_value("join_same_machines", True, COMMAND)
        assert joining.join_found() == []
        assert warned(one)

    def test_without_anything_to_join_it_costs_one_look(self, django_assert_num_queries):
        options.get("join_same_machines")
        with django_assert_num_queries(1):
            joining.join_found()


def test_what_both_have_gone_through_survives(admin):
    ship_definitions()
    options.set_value("join_same_machines", False, COMMAND)
    one, two = pair()
    (ilo,) = two.interfaces.all()
    InventoryItem.objects.create(interface=ilo, kind="system", key="psu1", name="Power supply 1")
    raise_alert("portal.access-lost", component=two, object=ilo.address, occurred_at=timezone.now())
    make_suspend_period(two, name="Sunday")
    make_suspend_period(one, name="Monday", weekdays=[0], repeat="weekly")
    causes.put([Cause(two.pk, "poll", "fan", "critical", Phrase("A fan stopped."), ilo.pk)])
    StatusChange.objects.create(component=one, old="unknown", new="normal")
    ExcludedPort.objects.create(component=two, mac_address="00:16:3e:00:00:09", port_name="eth1")
    power_states.keep([power_states.Seen(two.pk, PowerState.OFF, timezone.now())])
    child = make_component("guest", parent=two)
    joined = joining.join(one, two, admin)
    assert Alert.objects.get().component == joined
    assert Incident.objects.open().get().component == joined
    assert set(joined.suspend_periods.values_list("name", flat=True)) == {"Sunday", "Monday"}
    assert joined.causes.get(key="fan").interface == ilo
    assert joined.status == "critical"
    assert joined.status_changes.filter(old="unknown", new="normal").exists()
    assert joined.excluded_ports.get().port_name == "eth1"
    assert InventoryItem.objects.get().interface.component == joined
    assert joined.power_state == "off"
    child.refresh_from_db()
    assert child.parent == joined
    assert joined.group == one.group


class TestSplitting:
    """What was joined can be taken apart again, and stays so."""

    def test_each_keeps_what_its_own_interfaces_know(self, admin):
        one, _two = pair(second=IdentityFacts(uuid=OTHER_ORDER, serial_number="MXQ1", model="DL360"))
        ilo = one.interfaces.get(driver="ilo")
        InventoryItem.objects.create(interface=ilo, kind="system", key="psu1", name="Power supply 1")
        power_states.keep([power_states.Seen(one.pk, PowerState.ON, timezone.now())])
        causes.put([Cause(one.pk, "poll", "fan", "critical", Phrase("A fan stopped."), ilo.pk)])
        made = joining.split(ilo, admin)
        one.refresh_from_db()
        assert (made.name, made.group, made.model, made.power_state) == (
            f"web01 ({ilo.address})", one.group, "DL360", "on",
        )  # fmt: skip
        assert (one.model, str(one.uuid), one.power_state, one.status) == ("Linux host", UUID, "", "warning")
        assert made.uuid is None  # the other one has it
        assert made.status == "critical"
        assert made.interfaces.get().inventory.get().name == "Power supply 1"
        assert [row.driver for row in one.interfaces.all()] == ["snmp_agent"]
        entry = AuditEntry.objects.get(action="component.split")
        assert (entry.actor_name, entry.after["split"]["name"]) == (admin.name, made.name)

    def test_it_stays_apart_until_somebody_joins_it(self, admin):
        one, _two = pair()
        made = joining.split(one.interfaces.get(driver="ilo"), admin, "web01 controller")
        assert made.name == "web01 controller"
        assert warned(one)
        assert joining.join_found() == []
        learning.learn(made.interfaces.get(), IdentityFacts(uuid=UUID, serial_number="MXQ1", model="DL360 Gen11"))
        assert is_there(made)
        joined = joining.join(one, made, admin)
        assert joined.interfaces.filter(kept_apart=True).count() == 0
        assert not StatusCause.objects.filter(key__startswith=machines.SAME_MACHINE).exists()

    def test_a_uuid_that_only_the_leaving_one_said_goes_with_it(self, admin):
        one, _two = pair(first=IdentityFacts(serial_number="MXQ1", manufacturer="HPE"))
        one.refresh_from_db()
        assert str(one.uuid) == UUID
        made = joining.split(one.interfaces.get(driver="ilo"), admin)
        one.refresh_from_db()
        assert (one.uuid, str(made.uuid)) == (None, UUID)

    def test_the_only_interface_stays(self, admin):
        interface = make_interface()
        with pytest.raises(Conflict, match="the only way of managing"):
            joining.split(interface, admin)
        assert Component.objects.count() == 1

    def test_a_limit_that_is_reached_holds_here_too(self, admin):
        one, _two = pair()
        options.set_value("max_managed_devices", 1, COMMAND)
        with pytest.raises(Conflict, match="At most 1"):
            joining.split(one.interfaces.get(driver="ilo"), admin)
        assert Component.objects.get().interfaces.count() == 2

    def test_by_the_api_and_by_the_page(self, client, admin):
        one, _two = pair()
        ilo, agent = one.interfaces.get(driver="ilo"), one.interfaces.get(driver="snmp_agent")
        client.force_login(admin.user)
        url = f"/api/v1/components/{one.pk}/split/"
        stranger = client.post(url, {"interface": make_interface().pk}, content_type="application/json")
        assert (stranger.status_code, one.interfaces.count()) == (400, 2)
        body = {"interface": ilo.pk, "name": "Controller"}
        answer = client.post(url, body, content_type="application/json")
        assert (answer.status_code, answer.json()["name"]) == (201, "Controller")
        assert [row["id"] for row in answer.json()["interfaces"]] == [ilo.pk]
        last = client.post(f"/components/{one.pk}/split/", {"interface": agent.pk}, follow=True)
        assert "the only way of managing" in last.content.decode()
        made = Component.objects.get(name="Controller")
        joining.join(one, made, admin)
        page = client.get(one.get_absolute_url()).content.decode()
        assert f'name="interface" value="{ilo.pk}"' in page
        done = client.post(f"/components/{one.pk}/split/", {"interface": ilo.pk})
        assert done.url == Component.objects.get(name__startswith="web01 (").get_absolute_url()


class TestWhoseWordCounts:
    """Of the hardware the controller's, of the software the agent's."""

    agent = Said(1, False, {"model": "Linux host", "serial_number": "A1", "operating_system": "Linux", "uuid": UUID})
    controller = Said(2, True, {"model": "DL360", "serial_number": "B2", "operating_system": "RHEL", "uuid": THIRD})

    @pytest.mark.parametrize(
        ("name", "whose"),
        [("model", 2), ("serial_number", 2), ("uuid", 2), ("operating_system", 1), ("location", None)],
    )
    def test_of_two(self, name, whose):
        for order in ([self.agent, self.controller], [self.controller, self.agent]):
            found = identity.winner(order, name)
            assert (found.interface_id if found else None) == whose

    def test_who_is_asked_alone_is_believed(self):
        assert identity.winner([self.agent], "model") == self.agent
        assert identity.winner([self.controller], "operating_system") == self.controller

    def test_what_identifies_nothing_does_not_win(self):
        blank = Said(2, True, {"serial_number": "To Be Filled By O.E.M.", "uuid": str(uuid.UUID(int=0))})
        assert identity.winner([self.agent, blank], "serial_number") == self.agent
        assert identity.winner([self.agent, blank], "uuid") == self.agent
        assert identity.winner([blank], "serial_number") == blank

    def test_of_equals_the_first_is_believed(self):
        assert (
            identity.winner([Said(4, True, {"model": "b"}), Said(3, True, {"model": "a"})], "model").value("model")
            == "a"
        )

    def test_a_controller_that_comes_later_corrects_the_hardware_but_not_what_was_typed(self):
        one = make_component("web01", manufacturer="Typed")
        learning.learn(make_interface(one), AGENT)
        learning.learn(
            make_interface(one, driver="ilo"),
            IdentityFacts(uuid=THIRD, serial_number="B2", model="DL360", manufacturer="HPE"),
        )
        one.refresh_from_db()
        assert (one.model, one.serial_number, str(one.uuid), one.manufacturer) == ("DL360", "B2", THIRD, "Typed")


def test_an_order_that_runs_ends_at_the_component_that_stays(admin):
    options.set_value("join_same_machines", False, COMMAND)
    one, two = pair()
    job = Job.objects.create(kind="power", created_by_name="x")
    running = JobStep.objects.create(job=job, target="web01", component=two.pk, state="running")
    done = JobStep.objects.create(job=job, target="web01", component=two.pk, state="done")
    joining.join(one, two, admin)
    running.refresh_from_db()
    done.refresh_from_db()
    assert (running.component, done.component) == (one.pk, two.pk)
