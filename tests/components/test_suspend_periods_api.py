"""The API of suspend periods: what is sent, what is answered, what is refused, and to whom."""

import pytest

from apps.access.models import Grant, Role
from apps.components.models import SuspendPeriod
from apps.components.services import suspension
from apps.core.models import AuditEntry
from tests.components.api_calls import refused
from tests.components.suspending import at, names, nightly, plan, single, suspended, when
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/suspend-periods/"


@pytest.fixture(autouse=True)
def _afternoon():
    with when("11-20 12:00"):
        yield


@pytest.fixture
def tokyo():
    return make_group("Tokyo")


@pytest.fixture
def web(tokyo):
    return make_component("web-01", tokyo)


@pytest.fixture
def api(client_of):
    return client_of(make_user("administrator", username="boss"))


def night(**more):
    return {
        "name": "Backup",
        "time_zone": "Asia/Tokyo",
        "starts_at": "2026-11-20T22:00",
        "ends_at": "2026-11-21T06:00",
        "repeat": "daily",
        **more,
    }


def post(api, **body):
    return api.post(URL, body, format="json")


def listed(api, query: str = "") -> list[str]:
    return [row["name"] for row in api.get(f"{URL}?{query}").json()["results"]]


class TestMaking:
    """A period is made of a target and a rule."""

    def test_a_night_on_a_group(self, api, tokyo):
        answer = post(api, group=tokyo.pk, **night())
        period = SuspendPeriod.objects.get()
        assert (answer.status_code, answer["Location"]) == (201, f"{URL}{period.pk}/")
        assert answer.json() == {
            "id": period.pk,
            "name": "Backup",
            "component": None,
            "group": tokyo.pk,
            "enabled": True,
            "time_zone": "Asia/Tokyo",
            "starts_at": "2026-11-20T22:00:00+09:00",
            "ends_at": "2026-11-21T06:00:00+09:00",
            "repeat": "daily",
            "every": 1,
            "weekdays": [],
            "month_day": None,
            "nth": None,
            "last_day": None,
            "exceptions": [],
            "ended_early": {},
            "in_force": False,
            "next": {"starts_at": "2026-11-20T13:00:00Z", "ends_at": "2026-11-20T21:00:00Z"},
            "replaced": [],
            "created_by": "boss",
            "created_at": "2026-11-20T12:00:00Z",
        }
        assert api.get(answer["Location"]).json() == answer.json()

    def test_what_was_answered_may_be_sent_again(self, api, tokyo):
        made = post(
            api,
            group=tokyo.pk,
            **night(
                repeat="monthly", nth=-1, weekdays=["sat"], every=2, last_day="2030-12-31", exceptions=["2026-12-26"]
            ),
        ).json()
        answer = api.patch(f"{URL}{made['id']}/", made, format="json")
        assert (answer.status_code, answer.json()) == (200, made)
        assert AuditEntry.objects.count() == 1

    def test_times_with_an_offset_are_those_of_the_zone(self, api, web):
        sent = night(starts_at="2026-11-20T13:00Z", ends_at="2026-11-21T07:00:00+10:00")
        made = post(api, component=web.pk, **sent).json()
        assert (made["starts_at"], made["ends_at"]) == ("2026-11-20T22:00:00+09:00", "2026-11-21T06:00:00+09:00")

    def test_suspending_now(self, api, web):
        made = post(api, component=web.pk, name="New fan", ends_at="2026-11-20T14:00").json()
        assert (made["repeat"], made["time_zone"], made["in_force"]) == ("once", "UTC", True)
        assert made["next"] == {"starts_at": "2026-11-20T12:00:00Z", "ends_at": "2026-11-20T14:00:00Z"}
        assert api.get(f"/api/v1/components/{web.pk}/").json()["suspended"] is True
        ended = api.post(f"{URL}{made['id']}/end/")
        assert (ended.status_code, ended.json()["in_force"], ended.json()["next"]) == (200, False, None)
        assert ended.json()["ended_early"] == {"2026-11-20": "2026-11-20T12:00:00+00:00"}
        assert suspended() == set()
        assert api.post(f"{URL}{made['id']}/end/").status_code == 409
        forever = post(api, component=web.pk, name="Broken").json()
        assert (forever["ends_at"], forever["next"]["ends_at"]) == (None, None)

    def test_the_zone_is_the_users_unless_it_is_said(self, client_of, web):
        api = client_of(make_user("operator", time_zone="Europe/Berlin"))
        sent = night()
        del sent["time_zone"]
        assert post(api, component=web.pk, **sent).json()["starts_at"] == "2026-11-20T22:00:00+01:00"

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": 7}, "name"),
            ({"name": "x" * 201}, "name"),
            ({"time_zone": "Asia/Edo"}, "time_zone"),
            ({"time_zone": None}, "time_zone"),
            ({"starts_at": "22:00"}, "starts_at"),
            ({"starts_at": 20261120}, "starts_at"),
            ({"starts_at": "2026-11-31T22:00"}, "starts_at"),
            ({"starts_at": "1970-01-01T22:00"}, "starts_at"),
            ({"ends_at": "9999-12-31T23:59:59+00:00"}, "ends_at"),
            ({"ends_at": None}, "ends_at"),
            ({"ends_at": "2026-11-20T21:00"}, "ends_at"),
            ({"repeat": "hourly"}, "repeat"),
            ({"repeat": None}, "repeat"),
            ({"every": 0}, "every"),
            ({"every": "2"}, "every"),
            ({"weekdays": ["mon"]}, "weekdays"),
            ({"repeat": "weekly", "weekdays": ["monday"]}, "weekdays"),
            ({"repeat": "weekly", "weekdays": "mon"}, "weekdays"),
            ({"repeat": "monthly", "nth": 2}, "weekdays"),
            ({"repeat": "monthly", "month_day": 0}, "month_day"),
            ({"repeat": "monthly", "nth": 6, "weekdays": ["mon"]}, "nth"),
            ({"repeat": "monthly", "nth": 1, "month_day": 1, "weekdays": ["mon"]}, "nth"),
            ({"month_day": 1}, "month_day"),
            ({"last_day": "2026-11-19"}, "last_day"),
            ({"last_day": "soon"}, "last_day"),
            ({"exceptions": "2026-12-24"}, "exceptions"),
            ({"exceptions": ["24.12.2026"]}, "exceptions"),
            ({"repeat": "once", "starts_at": "2026-11-01T22:00", "ends_at": "2026-11-02T06:00"}, "ends_at"),
            ({"enabled": "yes"}, "enabled"),
            ({"group": None}, "group"),
            ({"group": 999999}, "group"),
            ({"component": 999999}, "component"),
            ({"in_forse": True}, "in_forse"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_kept(self, api, tokyo, more, field):
        assert refused(post(api, **{"group": tokyo.pk, **night(**more)}), field)
        assert names() == []

    def test_both_targets_are_one_too_many(self, api, web, tokyo):
        refused(post(api, group=tokyo.pk, component=web.pk, **night()), "group")

    def test_what_the_group_replaces_is_told_and_what_it_has_is_a_conflict(self, api, web, tokyo):
        plan(web, nightly(zone="Asia/Tokyo"), "Own backup")
        made = post(api, group=tokyo.pk, **night()).json()
        assert made["replaced"] == [{"name": "Own backup", "component": web.pk}]
        assert api.get(f"{URL}{made['id']}/").json()["replaced"] == []
        answer = post(api, component=web.pk, **night(name="Own"))
        assert (answer.status_code, names()) == (409, ["Backup"])
        assert "Tokyo has this schedule already" in answer.json()["detail"]


class TestChanging:
    """A key that is left out stays as it is."""

    @pytest.fixture
    def period(self, web):
        return plan(web, nightly(exceptions=frozenset({at("12-24 00:00").date()}))).period

    def test_each_alone(self, api, period):
        url = f"{URL}{period.pk}/"
        before = api.get(url).json()
        for body, changed in (
            ({"name": "Night"}, {"name": "Night"}),
            ({"enabled": False}, {"enabled": False, "next": None}),
            ({"enabled": True}, {"enabled": True, "next": before["next"]}),
            (
                {"every": 2},
                {"every": 2, "next": {"starts_at": "2026-11-21T22:00:00Z", "ends_at": "2026-11-22T06:00:00Z"}},
            ),
            ({"every": 1, "exceptions": []}, {"every": 1, "exceptions": [], "next": before["next"]}),
            (
                {"ends_at": "2026-11-02T00:00"},
                {
                    "ends_at": "2026-11-02T00:00:00+00:00",
                    "next": {"starts_at": "2026-11-20T22:00:00Z", "ends_at": "2026-11-21T00:00:00Z"},
                },
            ),
        ):
            answer = api.patch(url, body, format="json")
            assert answer.status_code == 200, answer.content
            before |= changed
            assert answer.json() == before

    def test_the_target_stays(self, api, period, tokyo):
        other = make_component("web-02", tokyo)
        for body in ({"component": other.pk}, {"group": tokyo.pk}, {"component": None}):
            refused(api.patch(f"{URL}{period.pk}/", body, format="json"), "group")
        assert api.patch(f"{URL}{period.pk}/", {"component": period.component_id}, format="json").status_code == 200

    def test_a_stale_version_changes_nothing(self, api, period):
        url = f"{URL}{period.pk}/"
        old = api.get(url)["ETag"]
        assert api.patch(url, {"name": "Night"}, format="json", headers={"If-Match": old}).status_code == 200
        assert api.patch(url, {"name": "Late"}, format="json", headers={"If-Match": old}).status_code == 412
        new = api.get(url)["ETag"]
        suspension.follow(at("11-20 22:00"))
        assert api.get(url).json()["in_force"] is True
        assert api.get(url)["ETag"] == new  # that it is in force is nobody's change
        assert names() == ["Night"]

    def test_removing(self, api, period):
        assert api.delete(f"{URL}{period.pk}/").status_code == 204
        assert (names(), api.get(f"{URL}{period.pk}/").status_code) == ([], 404)


class TestLists:
    """Filters, and the occurrences."""

    @pytest.fixture(autouse=True)
    def _plans(self, web, tokyo):
        self.rack = make_group("Rack 1", tokyo)
        self.below = make_component("web-02", self.rack)
        plan(tokyo, nightly(), "Tokyo")
        plan(self.rack, nightly(last_day=at("11-25 00:00").date(), hours=1), "Rack")
        plan(web, single("2026-12-01T08:00", 2), "Once")
        plan(web, single("2026-11-20T11:00", None), "Open")
        plan(self.below, nightly(hours=2), "Off", enabled=False)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["Off", "Once", "Open", "Rack", "Tokyo"]),
            ("repeat=once", ["Once", "Open"]),
            ("enabled=false", ["Off"]),
            ("in_force=true", ["Open"]),
            ("name=Rack", ["Rack"]),
            ("q=o", ["Off", "Once", "Open", "Tokyo"]),
            ("created_by=portal&time_zone=UTC&enabled=true&repeat=daily", ["Rack", "Tokyo"]),
            ("from=2026-11-26T00:00Z&to=2026-11-27T00:00Z", ["Off", "Open", "Tokyo"]),
            ("from=2026-12-01T09:59Z&to=2026-12-01T10:00Z", ["Once", "Open"]),
            ("from=2026-12-01T10:00Z", ["Off", "Open", "Tokyo"]),
            ("to=2026-11-19T00:00Z", ["Off", "Rack", "Tokyo"]),
        ],
    )
    def test_filters(self, api, query, expected):
        assert listed(api, query) == expected

    def test_by_target_with_what_it_has_from_above(self, api, web, tokyo):
        assert listed(api, f"component={web.pk}") == ["Once", "Open"]
        assert listed(api, f"component={web.pk}&include_inherited=true") == ["Once", "Open", "Tokyo"]
        assert listed(api, f"group={self.rack.pk}") == ["Rack"]
        assert listed(api, f"group={self.rack.pk}&include_inherited=true") == ["Rack", "Tokyo"]
        assert listed(api, "component=999999&include_inherited=true") == []

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        "wrong",
        [
            "component=x",
            "enabled=perhaps",
            "repeat=hourly",
            "from=x",
            "to=2026",
            "colour=1",
            "include_inherited=1",
            "id=x",
        ],
    )
    def test_a_filter_that_means_nothing_is_named(self, api, wrong):
        refused(api.get(f"{URL}?{wrong}"), wrong.split("=")[0])

    def test_occurrences_of_all(self, api):
        page = api.get(f"{URL}occurrences/?from=2026-11-24T12:00Z&to=2026-11-26T12:00Z&repeat=daily").json()
        assert (page["count"], page["next"], page["previous"]) == (4, None, None)
        assert [(one["name"], one["day"], one["starts_at"], one["ends_at"]) for one in page["results"]] == [
            ("Tokyo", "2026-11-24", "2026-11-24T22:00:00Z", "2026-11-25T06:00:00Z"),
            ("Rack", "2026-11-24", "2026-11-24T22:00:00Z", "2026-11-24T23:00:00Z"),
            ("Tokyo", "2026-11-25", "2026-11-25T22:00:00Z", "2026-11-26T06:00:00Z"),
            ("Rack", "2026-11-25", "2026-11-25T22:00:00Z", "2026-11-25T23:00:00Z"),
        ]
        short = api.get(f"{URL}occurrences/?from=2026-11-24T12:00Z&to=2026-11-26T12:00Z&repeat=daily&limit=1").json()
        assert (short["count"], len(short["results"])) == (4, 1)
        assert {one["name"] for one in api.get(f"{URL}occurrences/").json()["results"]} == {
            "Tokyo",
            "Rack",
            "Open",
            "Once",
        }

    def test_occurrences_of_one(self, api, web):
        open_one = SuspendPeriod.objects.get(name="Open")
        (only,) = api.get(f"{URL}{open_one.pk}/occurrences/").json()["results"]
        assert (only["component"], only["group"], only["ends_at"]) == (web.pk, None, None)
        off = SuspendPeriod.objects.get(name="Off")
        assert api.get(f"{URL}{off.pk}/occurrences/?to=2026-11-22T00:00Z").json()["count"] == 2

    @pytest.mark.one_database
    @pytest.mark.parametrize("address", ["occurrences/", "{pk}/occurrences/"])
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=x", "from"),
            ("from=1066-10-14T00:00", "from"),
            ("to=2026-11-19T00:00Z", "to"),
            ("to=2028-11-19T00:00Z", "to"),
            ("colour=1", "colour"),
        ],
    )
    def test_a_time_that_is_none_is_named(self, api, address, query, field):
        pk = SuspendPeriod.objects.get(name="Tokyo").pk
        refused(api.get(f"{URL}{address.format(pk=pk)}?{query}"), field)


