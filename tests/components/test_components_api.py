"""The resource of components as a program sees it that knows the written contract alone."""

import pytest

from apps.components.models import Component, InventoryItem, ManagementInterface
from apps.core.models import AuditEntry
from tests.components.api_calls import URL, patch, post, refused
from tests.factories import make_component, make_credential, make_group, make_interface, make_user, root_group
from tests.statements import statements_of

pytestmark = pytest.mark.django_db

KEYS = [
    *("id", "name", "alias", "category", "group", "parent", "slot", "addresses", "alert_addresses", "uuid"),
    *("serial_number", "manufacturer", "model", "status", "causes", "suspended", "power_state"),
    *("power_since", "restart_cause", "last_seen_at", "interfaces"),
]
INTERFACE_KEYS = [
    *("id", "driver", "address", "port", "credential", "parameters", "enabled", "status", "last_polled_at"),
    *("last_error", "power_actions", "identity"),
]
UUID = "4c4c4544-0042-4a10-8059-b4c04f4e3232"


def test_only_a_name_is_needed(api):
    response = post(api, name="web01")
    assert response.status_code == 201
    made = response.json()
    assert list(made) == KEYS
    assert response["Location"] == f"{URL}{made['id']}/"
    assert (made["name"], made["category"], made["group"]) == ("web01", "server", root_group().pk)
    assert (made["status"], made["interfaces"], made["addresses"], made["uuid"]) == ("unknown", [], [], None)
    assert api.get(f"{URL}{made['id']}/").json() == made
    assert AuditEntry.objects.get(action="component.register").object_name == "web01"


def test_everything_that_can_be_given_is_kept(api):
    parent, group = make_component("chassis"), make_group("Tokyo")
    credential = make_credential()
    given = {
        "name": "web02",
        "alias": "front",
        "category": "network",
        "group": group.pk,
        "parent": parent.pk,
        "slot": "3",
        "alert_addresses": ["192.0.2.1", "2001:db8::1"],
        "uuid": UUID,
        "serial_number": "ABC123",
        "manufacturer": "NEC",
        "model": "Express5800",
    }
    interface = {"driver": "snmp_agent", "address": "192.0.2.2", "credential": credential.pk, "enabled": False}
    made = post(api, **given, interfaces=[interface]).json()
    assert {key: made[key] for key in given} == given
    (shown,) = made["interfaces"]
    assert list(shown) == INTERFACE_KEYS
    assert {key: shown[key] for key in interface} == interface
    assert (shown["port"], shown["parameters"], shown["status"], shown["last_polled_at"]) == (161, {}, "unknown", None)
    assert made["addresses"] == ["192.0.2.2"]


def test_the_category_is_the_drivers_when_none_is_given(api):
    made = post(api, name="switch", interfaces=[{"driver": "alert_only", "address": "192.0.2.3"}]).json()
    assert made["category"] == "alert-only"


def test_addresses_are_written_in_one_way(api):
    made = post(
        api,
        name="six",
        alert_addresses=["2001:DB8:0::1", "2001:db8::1", "::ffff:192.0.2.9"],
        interfaces=[
            {"driver": "alert_only", "address": "2001:DB8:0:0::2"},
            {"driver": "alert_only", "address": "Host-1.Example.COM."},
        ],
    ).json()
    assert made["alert_addresses"] == ["2001:db8::1", "192.0.2.9"]
    assert made["addresses"] == ["2001:db8::2", "host-1.example.com"]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("name", value) for value in (None, "", "   ", 5, True, ["a"], {}, "x" * 201, "a\0b", "\ud800")],
        *[(name, value) for name in ("alias", "slot", "serial_number", "manufacturer", "model") for value in (None, 5)],
        *[(name, "x" * 201) for name in ("alias", "slot", "serial_number", "manufacturer", "model")],
        *[("category", value) for value in (None, "", "toaster", 5, [], {})],
        *[("group", value) for value in (None, "1", 0, -1, 10**30, 999_999, True, 1.5, [1])],
        *[("parent", value) for value in ("1", 0, 10**30, 999_999, True)],
        *[("alert_addresses", value) for value in (None, "192.0.2.1", [5], [None], ["nowhere"], ["0.0.0.0"], {})],
        ("alert_addresses", [f"192.0.2.{number}" for number in range(60)]),
        *[("uuid", value) for value in ("", "x", 5, [], "0" * 32, "F" * 32)],
        *[("uuid", f"{8 * digit}-{4 * digit}-{4 * digit}-{4 * digit}-{12 * digit}") for digit in "0fF"],
        *[("interfaces", value) for value in (None, {}, "x", [5], [None], ["x"], [{}], [[]])],
        ("colour", "red"),
    ],
)
def test_each_bad_value_is_refused_by_name_and_nothing_is_made(api, field, value):
    body = {"name": "web01", field: value}
    refused(post(api, **body), field)
    assert not Component.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.one_database
