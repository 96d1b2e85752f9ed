"""The API's shapes and refusals below a component."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from apps.components.models import Component, StatusCause
from apps.core.models import AuditEntry
from apps.monitoring.models import LastValues, Limit, Sample, Sensor
from apps.monitoring.services import polling
from tests.factories import make_group, make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db


def api_client(role: str | None = "administrator", **about) -> APIClient:
    made = APIClient()
    made.force_authenticate(make_user(role, **about))
    return made


@pytest.fixture
def admin() -> APIClient:
    return api_client()


@pytest.fixture
def device():
    interface = fake_device(script="filling")
    polling.poll([interface.pk])
    return interface


def url(device, *rest: object) -> str:
    return "/api/v1/components/" + "".join(f"{part}/" for part in (device.component_id, *rest))


def sensor_of(device, key: str) -> Sensor:
    return Sensor.objects.get(interface=device, key=key)


def test_a_sensor_is_shown_with_value_limits_and_age(admin, device):
    body = admin.get(url(device, "sensors")).json()
    assert body.keys() == {"count", "next", "previous", "results"}
    assert body["count"] == 8
    disk = next(sensor for sensor in body["results"] if sensor["name"] == "/")
    measured_at = LastValues.objects.get().measured_at
    assert disk == {
        "id": sensor_of(device, "storage.1").pk,
        "interface": device.pk,
        "name": "/",
        "kind": "storage",
        "value": 81.0,
        "unit": "%",
        "status": "normal",
        "limits": {
            "lower_critical": None,
            "lower_warning": None,
            "upper_warning": 90.0,
            "upper_critical": 95.0,
            "source": "device",
        },
        "measured_at": measured_at.isoformat().replace("+00:00", "Z"),
        "stale": False,
        "why": "",
    }
    cpu = next(sensor for sensor in body["results"] if sensor["kind"] == "cpu")
    assert cpu["limits"] == dict.fromkeys(disk["limits"])


def test_sensors_are_paged_and_filtered(admin, device):
    page = admin.get(url(device, "sensors"), {"limit": 3, "page": 2}).json()
    assert (page["count"], len(page["results"])) == (8, 3)
    assert page["previous"] is not None
    assert [s["name"] for s in admin.get(url(device, "sensors"), {"q": "inlet"}).json()["results"]] == [
        "Inlet temperature"
    ]
    assert admin.get(url(device, "sensors"), {"kind": "cpu"}).json()["count"] == 1
    assert admin.get(url(device, "sensors"), {"status": "critical"}).json()["count"] == 0
    assert admin.get(url(device, "sensors"), {"interface": device.pk + 1}).json()["count"] == 0
    assert admin.get(url(device, "sensors"), {"stale": "true"}).json()["count"] == 0


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "noise"), ("status", "fine"), ("interface", "x"), ("stale", "maybe"), ("limit", "0"), ("page", "-1")],
)
def test_a_bad_filter_is_a_400_that_names_it(admin, device, field, value):
    answer = admin.get(url(device, "sensors"), {field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_what_is_not_visible_does_not_exist(device):
    stranger = api_client("viewer", group=make_group())
    sensor = sensor_of(device, "cpu")
    for rest in (("sensors",), ("sensors", sensor.pk), ("samples",), ("ports",)):
        assert stranger.get(url(device, *rest), {"sensor": sensor.pk}).status_code == 404
    assert stranger.patch(url(device, "sensors", sensor.pk), {"limits": None}, format="json").status_code in {403, 404}
    assert APIClient().get(url(device, "sensors")).status_code == 401


def test_own_limits_count_at_once_and_are_audited(admin, device):
    disk = sensor_of(device, "storage.1")
    answer = admin.patch(url(device, "sensors", disk.pk), {"limits": {"upper_warning": 80}}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert body["limits"] == {
        "lower_critical": None,
        "lower_warning": None,
        "upper_warning": 80.0,
        "upper_critical": 95.0,
        "source": "user",
    }
    assert body["status"] == "warning"
    assert Component.objects.get(pk=device.component_id).status == "warning"
    assert str(StatusCause.objects.get(source="limit").text) == "/ is 81 %; the upper limit is 80 %"
    entry = AuditEntry.objects.get(action="sensor.limits")
    assert (entry.before, entry.after) == ({"upper_warning": 90}, {"upper_warning": 80.0})

    body = admin.patch(url(device, "sensors", disk.pk), {"limits": None}, format="json").json()
    assert (body["limits"]["upper_warning"], body["limits"]["source"], body["status"]) == (90.0, "device", "normal")
    assert Component.objects.get(pk=device.component_id).status == "normal"
    assert not Limit.objects.exists()


def test_no_limit_is_null_and_null_is_not_zero(admin, device):
    disk = sensor_of(device, "storage.1")
    nothing = dict.fromkeys(("lower_critical", "lower_warning", "upper_warning", "upper_critical"))
    body = admin.patch(url(device, "sensors", disk.pk), {"limits": nothing}, format="json").json()
    assert body["limits"] == {**nothing, "source": "user"}
    assert Limit.objects.values_list("upper_warning", flat=True).get() is None
    body = admin.patch(url(device, "sensors", disk.pk), {"limits": {"lower_warning": 0}}, format="json").json()
    assert body["limits"] == {**nothing, "lower_warning": 0.0, "source": "user"}


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"upper_warning": "much"}, "limits.upper_warning"),
        ({"upper_warning": 99}, "limits.upper_critical"),
        ({"lower_warning": 95}, "limits.upper_warning"),
        ({"upper_critical": "NaN"}, "limits.upper_critical"),
        ("all", "limits"),
    ],
)
def test_limits_that_make_no_sense_are_refused_and_change_nothing(admin, device, limits, field):
    disk = sensor_of(device, "storage.1")
    answer = admin.patch(url(device, "sensors", disk.pk), {"limits": limits}, format="json")
    assert answer.status_code == 400
    assert next(iter(answer.json()["errors"])).startswith(field)
    assert not Limit.objects.exists()


def test_a_viewer_sees_limits_and_sets_none(device):
    disk = sensor_of(device, "storage.1")
    viewer = api_client("viewer")
    assert viewer.get(url(device, "sensors", disk.pk)).status_code == 200
    answer = viewer.patch(url(device, "sensors", disk.pk), {"limits": {"upper_warning": 1}}, format="json")
    assert answer.status_code == 403
    assert not Limit.objects.exists()


def test_a_stale_version_is_412(admin, device):
    disk = sensor_of(device, "storage.1")
    tag = admin.get(url(device, "sensors", disk.pk)).headers["ETag"]
    change = {"limits": {"upper_warning": 70}}
    assert admin.patch(url(device, "sensors", disk.pk), change, format="json", HTTP_IF_MATCH=tag).status_code == 200
    assert admin.patch(url(device, "sensors", disk.pk), change, format="json", HTTP_IF_MATCH=tag).status_code == 412


def test_samples_are_points_of_time_min_mean_max(admin, device):
    cpu = sensor_of(device, "cpu")
    sample = Sample.objects.get()
    body = admin.get(url(device, "samples"), {"sensor": cpu.pk}).json()
    value = LastValues.objects.get()
    at = datetime.fromtimestamp(sample.at / 1000, UTC)
    assert body.keys() == {"sensor", "unit", "step", "points"}
    assert (body["sensor"], body["unit"], body["step"]) == (cpu.pk, "%", 600)
    ((t, low, mean, high),) = body["points"]
    assert datetime.fromisoformat(t) == at
    assert low == mean == high
    shown = admin.get(url(device, "sensors", cpu.pk)).json()["value"]
    assert low == pytest.approx(shown, rel=1e-6)
    assert value.measured_at - at < timedelta(seconds=1)


def test_a_range_without_samples_is_empty(admin, device):
    query = {"sensor": sensor_of(device, "cpu").pk, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T06:00:00Z"}
    assert admin.get(url(device, "samples"), query).json()["points"] == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sensor", ""),
        ("sensor", "x"),
        ("sensor", "999999999"),
        ("sensor", "9" * 30),
        ("from", "yesterday"),
        ("from", "2999-01-01T00:00:00Z"),
        ("to", "2026-13-01"),
        ("to", "99999999999999"),
        ("step", "0"),
        ("step", "-5"),
        ("step", "1.5"),
        ("step", "99999999999"),
    ],
)
def test_a_bad_question_about_history_is_a_400_that_names_it(admin, device, field, value):
    query = {"sensor": sensor_of(device, "cpu").pk, field: value}
    answer = admin.get(url(device, "samples"), query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_a_range_that_ends_before_it_begins_is_refused(admin, device):
    query = {"sensor": sensor_of(device, "cpu").pk, "from": "2026-02-01", "to": "2026-01-01"}
    answer = admin.get(url(device, "samples"), query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["from"])


def test_a_sensor_of_another_component_is_no_sensor_of_this_one(admin, device):
    other = fake_device()
    polling.poll([other.pk])
    answer = admin.get(url(device, "samples"), {"sensor": sensor_of(other, "cpu").pk})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["sensor"])
    assert admin.get(url(device, "sensors", sensor_of(other, "cpu").pk)).status_code == 404


def test_ports_are_listed_with_state_and_rates(admin, device):
    body = admin.get(url(device, "ports")).json()
    assert body["count"] == 2
    port = body["results"][0]
    assert (port["name"], port["state"], port["speed"], port["in_rate"]) == ("eth0", "up", 1_000_000_000, None)


def test_the_chart_of_a_page_has_the_same_values(admin, device, client):
    user = make_user("viewer")
    client.force_login(user)
    cpu = sensor_of(device, "cpu")
    address = f"/components/{device.component_id}/sensors/{cpu.pk}/chart.json"
    body = client.get(address).json()
    points = admin.get(url(device, "samples"), {"sensor": cpu.pk}).json()["points"]
    (line,) = body["lines"]
    assert line["points"] == [[datetime.fromisoformat(t).timestamp(), *rest] for t, *rest in points]
    hour = client.get(address, {"range": "1h"}).json()
    assert hour["lines"] == body["lines"]
    assert hour["to"] - hour["from"] == 3600  # drawn as a whole, though there is a single value in it
    assert hour["from"] < line["points"][0][0] <= hour["to"]
    bad = client.get(address, {"from": "x"})
    assert (bad.status_code, list(bad.json()["errors"])) == (400, ["from"])


def test_somebody_elses_chart_does_not_exist(device, client):
    client.force_login(make_user("viewer", group=make_group()))
    cpu = sensor_of(device, "cpu")
    assert client.get(f"/components/{device.component_id}/sensors/{cpu.pk}/chart.json").status_code == 404
