"""Which manager has the controller of a component: said of one and of many, by page, API and classic mode."""

import pytest
from django.core.exceptions import ValidationError

from apps.components import ownership
from apps.components.models import Component
from apps.components.services import joining, managers, registration
from apps.components.services.drafts import NewComponent
from apps.core import audit_words
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from tests.components.api_calls import URL, patch, post, refused
from tests.factories import make_component, make_group, make_interface, make_user, root_group

pytestmark = pytest.mark.django_db

OTHER = "ESMPRO in Osaka (192.0.2.9)"


@pytest.fixture
def server() -> Component:
    return make_component("server")


def elsewhere(component: Component) -> dict[str, str]:
    return Component.objects.get(pk=component.pk).managed_elsewhere


def test_without_a_word_the_portal_manages_everything():
    component = make_component()
    assert (component.managed_elsewhere, ownership.refusal(component, "controller")) == ({}, None)
    assert ownership.refusals([component.pk], "controller") == {}


def test_of_many_only_what_is_named_changes_and_each_change_is_audited():
    first, second, third = (make_component(f"web-0{number}") for number in (1, 2, 3))
    assert managers.assign([first, second], {"controller": OTHER}, SYSTEM) == 2
    assert managers.assign([first, second, third], {}, SYSTEM) == 0
    assert managers.assign([first, third], {"controller": ""}, SYSTEM) == 2
    assert [elsewhere(one) for one in (first, second, third)] == [
        {"controller": ""},
        {"controller": OTHER},
        {"controller": ""},
    ]
    assert managers.assign([second, third], {"controller": None}, SYSTEM) == 2
    assert (elsewhere(second), elsewhere(third)) == ({}, {})
    entries = AuditEntry.objects.filter(action="component.change", object_name="web-01").order_by("pk")
    read = [list(audit_words.changes(entry.before, entry.after)) for entry in entries]
    label = "Other manager of the management controller"
    assert read == [[(label, "–", OTHER)], [(label, OTHER, "Yes")]]


def test_the_reason_names_the_other_manager_where_somebody_noted_it():
    named, nameless = make_component(), make_component()
    managers.assign([named], {"controller": OTHER}, SYSTEM)
    managers.assign([nameless], {"controller": " "}, SYSTEM)
    plainly = "Another manager manages this controller, so the portal changes nothing on it"
    reasons = ownership.refusals([named.pk, nameless.pk], "controller")
    assert {pk: str(why) for pk, why in reasons.items()} == {
        named.pk: f"{plainly}: {OTHER}.",
        nameless.pk: f"{plainly}.",
    }


@pytest.mark.parametrize("given", [{"roof": "x"}, {"controller": "x" * 201}, {"controller": "a\nb"}])
def test_what_makes_no_sense_changes_nothing(given):
    component = make_component()
    with pytest.raises(ValidationError) as error:
        registration.change(component, {"managed_elsewhere": given}, SYSTEM)
    assert list(error.value.message_dict) == ["managed_elsewhere"]
    assert elsewhere(component) == {}


def test_a_registration_says_it_at_once_and_joining_and_splitting_keep_it():
    made = registration.register(
        NewComponent("web-01", group=root_group(), managed_elsewhere={"controller": OTHER}), SYSTEM
    )
    make_interface(made, driver="ilo", address="192.0.2.1")
    agent = make_component("web-01 agent")
    way = make_interface(agent, driver="snmp_agent", address="192.0.2.2")
    joined = joining.join(agent, made, SYSTEM)
    assert joined.managed_elsewhere == {"controller": OTHER}
    assert joining.split(way, SYSTEM).managed_elsewhere == {"controller": OTHER}


def test_the_api_gives_takes_and_filters_it(api):
    made = post(api, name="web-01", managed_elsewhere={"controller": OTHER}).json()
    plain = post(api, name="web-02").json()
    assert (made["managed_elsewhere"], plain["managed_elsewhere"]) == ({"controller": OTHER}, {})
    found = api.get(f"{URL}?managed_elsewhere=controller").json()["results"]
    assert [one["id"] for one in found] == [made["id"]]
    assert api.get(f"{URL}?managed_elsewhere=roof").status_code == 400
    assert patch(api, made, {"alias": "front"}).json()["managed_elsewhere"] == {"controller": OTHER}
    assert "roof" in refused(patch(api, made, {"managed_elsewhere": {"roof": ""}}), "managed_elsewhere")
    for wrong in (None, [], "controller", {"controller": 5}, {"controller": None}, {"controller": "x" * 201}):
        refused(patch(api, made, {"managed_elsewhere": wrong}), "managed_elsewhere")
    assert patch(api, made, {"managed_elsewhere": {}}).json()["managed_elsewhere"] == {}


