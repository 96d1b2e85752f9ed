"""The API of remote batches: what is sent, what is answered, what is refused, and to whom."""

import pytest

from apps.control.models import RemoteBatch
from apps.core.models import AuditEntry, Job
from apps.core.recurrence import Repeat, Rule
from tests.control.batches import actor_of, at, planned, tick, when
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_user, ship_definitions

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
URL = "/api/v1/remote-batches/"


@pytest.fixture(autouse=True)
def _afternoon():
    with when("11-20 12:00"):
        yield


@pytest.fixture
def tokyo():
    return make_group("Tokyo")


@pytest.fixture
def olga(tokyo):
    return make_user("operator", tokyo, username="olga")


@pytest.fixture
def api(client_of, olga):
    return client_of(olga)


@pytest.fixture
def device(tokyo):
    return machine(make_component("web-01", tokyo))


def evening(**more):
    return {
        "name": "Night off",
        "operation": "power",
        "arguments": {"action": "shutdown"},
        "time_zone": "Asia/Tokyo",
        "starts_at": "2026-11-20T22:00",
        "repeat": "weekly",
        "weekdays": ["mon", "fri"],
        "exceptions": ["2026-11-23/2026-11-24", "2026-12-28"],
        **more,
    }


def post(api, **body):
    return api.post(URL, body, format="json")


def test_a_batch_on_a_group(api, olga, tokyo):
    answer = post(api, group=tokyo.pk, make_up=30, at_most=20, **evening())
    batch = RemoteBatch.objects.get()
    assert (answer.status_code, answer["Location"]) == (201, f"{URL}{batch.pk}/")
    assert answer.json() == {
        "id": batch.pk,
        "name": "Night off",
        "operation": "power",
        "arguments": {"action": "shutdown"},
        "components": [],
        "group": tokyo.pk,
        "include_subgroups": True,
        "make_up": 30,
        "expect": None,
        "at_most": 20,
        "paused": False,
        "paused_by": "",
        "time_zone": "Asia/Tokyo",
        "starts_at": "2026-11-20T22:00:00+09:00",
        "repeat": "weekly",
        "every": 1,
        "weekdays": ["mon", "fri"],
        "month_day": None,
        "nth": None,
        "last_day": None,
        "exceptions": ["2026-11-23", "2026-11-24", "2026-12-28"],
        "next_at": "2026-11-20T13:00:00Z",
        "owner": "olga",
        "limited_by": "",
        "created_at": "2026-11-20T12:00:00Z",
    }
    assert AuditEntry.objects.get().action == "remote-batch.create"


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, "components"),
        ({"components": [999]}, "components"),
        ({"group": 999}, "group"),
        ({"operation": "explode"}, "operation"),
        ({"arguments": {"action": "sing"}}, "arguments"),
        ({"arguments": "off"}, "arguments"),
        ({"make_up": 10_081}, "make_up"),
        ({"make_up": "30"}, "make_up"),
        ({"expect": 0}, "expect"),
        ({"time_zone": "Asia/Edo"}, "time_zone"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"repeat": "once", "weekdays": [], "starts_at": "2026-11-20T12:00:00Z"}, "starts_at"),
        ({"last_day": "2026-11-19"}, "last_day"),
        ({"weekdays": ["monday"]}, "weekdays"),
        ({"exceptions": ["2026-12-28/2026-12-01"]}, "exceptions"),
        ({"month_day": 3}, "month_day"),
        ({"ends_at": "2026-11-21T22:00"}, "ends_at"),
    ],
)
def test_what_makes_no_sense(api, device, more, field):
    named = {} if not more or "group" in more else {"components": [device.component_id]}
    answer = post(api, **{**evening(), **named, **more})
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not RemoteBatch.objects.exists()


def test_planning_needs_the_right_of_the_operation_on_every_target(api, client_of, device, tokyo):
    foreign = make_component("db-01", make_group("Osaka"))
    assert post(api, components=[device.component_id, foreign.pk], **evening()).status_code == 400
    viewing = make_user("viewer", username="both")
    from_viewer = client_of(viewing)
    assert post(from_viewer, components=[device.component_id], **evening()).status_code == 403
    settings = {"operation": "clear_log", "arguments": {}}
    assert post(api, components=[device.component_id], **evening(**settings)).status_code == 201
    assert RemoteBatch.objects.count() == 1