@pytest.mark.parametrize(
    "bad",
    [
        {"driver": None},
        {"driver": "nothing"},
        {"driver": 5},
        {"address": None},
        {"address": ""},
        {"address": 5},
        {"address": "a b"},
        {"address": "http://192.0.2.1/"},
        {"address": "192.0.2.256"},
        {"address": "224.0.0.1"},
        {"address": "0.0.0.0"},
        {"address": "x" * 254},
        {"port": 0},
        {"port": 65536},
        {"port": "161"},
        {"port": 1.5},
        {"port": True},
        {"credential": 999_999},
        {"credential": "1"},
        {"credential": 10**30},
        {"parameters": None},
        {"parameters": []},
        {"parameters": {"colour": "red"}},
        {"parameters": {"delay": "5"}},
        {"parameters": {"delay": -1}},
        {"parameters": {"delay": True}},
        {"parameters": {"script": "nothing"}},
        {"parameters": {"script": 5}},
        {"parameters": {"\ud800": 5}},
        {"enabled": None},
        {"enabled": "yes"},
        {"enabled": 1},
        {"id": 1},
        {"id": "1"},
        {"id": None},
        {"colour": "red"},
    ],
)
def test_each_bad_value_of_an_interface_is_refused_under_interfaces(api, bad):
    interface = {"driver": "fake", "address": "192.0.2.1", **bad}
    sentence = refused(post(api, name="web01", interfaces=[interface]), "interfaces")
    assert sentence.startswith("No. 1: ")
    assert not Component.objects.exists()


def test_one_answer_names_every_fault(api):
    bad = [
        {"driver": "fake"},
        {"driver": "fake", "address": "not an address", "port": 70000, "parameters": {"colour": 1}},
        {"driver": "nothing", "address": "192.0.2.3", "credential": 999, "colour": 1},
        {"address": "192.0.2.4", "enabled": "yes"},
        "no object",
    ]
    rest = {"uuid": "0" * 32, "alert_addresses": ["nowhere"], "group": 999, "colour": "red", "category": "tree"}
    response = post(api, name="", interfaces=bad, **rest)
    assert response.status_code == 400
    errors = response.json()["errors"]
    assert set(errors) == {"name", "interfaces", *rest}
    named = {tuple(text.split(": ")[:2]) for text in errors["interfaces"]}
    assert named == {
        ("No. 1", "address"),
        *[("No. 2", field) for field in ("address", "port", "parameters")],
        *[("No. 3", field) for field in ("driver", "credential", "colour")],
        *[("No. 4", field) for field in ("driver", "enabled")],
        ("No. 5", "non_field_errors"),
    }
    assert not Component.objects.exists()


def test_one_answer_to_a_change_names_every_fault(api):
    made = post(api, name="a", interfaces=[{"driver": "fake", "address": "192.0.2.1"}]).json()
    first = made["interfaces"][0]["id"]
    bad = [{"id": first, "port": 0, "address": "-"}, {"id": 999, "driver": "nothing"}, {"driver": "fake"}]
    response = patch(api, made, {"name": 5, "uuid": "f" * 32, "alert_addresses": ["x", "y"], "interfaces": bad})
    errors = response.json()["errors"]
    assert set(errors) == {"name", "uuid", "alert_addresses", "interfaces"}
    assert [text.split(": ")[:2] for text in errors["interfaces"]] == [
        ["No. 1", "port"],
        ["No. 1", "address"],
        ["No. 2", "id"],
        ["No. 2", "driver"],
        ["No. 3", "address"],
    ]
    assert api.get(f"/api/v1/components/{made['id']}/").json() == made


