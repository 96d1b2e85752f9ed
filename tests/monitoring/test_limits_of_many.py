"""Limits of several sensors at once: of one component in its dialog, of a whole group by a job."""

import pytest

from apps.components.models import Component
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry, Job, JobState, StepState
from apps.drivers.contract import Limits
from apps.monitoring import tasks
from apps.monitoring.models import Limit, Sensor
from apps.monitoring.services import limits_of_many, polling
from tests.factories import make_group, make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db
FOUR = ("lower_critical", "lower_warning", "upper_warning", "upper_critical")
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def device():
    interface = fake_device(sensors=3)
    Component.objects.filter(pk=interface.component_id).update(group=make_group("Tokyo"), name="web-1")
    polling.poll([interface.pk])
    interface.refresh_from_db()
    return interface


@pytest.fixture
def started(monkeypatch) -> list[int]:
    """The jobs that were handed to workers; nobody runs them."""
    numbers: list[int] = []
    monkeypatch.setattr(tasks.set_limits, "apply_async", lambda args, **_options: numbers.append(args[0]))
    return numbers


def url_of(interface, quantity: str = "other") -> str:
    return f"/components/{interface.component_id}/limits/{quantity}/"


def ids_of(interface, *keys: str) -> list[int]:
    return [Sensor.objects.get(interface=interface, key=key).pk for key in keys]


def own(interface) -> dict[str, tuple[float | None, ...]]:
    return {row.key: tuple(getattr(row, name) for name in FOUR) for row in Limit.objects.filter(interface=interface)}


def test_the_dialog_lists_the_sensors_of_the_quantity_all_chosen(client, device):
    client.force_login(make_user("administrator"))
    page = client.get(url_of(device), **HTMX)
    assert b"<dialog" in page.content
    form = page.context["form"]
    assert [label for _pk, label in form.fields["sensors"].choices] == ["Sensor 1", "Sensor 2", "Sensor 3"]
    assert form.fields["sensors"].initial == ids_of(device, "sensor.1", "sensor.2", "sensor.3")
    assert [value for value, _label in form.fields["where"].choices] == ["here"]


def test_chosen_sensors_get_the_four_limits_and_count_at_once(client, device):
    client.force_login(make_user("administrator"))
    sent = {"sensors": ids_of(device, "sensor.1", "sensor.3"), "where": "here", "upper_warning": "-5"}
    answer = client.post(url_of(device), {**sent, "upper_critical": "1000"}, **HTMX)
    assert answer.headers["HX-Redirect"] == f"/components/{device.component_id}/?tab=sensors"
    assert own(device) == {"sensor.1": (None, None, -5.0, 1000.0), "sensor.3": (None, None, -5.0, 1000.0)}
    assert AuditEntry.objects.filter(action="sensor.limits").count() == 2
    assert Component.objects.get(pk=device.component_id).status == "warning"


def test_shared_limits_stand_in_the_form(client, device):
    limits_of_many.set_limits(Sensor.objects.filter(quantity="other"), {"upper_warning": 7.0}, SYSTEM)
    client.force_login(make_user("administrator"))
    assert client.get(url_of(device)).context["form"].initial["upper_warning"] == 7.0
    assert limits_of_many.shared([Limits(upper_warning=1.0), Limits(upper_warning=2.0)]) == Limits()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"upper_warning": "50", "upper_critical": "10"}, "upper_critical"),
        ({"upper_warning": "x"}, "upper_warning"),
        ({"sensors": []}, "sensors"),
        ({"sensors": ["999999"]}, "sensors"),
        ({"where": "everywhere"}, "where"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_changes_nothing(client, device, wrong, field):
    client.force_login(make_user("administrator"))
    sent = {"sensors": ids_of(device, "sensor.1"), "where": "here", "upper_warning": "5", **wrong}
    answer = client.post(url_of(device), sent, **HTMX)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert own(device) == {}
    assert not AuditEntry.objects.filter(action="sensor.limits").exists()


def test_the_devices_own_limits_come_back(client, device):
    client.force_login(make_user("administrator"))
    limits_of_many.set_limits(Sensor.objects.filter(quantity="other"), {"upper_warning": 7.0}, SYSTEM)
    sent = {"sensors": ids_of(device, "sensor.2"), "where": "here", "reset": "1", "upper_warning": "x"}
    assert client.post(url_of(device), sent).status_code == 302
    assert set(own(device)) == {"sensor.1", "sensor.3"}


def test_who_may_not_change_is_refused_and_strangers_see_nothing(client, device):
    client.force_login(make_user("viewer"))
    assert client.post(url_of(device), {"sensors": ids_of(device, "sensor.1"), "where": "here"}).status_code == 403
    client.force_login(make_user("administrator", make_group("elsewhere")))
    assert client.get(url_of(device)).status_code == 404
    client.force_login(make_user("administrator"))
    assert client.get(url_of(device, "humidity")).status_code == 404
    assert own(device) == {}


def test_a_whole_group_is_a_job_over_the_same_sensors(client, device, started, django_capture_on_commit_callbacks):
    tokyo = device.component.group
    below, hidden = make_group("Rack 1", tokyo), make_group("Osaka")
    others = []
    for group in (below, hidden):
        other = fake_device(sensors=2)
        Component.objects.filter(pk=other.component_id).update(group=group)
        polling.poll([other.pk])
        others.append(other)
    client.force_login(make_user("administrator", tokyo))
    form = client.get(url_of(device)).context["form"]
    assert str(form.fields["where"].choices[1][1]) == "also the same sensors of 1 other component in Tokyo and below"
    sent = {"sensors": ids_of(device, "sensor.1"), "where": "group", "upper_warning": "5000"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url_of(device), sent)
    job = Job.objects.get(kind="limits")
    assert answer.headers["Location"] == job.get_absolute_url()
    assert started == [job.pk]
    limits_of_many.run(job.pk)
    assert own(device) == own(others[0]) == {"sensor.1": (None, None, 5000.0, None)}
    assert own(others[1]) == {}
    job.refresh_from_db()
    assert (job.state, job.total, job.finished) == (JobState.DONE, 2, 2)
    assert [str(step.message) for step in job.steps.all()] == ["The limits of 1 sensors were set."] * 2


def test_a_component_that_lost_its_sensor_is_skipped(device, django_capture_on_commit_callbacks, started):
    sensors = list(Sensor.objects.filter(interface=device, key="sensor.1"))
    with django_capture_on_commit_callbacks(execute=True):
        job = limits_of_many.start(sensors, Component.objects.all(), None, SYSTEM)
    Sensor.objects.filter(pk=sensors[0].pk).delete()
    limits_of_many.run(job.pk)
    assert [step.state for step in job.steps.all()] == [StepState.SKIPPED]


def test_what_a_token_ordered_is_written_down_as_the_tokens(device, django_capture_on_commit_callbacks, started):
    anna = make_user("administrator", username="anna")
    token = Actor(ActorKind.TOKEN, "anna (nightly)", anna)
    sensors = list(Sensor.objects.filter(interface=device, key="sensor.1"))
    with django_capture_on_commit_callbacks(execute=True):
        job = limits_of_many.start(sensors, Component.objects.all(), {"upper_warning": 5000.0}, token)
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    limits_of_many.run(job.pk)
    written = AuditEntry.objects.exclude(pk__in=before)
    assert {(one.actor_kind, one.actor_name) for one in written} == {("token", "anna (nightly)")}