def test_changing_keeps_what_is_not_sent_and_looks_at_the_version(api, olga, device):
    batch = planned(actor_of(olga), device.component)
    url = f"{URL}{batch.pk}/"
    found = api.get(url)
    tag = found["ETag"]
    answer = api.patch(url, {"make_up": 15}, format="json", headers={"If-Match": tag})
    assert answer.json() == found.json() | {"make_up": 15}
    assert api.patch(url, {"make_up": 20}, format="json", headers={"If-Match": tag}).status_code == 412
    answer = api.patch(url, {"operation": "collect", "starts_at": "2026-11-20T23:00"}, format="json")
    assert (answer.json()["arguments"], answer.json()["next_at"]) == ({}, "2026-11-20T23:00:00Z")
    assert api.patch(url, {"paused": True}, format="json").status_code == 400
    assert api.patch(url, {"components": []}, format="json").status_code == 400
    assert [entry.after for entry in AuditEntry.objects.filter(action="remote-batch.change").order_by("pk")] == [
        {"make_up": 15},
        {"operation": "collect", "arguments": {}, "begins": "23:00:00"},
    ]


def test_running_now_and_the_list_of_runs(api, olga, device, queued):
    ship_definitions()
    batch = planned(actor_of(olga), device.component)
    assert api.post(f"{URL}{batch.pk}/run/", {"expect": 2}, format="json").status_code == 409
    assert not Job.objects.exists()
    answer = api.post(f"{URL}{batch.pk}/run/", {"expect": 1}, format="json")
    job = Job.objects.get()
    assert (answer.status_code, answer.json()["job"]) == (202, job.pk)
    run(job)
    assert received(device) == ["power shutdown"]
    tick("11-20 20:05")
    rows = api.get(f"{URL}{batch.pk}/runs/").json()["results"]
    assert [(row["state"], row["by_hand"], row["job"], row["message"]) for row in rows] == [
        ("missed", False, None, "The portal was not running at that time."),
        ("started", True, job.pk, ""),
    ]
    assert [row["state"] for row in api.get(f"{URL}{batch.pk}/runs/?state=missed").json()["results"]] == ["missed"]
    assert api.get(f"{URL}{batch.pk}/runs/?state=lost").status_code == 400


def test_pausing_resuming_and_removing(api, olga, device):
    batch = planned(actor_of(olga), device.component)
    paused = api.post(f"{URL}{batch.pk}/pause/")
    assert (paused.json()["paused"], paused.json()["paused_by"]) == (True, "olga")
    assert api.post(f"{URL}{batch.pk}/pause/").status_code == 409
    assert api.post(f"{URL}{batch.pk}/resume/").json()["paused"] is False
    assert api.post(f"{URL}{batch.pk}/resume/", {"now": True}, format="json").status_code == 400
    left = api.post(f"{URL}{batch.pk}/leave-out/", {"day": "2026-11-20"}, format="json")
    assert (left.json()["exceptions"], left.json()["next_at"]) == (["2026-11-20"], "2026-11-21T20:00:00Z")
    assert api.post(f"{URL}{batch.pk}/leave-out/", {"day": "2026-11-20"}, format="json").status_code == 409
    assert set(api.post(f"{URL}{batch.pk}/leave-out/", {"day": "soon"}, format="json").json()["errors"]) == {"day"}
    back = api.post(f"{URL}{batch.pk}/take-back/", {"day": "2026-11-20"}, format="json")
    assert (back.json()["exceptions"], back.json()["next_at"]) == ([], "2026-11-20T20:00:00Z")
    assert back.json()["limited_by"] == ""
    assert api.delete(f"{URL}{batch.pk}/").status_code == 204
    assert not RemoteBatch.objects.exists()


def test_others_do_not_exist_and_viewers_only_read(client_of, olga, tokyo, device, queued):
    batch = planned(actor_of(olga), device.component)
    url = f"{URL}{batch.pk}/"
    stranger = client_of(make_user("operator", make_group("Osaka")))
    assert stranger.get(URL).json()["count"] == 0
    viewer = client_of(make_user("viewer", tokyo))
    assert viewer.get(url).status_code == 200
    for path in ("", "run/", "pause/", "resume/"):
        assert stranger.post(f"{url}{path}").status_code in (404, 405)
    for path in ("run/", "pause/", "resume/"):
        assert viewer.post(f"{url}{path}").status_code == 403
    assert (viewer.delete(url).status_code, stranger.delete(url).status_code) == (403, 404)
    assert not Job.objects.exists()


def test_filters(api, olga, tokyo, device):
    actor = actor_of(olga)
    planned(actor, device.component, name="one")
    planned(actor, group=tokyo, name="group", operation="collect", arguments={})
    other = make_component("db-01", tokyo)
    planned(actor, other, name="other", rule=Rule("UTC", at("11-21 20:00").replace(tzinfo=None), repeat=Repeat.ONCE))

    def listed(query):
        return {row["name"] for row in api.get(f"{URL}?{query}").json()["results"]}

    assert listed(f"component={device.component_id}") == {"one", "group"}
    assert listed("component=999999") == set()
    assert listed(f"group={tokyo.pk}") == {"group"}
    assert listed("operation=power&repeat=daily") == {"one"}
    assert listed("q=oth&owner=olga&paused=false") == {"other"}
    assert api.get(f"{URL}?operation=sing").status_code == 400