def test_a_credential_must_be_of_a_kind_that_the_driver_takes(api):
    login = make_credential("password")
    interface = {"address": "192.0.2.1", "credential": login.pk}
    sentence = refused(post(api, name="a", interfaces=[{"driver": "snmp_agent", **interface}]), "interfaces")
    assert sentence == "No. 1: credential: Server (SNMP agent) needs a credential of the kind snmp-community, snmp-v3."
    refused(post(api, name="a", interfaces=[{"driver": "alert_only", **interface}]), "interfaces")


def test_the_same_way_twice_in_one_body_is_a_bad_request(api):
    interface = {"driver": "fake", "address": "192.0.2.1"}
    refused(post(api, name="a", interfaces=[interface, {**interface, "port": 9}]), "interfaces")


@pytest.mark.parametrize(
    "body", [{"uuid": UUID.upper()}, {"serial_number": " abc123 "}, {"interfaces": [{"address": "192.0.2.2"}]}]
)
def test_what_is_registered_already_is_a_conflict_naming_it(api, body):
    interface = {"driver": "fake", "address": "192.0.2.2"}
    first = post(api, name="first", uuid=UUID, serial_number="ABC123", interfaces=[interface]).json()
    if "interfaces" in body:
        body = {"interfaces": [interface]}
    response = post(api, name="second", **body)
    assert response.status_code == 409
    assert "first" in response.json()["detail"]
    assert str(first["id"]) in response.json()["detail"]
    assert Component.objects.count() == 1


def test_another_port_or_driver_is_another_interface(api):
    interface = {"driver": "fake", "address": "192.0.2.2"}
    for other in (interface, {**interface, "port": 10}, {**interface, "driver": "alert_only"}):
        assert post(api, name="one", interfaces=[other]).status_code == 201
    assert post(api, name="one", interfaces=[{**interface, "port": 9}]).status_code == 409


@pytest.mark.parametrize("serial", ["To be filled by O.E.M.", "0", "None", "Default string", "00000000", "N/A"])
def test_a_serial_number_that_says_nothing_is_nobodys(api, serial):
    assert post(api, name="one", serial_number=serial).status_code == 201
    assert post(api, name="two", serial_number=serial).status_code == 201


def test_the_other_one_is_not_named_to_those_who_may_not_see_it(client_of):
    make_component("secret-name", uuid=UUID)
    mine = make_group("Mine")
    client = client_of(make_user("administrator", mine))
    response = post(client, name="second", uuid=UUID)
    assert response.status_code == 409
    assert "secret-name" not in response.content.decode()


def test_a_key_left_out_stays_untouched(api):
    interface = {"driver": "fake", "address": "192.0.2.2"}
    made = post(api, name="web01", alias="front", uuid=UUID, interfaces=[interface]).json()
    changed = patch(api, made, {"alias": "back"}).json()
    assert changed == {**made, "alias": "back"}
    cleared = patch(api, made, {"uuid": None, "alias": ""}).json()
    assert cleared == {**made, "alias": "", "uuid": None}


def test_interfaces_are_the_full_new_set(api):
    credential = make_credential()
    made = post(
        api,
        name="web01",
        interfaces=[
            {"driver": "fake", "address": "192.0.2.1", "credential": credential.pk, "parameters": {"seed": 5}},
            {"driver": "fake", "address": "192.0.2.2"},
        ],
    ).json()
    first, second = made["interfaces"]
    changed = patch(
        api,
        made,
        {"interfaces": [{"id": first["id"], "port": 99}, {"driver": "alert_only", "address": "192.0.2.3"}]},
    ).json()
    assert [one["address"] for one in changed["interfaces"]] == ["192.0.2.1", "192.0.2.3"]
    assert changed["interfaces"][0] == {**first, "port": 99}
    assert not ManagementInterface.objects.filter(pk=second["id"]).exists()
    assert patch(api, made, {"interfaces": []}).json()["interfaces"] == []


