"""A power cap is ordered once, is done when it is read back, and the job says what it achieves."""

import pytest
from django.test import Client

from apps.core.models import AuditEntry, Job
from tests.control.conftest import machine, order, received, run
from tests.factories import make_component, make_credential, make_interface, make_user
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db

URL = "/api/v1/operations/"


def ended(step):
    return step.state, step.code, str(step.message)


def test_a_cap_is_set_read_back_and_not_set_twice(admin, queued):
    device = machine(meter="well")
    (step,) = run(order(admin, [device], "cap", watts=5000))
    assert step.state == "done"
    assert str(step.message).startswith("The cap is 5000 W; at the moment it draws ")
    (again,) = run(order(admin, [device], "cap", watts=5000))
    assert ended(again) == ("done", "", "The cap was 5000 W already: nothing was ordered.")
    (gone,) = run(order(admin, [device], "cap", watts=None))
    assert ended(gone) == ("done", "", "There is no power cap any more.")
    (nothing,) = run(order(admin, [device], "cap", watts=None))
    assert ended(nothing) == ("done", "", "There was no power cap: nothing was ordered.")
    assert received(device) == ["cap 5000", "no cap"]
    entry = AuditEntry.objects.filter(action="job.cap").order_by("pk")[0]
    assert entry.after["order"] == "Cap the power at 5000 W"


def test_a_controller_that_does_not_keep_the_cap_is_not_confirmed(admin, queued, impatient):
    device = machine(meter="well", obedience="deaf")
    (step,) = run(order(admin, [device], "cap", watts=300))
    assert (step.state, step.code) == ("failed", "not_confirmed")
    assert received(device) == ["cap 300"]


def test_without_a_meter_the_order_is_taken_and_nobody_can_tell(admin, queued):
    device = machine()
    (step,) = run(order(admin, [device], "cap", watts=300))
    assert ended(step) == (
        "failed",
        "not_confirmed",
        "The controller took the order; it does not tell whether there is a cap.",
    )


@pytest.mark.parametrize("arguments", [{}, {"watts": 49}, {"watts": 100001}, {"watts": True}, {"watts": "300"}])
def test_arguments_that_make_no_sense_begin_nothing(client_of, queued, arguments):
    device = machine()
    body = {"operation": "cap", "arguments": arguments, "components": [device.component_id]}
    answer = client_of(make_user("administrator")).post(URL, body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["arguments"]
    assert not Job.objects.exists()


def test_who_cannot_cap_is_refused_alone_and_skipped_among_others(client_of, queued):
    client = client_of(make_user("administrator"))
    controller = make_interface(make_component(), driver="bmc", credential=make_credential("password"))
    body = {"operation": "cap", "arguments": {"watts": 300}, "components": [controller.component_id]}
    assert client.post(URL, body, format="json").status_code == 409
    assert not Job.objects.exists()
    device = machine(meter="well")
    both = client.post(URL, {**body, "components": [controller.component_id, device.component_id]}, format="json")
    assert both.status_code == 202
    skipped, done = run(Job.objects.get())
    assert (skipped.state, skipped.code, done.state) == ("skipped", "unsupported", "done")


def test_the_dialog_asks_for_the_watts_and_says_what_to_expect(queued):
    client = Client()
    client.force_login(make_user("administrator"))
    device = machine(meter="well")
    chosen = {"order": "cap", "ids": device.component_id}
    shown = client.get("/operations/", chosen).content.decode()
    assert "Power cap of each (W)" in shown
    assert "The power may not fall to the cap" in shown
    refused = client.post("/operations/", {**chosen, "confirmed": "yes", "watts": "12"})
    assert refused.status_code == 400
    assert not Job.objects.exists()
    assert client.post("/operations/", {**chosen, "confirmed": "yes", "watts": "300"}).status_code == 302
    run(Job.objects.get())
    assert client.post("/operations/", {**chosen, "order": "uncap", "confirmed": "yes"}).status_code == 302
    run(Job.objects.latest("pk"))
    assert received(device) == ["cap 300", "no cap"]


def test_an_ilo_takes_a_cap_that_it_cannot_keep(admin, queued, ilo_program: IloProgram):  # noqa: F811
    server = make_interface(
        make_component(),
        driver="ilo",
        address="127.0.0.1",
        port=ilo_program.port,
        credential=make_credential("password", username=USER, password=SECRET),
    )
    (step,) = run(order(admin, [server], "cap", watts=100))
    assert ended(step) == (
        "done",
        "",
        "The cap is 100 W; at the moment it draws 160 W, which is above it.",
    )
    (step,) = run(order(admin, [server], "cap", watts=None))
    assert ended(step) == ("done", "", "There is no power cap any more.")
    assert ilo_program.tell("sessions") == "0"