class TestWhoMay:
    """Operators suspend what they were given; viewers look; others see nothing."""

    def test_an_operator_in_his_group(self, client_of, web, tokyo):
        osaka = make_group("Osaka")
        stranger = make_component("web-09", osaka)
        hidden = plan(stranger, nightly(), "Hidden").period
        operator = client_of(make_user("operator", tokyo))
        made = post(operator, component=web.pk, **night())
        assert made.status_code == 201
        assert listed(operator) == ["Backup"]
        assert operator.get(f"{URL}occurrences/?from=2026-11-20T00:00Z&to=2026-11-22T00:00Z").json()["count"] == 2
        refused(post(operator, component=stranger.pk, **night()), "component")
        refused(post(operator, group=osaka.pk, **night()), "group")
        for method, path in (
            ("get", ""),
            ("patch", ""),
            ("delete", ""),
            ("post", "end/"),
            ("get", "occurrences/"),
        ):
            assert getattr(operator, method)(f"{URL}{hidden.pk}/{path}").status_code == 404
        assert listed(operator, f"component={stranger.pk}&include_inherited=true") == []
        assert operator.delete(made["Location"]).status_code == 204

    def test_a_viewer_looks(self, client_of, web, tokyo):
        period = plan(web, nightly()).period
        viewer = client_of(make_user("viewer", tokyo))
        assert listed(viewer) == ["Backup"]
        url = f"{URL}{period.pk}/"
        assert viewer.get(url).status_code == viewer.get(f"{url}occurrences/").status_code == 200
        assert post(viewer, component=web.pk, **night()).status_code == 403
        assert viewer.patch(url, {"name": "x"}, format="json").status_code == 403
        assert viewer.post(f"{url}end/").status_code == viewer.delete(url).status_code == 403
        assert names() == ["Backup"]

    def test_who_sees_a_group_and_may_suspend_only_below_it_may_not_above(self, client_of, tokyo):
        rack = make_group("Rack 1", tokyo)
        user = make_user("viewer", tokyo)
        Grant.objects.create(user=user, role=Role.objects.get(name="operator"), group=rack)
        api = client_of(user)
        assert post(api, group=tokyo.pk, **night()).status_code == 403
        assert post(api, group=rack.pk, **night()).status_code == 201
