"""What a page and the API say of whence a value comes, and parts that two interfaces list."""

import pytest
from django.utils import timezone

from apps.components.models import Component, InventoryItem
from apps.components.services import identity, learning
from apps.components.services.identity import Said
from apps.components.services.same_parts import same_parts
from apps.drivers.contract import IdentityFacts
from tests.factories import make_component, make_interface

pytestmark = pytest.mark.django_db
UUID = "4c4c4544-0042-4a10-8059-b4c04f4e3232"


def part(pk, interface, kind="storage", **details):
    names = {name.replace("_", " "): value for name, value in details.items()}
    return InventoryItem(pk=pk, interface_id=interface, kind=kind, key=f"k{pk}", name=f"part {pk}", details=names)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"Serial_number": "SK1"}, {"Serial_number": " sk1"}, True),
        ({"Serial_number": "SK1"}, {"Serial_number": "SK2"}, False),
        ({"Serial_number": "N/A"}, {"Serial_number": "N/A"}, False),
        ({"MAC_address": "00:16:3e:00:00:01"}, {"MAC_address": "00-16-3E-00-00-01"}, True),
        ({"Model": "MR416i", "Slot": "14"}, {"Model": "mr416i", "Location": "14"}, True),
        ({"Model": "MR416i", "Slot": "14"}, {"Model": "MR416i", "Slot": "15"}, False),
        ({"Model": "MR416i"}, {"Model": "MR416i"}, False),
    ],
)
def test_a_part_is_recognised_by_serial_number_address_or_slot(one, other, is_same):
    found = same_parts([part(1, 7, **one), part(2, 8, **other)])
    assert [[row.pk for row in group] for group in found] == ([[1, 2]] if is_same else [[1], [2]])


def test_of_one_interface_or_of_two_kinds_nothing_is_the_same():
    twice = [part(1, 7, Serial_number="SK1"), part(2, 7, Serial_number="SK1"), part(3, 8, Serial_number="SK1")]
    assert [[row.pk for row in group] for group in same_parts(twice)] == [[1, 3], [2]]
    assert len(same_parts([twice[0], part(4, 8, kind="memory", Serial_number="SK1")])) == 2


def test_the_byte_order_of_a_uuid_is_no_contradiction():
    said = [Said(1, False, {"uuid": UUID}), Said(2, True, {"uuid": "44454c4c-4200-104a-8059-b4c04f4e3232"})]
    assert identity.who_says(said, "uuid", UUID) == ([1, 2], [])
    assert identity.who_says([Said(1, False, {"model": "A"})], "model", "B") == ([], [(1, "A")])


@pytest.fixture
def server() -> Component:
    component = make_component("web01")
    agent = make_interface(component, last_answer_at=timezone.now())
    ilo = make_interface(component, driver="ilo", last_answer_at=timezone.now())
    learning.learn(agent, IdentityFacts(model="Linux host", serial_number="MXQ1"))
    learning.learn(ilo, IdentityFacts(model="DL360", serial_number="MXQ1"))
    for interface, status, extra in ((agent, "normal", {}), (ilo, "warning", {"Model": "MR416i"})):
        InventoryItem.objects.create(
            interface=interface, kind="storage", key="raid", name="RAID controller", status=status,
            details={"Serial number": "SK1", **extra},
        )  # fmt: skip
    return component


def test_the_page_says_who_says_what_and_shows_a_part_once(client, admin, server):
    client.force_login(admin.user)
    page = client.get(server.get_absolute_url())
    (lines,) = [view.content for view in page.context["panels"] if view.panel.name == "identity"]
    agent, ilo = server.interfaces.order_by("pk")
    told = {line.label: (line.value, line.said_by, line.others) for line in lines}
    assert told["Model"] == ("DL360", [ilo.pk], [(agent.pk, "Linux host")])
    assert told["Serial number"] == ("MXQ1", [agent.pk, ilo.pk], [])
    assert f'<span class="tag" title="iLO {ilo.address}">iLO</span>' in page.content.decode()
    parts = client.get(f"{server.get_absolute_url()}?tab=inventory").content.decode()
    assert parts.count("SK1") == 1
    assert "MR416i" in parts
    assert parts.count("RAID controller") == 2  # the second time with what differs


def test_of_one_interface_nobody_asks_whose_it_is(client, admin):
    component = make_component("web02")
    learning.learn(make_interface(component), IdentityFacts(model="R120"))
    client.force_login(admin.user)
    panels = client.get(component.get_absolute_url()).content.decode().partition('id="panel-identity"')[2]
    assert 'class="tag"' not in panels.partition("</section>")[0]


def test_the_api_says_the_same(client, admin, server):
    client.force_login(admin.user)
    one, two = client.get(f"/api/v1/components/{server.pk}/inventory/").json()["results"]
    assert (one["same_as"], two["same_as"]) == ([two["id"]], [one["id"]])
    interfaces = client.get(f"/api/v1/components/{server.pk}/").json()["interfaces"]
    assert [row["identity"]["model"] for row in interfaces] == ["Linux host", "DL360"]


def test_the_page_explains_the_silence_of_a_machine_that_is_off(client, admin, server):
    agent = server.interfaces.order_by("pk").first()
    agent.last_error_code, agent.failures = "unreachable", 3
    agent.save()
    Component.objects.filter(pk=server.pk).update(power_state="off", power_since=timezone.now())
    client.force_login(admin.user)
    page = client.get(server.get_absolute_url()).content.decode()
    assert "By the word of its controller the machine is off." in page
    assert "The machine is off: what runs on it cannot answer." in page


@pytest.mark.parametrize(
    ("system", "by_agent", "by_controller", "is_told"),
    [
        ("Windows Server 2019 (build 17763)", 40, 80, True),
        ("Windows Server 2016", 64, 0, True),
        ("Windows Server 2022", 40, 80, False),
        ("Linux 5.14", 40, 80, False),
        ("Windows Server 2019", 40, 40, False),
        ("Windows Server 2019", None, 80, False),
    ],
)
def test_of_many_processors_a_windows_that_miscounts_is_named(
    client, admin, server, system, by_agent, by_controller, is_told
):
    Component.objects.update(operating_system=system)
    agent, ilo = server.interfaces.order_by("pk")
    for interface, count in ((agent, by_agent), (ilo, by_controller)):
        if count is not None:
            details = {"Logical processors": count}
            InventoryItem.objects.create(
                interface=interface, kind="processor", key="p", name=f"CPU {interface.pk}", details=details
            )
    client.force_login(admin.user)
    page = client.get(f"{server.get_absolute_url()}?tab=inventory").content.decode()
    assert ("KB4598296" in page) is is_told