def test_the_form_of_a_component_has_it(browser, server):
    url = f"{server.get_absolute_url()}edit/"
    sent = {"name": server.name, "group": str(server.group_id), "category": "server", "interfaces": "0"}
    said = {"owner-controller": "elsewhere", "manager-controller": OTHER}
    assert browser.post(url, {**sent, **said}).status_code == 302
    assert elsewhere(server) == {"controller": OTHER}
    page = browser.get(url).content.decode()
    assert OTHER in page
    assert browser.post(url, sent).status_code == 302  # a form without these fields says nothing of it
    assert elsewhere(server) == {"controller": OTHER}
    assert browser.post(url, {**sent, "owner-controller": "here"}).status_code == 302
    assert elsewhere(server) == {}
    added = browser.post("/components/add/", {**sent, "name": "new", **said})
    assert (added.status_code, elsewhere(Component.objects.get(name="new"))) == (302, {"controller": OTHER})


def test_the_page_of_one_begins_with_what_a_link_suggests_and_changes_nothing_by_it(browser, server):
    url = f"/components/{server.pk}/managers/"
    page = browser.get(f"{url}?elsewhere=controller&manager=192.0.2.9").content.decode()
    assert 'value="192.0.2.9"' in page
    assert '<option value="elsewhere" selected>' in page
    assert elsewhere(server) == {}
    answer = browser.post(url, {"owner-controller": "elsewhere", "manager-controller": "192.0.2.9"})
    assert (answer.status_code, answer.url) == (302, server.get_absolute_url())
    assert elsewhere(server) == {"controller": "192.0.2.9"}
    too_long = browser.post(url, {"owner-controller": "elsewhere", "manager-controller": "x" * 201})
    assert (too_long.status_code, elsewhere(server)) == (400, {"controller": "192.0.2.9"})


def test_the_list_asks_first_and_leaves_what_is_left(browser):
    first, second = make_component(managed_elsewhere={"controller": OTHER}), make_component()
    chosen = {"action": "managers", "ids": [first.pk, second.pk]}
    asked = browser.post("/components/bulk/", chosen)
    assert (asked.status_code, "Managers of 2 components" in asked.content.decode()) == (200, True)
    browser.post("/components/bulk/", {**chosen, "confirmed": "yes", "owner-controller": ""})
    assert (elsewhere(first), elsewhere(second)) == ({"controller": OTHER}, {})
    done = browser.post("/components/bulk/", {**chosen, "confirmed": "yes", "owner-controller": "elsewhere"})
    assert done.status_code == 302
    assert (elsewhere(first), elsewhere(second)) == ({"controller": ""}, {"controller": ""})


def test_only_who_may_change_the_component_says_it(client):
    rack = make_group("rack")
    component = make_component(group=rack)
    url, said = f"/components/{component.pk}/managers/", {"owner-controller": "elsewhere"}
    bulk = {"action": "managers", "ids": component.pk, "confirmed": "yes", **said}
    for role, group, status in (("viewer", rack, 403), ("operator", rack, 403), ("administrator", make_group(), 404)):
        client.force_login(make_user(role, group))
        assert (client.get(url).status_code, client.post(url, said).status_code) == (status, status)
        client.post("/components/bulk/", bulk)
        body = {"managed_elsewhere": {"controller": ""}}
        answer = client.patch(f"{URL}{component.pk}/", body, content_type="application/json")
        assert answer.status_code == status
    assert elsewhere(component) == {}
    assert not AuditEntry.objects.filter(action="component.change").exists()


def test_the_page_of_a_component_says_whose_the_controller_is(client):
    component = make_component()
    make_interface(component, driver="ilo", address="192.0.2.1")
    client.force_login(make_user("viewer"))
    where = component.get_absolute_url()
    assert "managed by this portal" in client.get(f"{where}?tab=settings").content.decode()
    managers.assign([component], {"controller": OTHER}, SYSTEM)
    for tab in ("", "?tab=settings"):
        assert f"managed by another manager: {OTHER}" in client.get(where + tab).content.decode()
