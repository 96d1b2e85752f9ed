"""Registering, finding the same machine again, joining, and removing without a trace."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.components import extensions
from apps.components.models import Component, InventoryItem, MachineId, ManagementInterface, Reservation, StatusCause
from apps.components.services import causes, joining, learning, machines, registration
from apps.components.services.causes import Cause
from apps.components.services.registration import NewComponent, NewInterface
from apps.core import options
from apps.core.actors import COMMAND, SYSTEM
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, JobStep
from apps.core.phrases import Phrase
from apps.drivers.contract import IdentityFacts
from tests.factories import make_component, make_credential, make_group, make_interface

pytestmark = pytest.mark.django_db

UUID = "4c4c4544-0042-4a10-8059-b4c04f4e3232"


def fake(address: str, **fields) -> NewInterface:
    return NewInterface("fake", address, **fields)


def same_as(component: Component) -> list[str]:
    rows = component.causes.filter(key__startswith=machines.SAME_MACHINE)
    return [f"{row.status}: {row.text}" for row in rows]


def test_a_new_component_says_what_it_is_waiting_for_and_is_due_at_once(admin):
    component = registration.register(NewComponent("web01", interfaces=[fake("192.0.2.1")]), admin)
    component.refresh_from_db()
    assert (component.status, [str(cause.text) for cause in component.causes.all()]) == ("unknown", ["Not polled yet."])
    interface = component.interfaces.get()
    assert ManagementInterface.objects.managed().due(timezone.now()).get() == interface
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.address) == ("component.register", admin.name, "127.0.0.1")
    assert entry.after["interfaces"][0]["address"] == "192.0.2.1"


class TestLimits:
    """The number of devices is an option, and reaching it is told in a sentence."""

    def limit(self, name, value):
        options.set_value(name, value, COMMAND)

    def test_one_device_too_many_is_refused(self, admin):
        self.limit("max_managed_devices", 2)
        registration.register(NewComponent("one"), admin)
        registration.register(NewComponent("two"), admin)
        with pytest.raises(Conflict, match="At most 2 devices can be managed"):
            registration.register(NewComponent("three"), admin)
        assert Component.objects.count() == 2

    def test_suspended_ones_count_and_unmanaged_and_alert_only_ones_do_not(self, admin):
        self.limit("max_managed_devices", 1)
        registration.register(NewComponent("unmanaged", unmanaged=True), admin)
        registration.register(NewComponent("ears", interfaces=[NewInterface("alert_only", "192.0.2.1")]), admin)
        make_component("suspended", suspended=True)
        with pytest.raises(Conflict):
            registration.register(NewComponent("one"), admin)

    def test_what_did_not_count_is_counted_when_it_begins_to(self, admin):
        self.limit("max_managed_devices", 1)
        managed = registration.register(NewComponent("managed"), admin)
        other = registration.register(NewComponent("other", unmanaged=True), admin)
        with pytest.raises(Conflict):
            registration.change(other, {"unmanaged": False}, admin)
        registration.change(managed, {"category": "network", "name": "still one"}, admin)
        registration.change(managed, {"unmanaged": True}, admin)
        registration.change(other, {"unmanaged": False}, admin)
        assert list(Component.objects.managed()) == [other]

    def test_one_hypervisor_too_many_is_refused(self, admin):
        self.limit("max_esxi", 1)
        registration.register(NewComponent("esx1", category="hypervisor"), admin)
        with pytest.raises(Conflict, match="At most 1 hypervisors"):
            registration.register(NewComponent("esx2", category="hypervisor"), admin)
        with pytest.raises(Conflict):
            registration.change(make_component("web"), {"category": "hypervisor"}, admin)
        assert Component.objects.filter(category="hypervisor").count() == 1


class TestLearning:
    """What a device says of itself fills what nobody typed, and finds the same machine twice."""

    def test_facts_fill_what_is_empty_and_follow_the_device(self):
        interface = make_interface()
        started = timezone.now()
        learning.learn(
            interface, IdentityFacts(uuid=UUID, serial_number="S1", model="R120", location="Lab", up_since=started)
        )
        component = Component.objects.get()
        assert (str(component.uuid), component.serial_number, component.model) == (UUID, "S1", "R120")
        assert (component.location, component.up_since) == ("Lab", started)
        assert component.search_text.splitlines()[-1] == interface.address or "r120" in component.search_text
        learning.learn(interface, IdentityFacts(uuid=UUID, serial_number="S1", model="R130", location="Hall"))
        component.refresh_from_db()
        assert (component.model, component.location) == ("R130", "Hall")

    def test_what_somebody_typed_stays(self, admin):
        component = make_component(model="My own words")
        learning.learn(make_interface(component), IdentityFacts(model="R120", manufacturer="NEC"))
        component.refresh_from_db()
        assert (component.model, component.manufacturer) == ("My own words", "NEC")

    def test_the_same_again_costs_one_query(self, django_assert_num_queries):
        found = {make_interface().pk: IdentityFacts(name=f"host{number}") for number in range(20)}
        learning.learn_many(found.items())
        with django_assert_num_queries(1):
            learning.learn_many(found.items())

    @pytest.mark.parametrize(
        "facts",
        [
            IdentityFacts(uuid=UUID),
            IdentityFacts(serial_number="ABC123"),
            IdentityFacts(mac_addresses=("00:16:3E:00:00:01", "02:42:00:00:00:01")),
        ],
    )
    def test_the_same_machine_under_two_names_is_a_cause_on_both(self, facts):
        one, two = make_component("one"), make_component("two")
        learning.learn(make_interface(one), facts)
        assert same_as(one) == []
        second = make_interface(two)
        learning.learn(second, facts)
        assert (same_as(one), same_as(two)) == (["warning: Same machine as two."], ["warning: Same machine as one."])
        assert machines.twins_of(one) == [two.pk]
        learning.learn(second, IdentityFacts(serial_number="OTHER1"))
        assert (same_as(one), same_as(two)) == ([], [])

    def test_the_first_one_moving_away_ends_it_too(self):
        first, second = make_interface(), make_interface()
        learning.learn(first, IdentityFacts(uuid=UUID))
        learning.learn(second, IdentityFacts(uuid=UUID))
        assert StatusCause.objects.filter(key__startswith="same-machine").count() == 2
        learning.learn(first, IdentityFacts(uuid="4c4c4544-0042-4a10-8059-b4c04f4e9999"))
        assert not StatusCause.objects.filter(key__startswith="same-machine").exists()
        learning.learn(second, IdentityFacts(uuid=UUID, serial_number="S2"))
        assert str(Component.objects.get(pk=second.component_id).uuid) == UUID

    def test_a_given_serial_number_is_found_by_the_device_that_has_it(self):
        given = make_component("given", serial_number="abc123")
        polled = make_component("polled")
        learning.learn(make_interface(polled), IdentityFacts(serial_number="ABC123"))
        assert same_as(given) == ["warning: Same machine as polled."]

    def test_what_many_or_nobody_has_identifies_nothing(self):
        nothing = IdentityFacts(
            uuid="00000000-0000-0000-0000-000000000000",
            serial_number="To Be Filled By O.E.M.",
            mac_addresses=("02:42:ac:11:00:02", "00:00:00:00:00:00", "00:00:5e:00:01:05", "ff:ff:ff:ff:ff:ff"),
        )
        for _ in range(2):
            learning.learn(make_interface(), nothing)
        usb = IdentityFacts(mac_addresses=("00:16:3E:00:00:02",), name="usb")
        for _ in range(4):
            learning.learn(make_interface(), usb)
        assert not MachineId.objects.exclude(value="00163e000002").exists()
        last = Component.objects.order_by("pk").last()
        assert same_as(last) == []
        assert Component.objects.exclude(uuid=None).count() == 0

    @pytest.mark.parametrize("way", ["it says another", "it is removed", "its interface is removed", "it moves away"])
    def test_a_mac_address_of_a_crowd_warns_nobody_and_of_two_again_both(self, admin, way):
        card = IdentityFacts(mac_addresses=("00:16:3e:00:00:03",))
        first, second, third = (make_component(name) for name in ("one", "two", "three"))
        for component in (first, second):
            learning.learn(make_interface(component), card)
        both = (["warning: Same machine as two."], ["warning: Same machine as one."])
        assert (same_as(first), same_as(second)) == both
        last = make_interface(third)
        learning.learn(last, card)
        assert not StatusCause.objects.filter(key__startswith=machines.SAME_MACHINE).exists()
        if way == "it says another":
            learning.learn(last, IdentityFacts(mac_addresses=("00:16:3e:00:00:04",)))
        elif way == "it is removed":
            registration.remove([third], admin)
        else:
            elsewhere = [fake("192.0.2.99", id=last.pk)] if way == "it moves away" else []
            registration.change(third, {"interfaces": elsewhere}, admin)
        assert (same_as(first), same_as(second)) == both
        assert not third.pk or same_as(third) == []

    def test_of_many_that_learn_a_card_at_once_nobody_stays_warned(self):
        card = IdentityFacts(mac_addresses=("00:16:3e:00:00:05",))
        learning.learn_many((make_interface().pk, card) for _ in range(2))
        assert StatusCause.objects.filter(key__startswith=machines.SAME_MACHINE).count() == 2
        learning.learn_many((make_interface().pk, card) for _ in range(5))
        assert not StatusCause.objects.filter(key__startswith=machines.SAME_MACHINE).exists()

    @pytest.mark.parametrize("said", [{"uuid": UUID}, {"serial_number": "SN-OF-ALL"}])
    def test_a_uuid_or_serial_number_of_a_crowd_warns_nobody_and_of_fewer_again_all(self, admin, said):
        """Fewer may be one machine: it may be registered once for each way of managing it."""
        crowd = [make_component(f"machine {number}") for number in range(6)]
        ways = [make_interface(component) for component in crowd]
        warned = StatusCause.objects.filter(key__startswith=machines.SAME_MACHINE)
        for way in ways[:5]:
            learning.learn(way, IdentityFacts(**said))
        assert warned.count() == 5 * 4
        learning.learn(ways[5], IdentityFacts(**said, mac_addresses=("00:16:3e:00:00:07",)))
        assert not warned.exists()
        alone = make_component("with a card of the last one")
        learning.learn(make_interface(alone), IdentityFacts(mac_addresses=("00:16:3e:00:00:07",)))
        assert (same_as(alone), warned.count()) == (["warning: Same machine as machine 5."], 2)
        registration.remove([crowd[0], alone], admin)
        assert warned.count() == 5 * 4

    def test_of_many_that_learn_a_uuid_at_once_each_costs_the_same(self):
        def learn(number: int) -> int:
            StatusCause.objects.all().delete()
            ways = [make_interface() for _ in range(number)]
            with CaptureQueriesContext(connection) as queries:
                learning.learn_many((way.pk, IdentityFacts(uuid=UUID)) for way in ways)
            assert not StatusCause.objects.filter(key__startswith=machines.SAME_MACHINE).exists()
            return len(queries)

        few, many = learn(10), learn(40)
        assert many <= 4 * few

    def test_removing_the_interface_that_said_it_ends_the_warning(self, admin):
        first, second = make_component("one"), make_component("two")
        said = [make_interface(component) for component in (first, second)]
        for interface in said:
            learning.learn(interface, IdentityFacts(mac_addresses=("00:16:3e:00:00:06",)))
        registration.change(second, {"interfaces": [fake("192.0.2.98")]}, admin)
        assert (same_as(first), same_as(second)) == ([], [])

    def test_the_other_is_named_in_the_same_group_only(self):
        one, two = make_component("one", make_group()), make_component("two", make_group())
        for component in (one, two):
            learning.learn(make_interface(component), IdentityFacts(uuid=UUID))
        assert same_as(one) == [f"warning: Same machine as component {two.pk}."]
        registration.move([two], one.group, SYSTEM)
        assert same_as(one) == ["warning: Same machine as two."]


class TestJoining:
    """One component of two registrations."""

    def test_the_interfaces_move_and_the_first_one_keeps_its_history(self, admin):
        one, two = make_component("one", alias="first"), make_component("two", slot="7", alert_addresses=["192.0.2.9"])
        kept, moved = make_interface(one), make_interface(two)
        child = make_component("child", parent=two)
        for interface in (kept, moved):
            learning.learn(interface, IdentityFacts(uuid=UUID))
        causes.put([Cause(two.pk, "poll", "fan", "critical", Phrase("Fan failed."), moved.pk)])
        causes.put([Cause(one.pk, "alert", "disk", "warning", Phrase("Disk."))])
        joined = joining.join(one, two, admin)
        assert (joined.pk, joined.alias, joined.slot) == (one.pk, "first", "7")
        assert joined.alert_addresses == ["192.0.2.9"]
        assert list(joined.interfaces.all()) == [kept, moved]
        assert not Component.objects.filter(pk=two.pk).exists()
        assert same_as(joined) == []
        assert joined.status == "critical"
        assert joined.status_changes.filter(new="warning").exists()
        child.refresh_from_db()
        assert child.parent == joined
        entry = AuditEntry.objects.get(action="component.join")
        assert (entry.object_name, entry.after["joined"]["name"]) == ("one", "two")

    def test_its_own_parent_or_child_can_be_joined(self, admin):
        outer = make_component("outer")
        inner = make_component("inner", parent=outer)
        joined = joining.join(inner, outer, admin)
        assert joined.parent is None

    def test_with_itself_it_is_refused(self, admin):
        one = make_component()
        with pytest.raises(ValidationError):
            joining.join(one, one, admin)


def test_removal_leaves_no_row_behind_and_calls_the_hooks(admin, monkeypatch):
    called = []
    monkeypatch.setattr(extensions.removal_hooks, "_entries", {"test": called.append})
    credential = make_credential()
    component, twin, child = make_component("gone"), make_component("twin"), make_component("child")
    Component.objects.filter(pk=child.pk).update(parent=component)
    interface = make_interface(component, credential=credential)
    for one in (interface, make_interface(twin)):
        learning.learn(one, IdentityFacts(uuid=UUID, mac_addresses=("00:16:3E:00:00:01",)))
    InventoryItem.objects.create(interface=interface, kind="storage", key="1", name="/")
    Reservation.objects.create(interface=interface, purpose="console", holder="alice", until=timezone.now())
    assert same_as(twin) != []

    assert registration.remove([component], admin) == 1

    assert called == [[component.pk]]
    assert rows_of(component.pk, interface.pk) == []
    assert same_as(twin) == []
    child.refresh_from_db()
    assert child.parent is None
    credential.refresh_from_db()
    assert AuditEntry.objects.get(action="component.remove").object_name == "gone"


def rows_of(component_id: int, interface_id: int) -> list[str]:
    """Name every row of any table that still points to a component or interface; steps keep the ids on purpose."""
    wanted = {"component": component_id, "interface": interface_id}
    found = []
    for model in apps.get_models():
        if model in {JobStep, AuditEntry}:
            continue
        for field in model._meta.concrete_fields:
            target = field.related_model._meta.model_name if field.is_relation else ""
            target = {"managementinterface": "interface"}.get(target, target)
            value = wanted.get(target) or wanted.get(field.name.removesuffix("_id"))
            if value is not None and model._default_manager.filter(**{field.attname: value}).exists():
                found.append(f"{model.__name__}.{field.name}")
    return found


def test_what_looks_for_leftovers_finds_them():
    interface = make_interface()
    Reservation.objects.create(interface=interface, purpose="console", holder="alice", until=timezone.now())
    assert rows_of(interface.component_id, interface.pk) == ["ManagementInterface.component", "Reservation.interface"]


def test_moving_an_interface_to_another_address_begins_anew(admin):
    component = registration.register(NewComponent("web01", interfaces=[fake("192.0.2.1")]), admin)
    interface = component.interfaces.get()
    learning.learn(interface, IdentityFacts(uuid=UUID))
    ManagementInterface.objects.update(last_polled_at=timezone.now(), failures=5, last_error="No.", state={"a": 1})
    causes.put([Cause(component.pk, "poll", "fan", "critical", Phrase("Fan failed."), interface.pk)])
    registration.change(component, {"interfaces": [fake("192.0.2.2", id=interface.pk)]}, admin)
    interface.refresh_from_db()
    assert (interface.address, interface.last_polled_at, interface.failures) == ("192.0.2.2", None, 0)
    assert (interface.state, interface.identity, str(interface.last_error)) == ({}, {}, "")
    assert not MachineId.objects.exists()
    assert [str(cause.text) for cause in component.causes.all()] == ["Not polled yet."]


def test_the_search_finds_names_addresses_and_what_devices_said(admin):
    component = registration.register(NewComponent("Web01", alias="Größe", interfaces=[fake("192.0.2.1")]), admin)
    learning.learn(component.interfaces.get(), IdentityFacts(name="srv-tokyo", serial_number="XYZ"))
    for words in ("web", "GRÖSSE", "192.0.2", "tokyo", "xyz web"):
        assert list(Component.objects.search(words)) == [component], words
    assert list(Component.objects.search("osaka")) == []


def test_the_audit_calls_a_component_by_its_name(admin):
    made = registration.register(NewComponent(name="web-01", alias="Front door"), admin)
    registration.change(made, {"alias": "Back door"}, admin)
    registration.remove([made], admin)
    assert set(AuditEntry.objects.values_list("object_name", flat=True)) == {"web-01"}