def test_two_interfaces_may_exchange_their_addresses(api):
    made = post(
        api, name="web01", interfaces=[{"driver": "fake", "address": f"192.0.2.{number}"} for number in (1, 2)]
    ).json()
    first, second = made["interfaces"]
    wanted = [{"id": first["id"], "address": "192.0.2.2"}, {"id": second["id"], "address": "192.0.2.1"}]
    changed = patch(api, made, {"interfaces": wanted})
    assert changed.status_code == 200
    assert [(one["id"], one["address"]) for one in changed.json()["interfaces"]] == [
        (first["id"], "192.0.2.2"),
        (second["id"], "192.0.2.1"),
    ]


def test_an_interface_of_another_component_cannot_be_taken(api):
    other = make_interface(driver="alert_only")
    made = post(api, name="web01").json()
    refused(patch(api, made, {"interfaces": [{"id": other.pk}]}), "interfaces")
    other.refresh_from_db()
    assert other.component_id != made["id"]


def test_what_a_get_gave_may_be_sent_back(api):
    made = post(api, name="web01", interfaces=[{"driver": "fake", "address": "192.0.2.2"}]).json()
    assert patch(api, made, made).json() == made


def test_another_credential_is_offered_where_the_old_one_was_refused(api):
    old, new = make_credential(), make_credential()
    interface = make_interface(driver="fake", credential=old, refused_version=1, port=9)
    component = {"id": interface.component_id}
    patch(api, component, {"interfaces": [{"id": interface.pk, "credential": new.pk}]})
    interface.refresh_from_db()
    assert (interface.credential_id, interface.refused_version) == (new.pk, None)


def test_a_stale_version_changes_nothing(api):
    made = post(api, name="web01").json()
    tag = api.get(f"{URL}{made['id']}/")["ETag"]
    assert patch(api, made, {"alias": "one"}, headers={"If-Match": tag}).status_code == 200
    assert patch(api, made, {"alias": "two"}, headers={"If-Match": tag}).status_code == 412
    assert api.delete(f"{URL}{made['id']}/", headers={"If-Match": tag}).status_code == 412
    assert Component.objects.get().alias == "one"


def test_a_component_cannot_stand_in_itself(api):
    outer, inner = post(api, name="outer").json(), post(api, name="inner").json()
    assert patch(api, inner, {"parent": outer["id"]}).status_code == 200
    refused(patch(api, outer, {"parent": inner["id"]}), "parent")
    refused(patch(api, outer, {"parent": outer["id"]}), "parent")


def test_check_and_refresh_answer_with_their_jobs(api, queued, django_capture_on_commit_callbacks):
    interface = make_interface(driver="fake")
    make_interface(interface.component, driver="fake", enabled=False)
    url = f"{URL}{interface.component_id}/"
    with django_capture_on_commit_callbacks(execute=True):
        check, refresh = api.post(f"{url}check/"), api.post(f"{url}refresh/")
    for response, kind, steps in ((check, "check", 2), (refresh, "refresh", 1)):
        assert response.status_code == 202
        assert list(response.json()) == ["job", "url"]
        job = api.get(response.json()["url"]).json()
        assert (job["id"], job["kind"], job["total"]) == (response.json()["job"], kind, steps)
    assert queued == [("run_check", check.json()["job"]), ("run_refresh", refresh.json()["job"])]


def test_joining_moves_the_interfaces_and_removes_the_other(api):
    kept, gone = make_interface(driver="fake"), make_interface(driver="alert_only")
    response = api.post(f"{URL}{kept.component_id}/join/", {"with": gone.component_id}, format="json")
    assert response.status_code == 200
    assert [one["id"] for one in response.json()["interfaces"]] == [kept.pk, gone.pk]
    assert api.get(f"{URL}{gone.component_id}/").status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize("value", [None, "1", 0, 999_999, 10**30, True])
def test_joining_with_nothing_is_refused(api, value):
    kept = make_component()
    refused(api.post(f"{URL}{kept.pk}/join/", {"with": value}, format="json"), "with")
    refused(api.post(f"{URL}{kept.pk}/join/", {}, format="json"), "with")
    refused(api.post(f"{URL}{kept.pk}/join/", {"with": kept.pk}, format="json"), "with")


def test_inventory_and_event_log_are_lists(api):
    interface = make_interface()
    InventoryItem.objects.create(interface=interface, kind="storage", key="1", name="/", details={"Size": 5})
    url = f"{URL}{interface.component_id}/"
    listed = api.get(f"{url}inventory/?kind=storage&q=/").json()
    assert list(listed) == ["count", "next", "previous", "results"]
    (item,) = listed["results"]
    assert (item["interface"], item["name"], item["details"]) == (interface.pk, "/", {"Size": 5})
    assert api.get(f"{url}inventory/?kind=memory").json()["count"] == 0
    assert api.get(f"{url}event-log/").json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_lists_are_filtered_by_the_names_of_the_fields(api):
    tokyo = make_group("Tokyo")
    floor = make_group("Floor 1", tokyo)
    web = make_component("web01", tokyo, category="network", serial_number="S1", uuid=UUID)
    web_interface = make_interface(web, address="192.0.2.1", driver="fake", credential=make_credential())
    database = make_component("db01", floor, alias="orders")

    def found(query):
        response = api.get(f"{URL}?{query}")
        assert response.status_code == 200, response.content
        return [one["name"] for one in response.json()["results"]]

    assert found("") == ["db01", "web01"]
    for query in (
        *("name=web01", "category=network", f"group={tokyo.pk}", "serial_number=s1", f"uuid={UUID}", "q=WEB"),
        *("addresses=192.0.2.1", "driver=fake", f"credential={web_interface.credential_id}", f"id={web.pk}"),
    ):
        assert found(query) == ["web01"], query
    assert found("alias=orders") == found(f"group={floor.pk}") == ["db01"]
    assert found(f"group={tokyo.pk}&include_subgroups=true") == ["db01", "web01"]
    assert found("status=unknown&status=critical") == ["db01", "web01"]
    assert found("status=critical") == found("suspended=true") == found("group=999999") == []
    assert found(f"parent={database.pk}") == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    "query", ["group=x", "status=purple", "category=x", "uuid=x", "parent=1.5", "id=-1", "credential=1e40", "page=0"]
)
def test_a_bad_filter_is_refused_by_name(api, query):
    refused(api.get(f"{URL}?{query}"), query.partition("=")[0])


def test_a_list_of_sixty_costs_as_many_queries_as_one(api):
    credential = make_credential()
    make_interface(make_component(parent=make_component()), credential=credential)
    for_one = statements_of(lambda: api.get(URL))
    for _ in range(60):
        make_interface(make_component(parent=make_component()), credential=credential)
    assert statements_of(lambda: api.get(URL)) == for_one


@pytest.mark.parametrize(
    "body", [{"uuid": UUID}, {"serial_number": "abc123"}, {"interfaces": [{"driver": "fake", "address": "192.0.2.2"}]}]
)
def test_a_change_into_what_is_there_already_is_a_conflict_and_changes_nothing(api, body):
    interface = {"driver": "fake", "address": "192.0.2.2"}
    post(api, name="first", uuid=UUID, serial_number="ABC123", interfaces=[interface])
    second = post(api, name="second").json()
    response = patch(api, second, {"alias": "x", **body})
    assert response.status_code == 409
    assert "first" in response.json()["detail"]
    assert api.get(f"{URL}{second['id']}/").json() == second


def test_the_limit_is_a_conflict_with_a_sentence(api):
    assert api.patch("/api/v1/options/max_managed_devices/", {"value": 1}, format="json").status_code == 200
    assert post(api, name="one").status_code == 201
    response = post(api, name="two")
    assert response.status_code == 409
    assert response.json()["detail"].startswith("At most 1 devices can be managed")


def test_removing_leaves_nothing_to_be_found(api):
    made = post(api, name="web01", interfaces=[{"driver": "fake", "address": "192.0.2.2"}]).json()
    response = api.delete(f"{URL}{made['id']}/")
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(f"{URL}{made['id']}/").status_code == 404
    assert not ManagementInterface.objects.exists()


@pytest.mark.one_database
def test_bodies_that_are_no_objects_are_bad_requests(api):
    for body in (b"[]", b"5", b'"x"', b"null", b"{", b"", b"[" * 100_000):
        assert api.post(URL, body, content_type="application/json").status_code == 400, body[:5]
    assert not Component.objects.exists()
