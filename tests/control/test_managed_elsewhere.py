"""A controller that another manager manages is read and switched, and nothing of it is changed: it receives nothing."""

import pytest
from django.test import Client

from apps.components.models import Component
from apps.components.services import managers
from apps.control.models import RemoteBatchRun
from apps.control.services import batch_runs
from apps.control.settings import services
from apps.core.actors import SYSTEM
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, Job
from tests.bmc_peers import bmc_programs
from tests.control.batches import actor_of, planned, runs, tick, when
from tests.control.conftest import machine, order, received, run
from tests.control.test_settings_on_the_wire import WISH, read
from tests.factories import make_component, make_user, ship_definitions
from tests.redfish_peers import ilo_programs

pytestmark = pytest.mark.django_db
URL = "/api/v1/operations/"
WHY = "Another manager manages this controller, so the portal changes nothing on it: Osaka."


@pytest.fixture
def client(admin):
    found = Client()
    found.force_login(admin.user)
    return found


def hand_over(*machines) -> None:
    managers.assign([one.component for one in machines], {"controller": "Osaka"}, SYSTEM)
    for one in machines:
        one.component = Component.objects.get(pk=one.component_id)


def told(steps):
    return [(step.state, step.code, str(step.message)) for step in steps]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("cap", {"watts": 300}), ("cap", {"watts": None}), ("clear_log", {}), ("boot", {"device": "pxe", "once": False})],
)
def test_orders_that_change_what_it_keeps_are_refused(admin, client_of, queued, operation, arguments):
    device = machine(meter="well")
    hand_over(device)
    body = {"operation": operation, "arguments": arguments, "components": [device.component_id]}
    answer = client_of(admin.user).post(URL, body, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (409, WHY)
    dry = client_of(admin.user).post(f"{URL}?dry_run=true", body, format="json").json()
    assert (dry["targets"], [one["why"] for one in dry["skipped"]]) == ([], [WHY])
    assert (received(device), Job.objects.exists()) == ([], False)


def test_power_lamp_and_what_counts_once_are_ordered_with_a_warning(admin, client, queued):
    device = machine()
    hand_over(device)
    orders = [("power", {"action": "off"}), ("lamp", {"lit": True}), ("boot", {"device": "pxe", "once": True})]
    for operation, arguments in orders:
        assert [step.state for step in run(order(admin, [device], operation, **arguments))] == ["done"]
    assert len(received(device)) == 3
    shown = client.get("/operations/", {"order": "power.on", "ids": device.component_id}).content.decode()
    assert "Another manager, which does not know of this order, has their controllers: 1" in shown
    assert "Osaka" in shown


def test_of_many_it_is_skipped_in_words(admin, client, queued):
    theirs, ours, also = machine(make_component("a")), machine(make_component("b")), machine(make_component("c"))
    hand_over(theirs)
    shown = client.get("/operations/", {"order": "clear_log", "ids": f"{theirs.component_id},{ours.component_id}"})
    assert "Another manager has the controller of 1 of them, which is skipped:" in shown.content.decode()
    job = order(admin, [theirs, ours, also], "clear_log")
    managers.assign([also.component], {"controller": "Osaka"}, SYSTEM)  # after it was ordered
    skipped, done, late = run(job)
    assert told([skipped, late]) == [("skipped", "", WHY)] * 2
    assert done.state == "done"
    assert (received(theirs), received(also), len(received(ours))) == ([], [], 1)


def test_where_all_are_elsewhere_the_refusal_names_nobody(admin, queued):
    first, second = machine(), machine()
    managers.assign([first.component], {"controller": "Osaka"}, SYSTEM)
    managers.assign([second.component], {"controller": "Kobe"}, SYSTEM)
    with pytest.raises(Conflict, match="Other managers manage the controllers that could do this"):
        order(admin, [first, second], "clear_log")


def test_a_remote_batch_skips_it_and_says_why_it_could_not_begin(queued):
    ship_definitions()
    owner = make_user("administrator", username="olga")
    with when("11-20 12:00"):
        theirs, ours = machine(make_component("a")), machine(make_component("b"))
        both = planned(
            actor_of(owner), theirs.component, ours.component, operation="clear_log", arguments={}, name="Both"
        )
        alone = planned(actor_of(owner), theirs.component, operation="clear_log", arguments={}, name="Alone")
        hand_over(theirs)
    tick("11-20 20:00")
    (begun,) = Job.objects.all()
    assert next((step.state, str(step.message)) for step in run(begun)) == ("skipped", WHY)
    assert RemoteBatchRun.objects.get(batch=both).state == "started"
    assert ("11-20 20:00", "refused", WHY) in runs()
    with pytest.raises(Conflict, match="Another manager manages this controller"):
        batch_runs.run_now(alone, actor_of(owner))
    assert (received(theirs), len(received(ours))) == ([], 1)


def test_the_pages_offer_nothing_that_is_refused_and_say_why(admin, client, queued):
    device = machine(make_component("web-01"))
    run(services.read([device.component], admin))
    where = device.component.get_absolute_url()
    before = client.get(where).content.decode()
    assert ("order=cap&" in before, "order=clear_log&" in before) == (True, True)
    hand_over(device)
    page = client.get(where).content.decode()
    assert ("order=cap&" in page, "order=uncap&" in page, "order=clear_log&" in page) == (False, False, False)
    assert ("order=power.off&" in page, WHY in page) == (True, True)
    boot = client.get("/operations/", {"order": "boot", "ids": device.component_id}).content.decode()
    assert ('value="always"' in boot, WHY in boot) == (False, True)
    settings = client.get(f"{where}settings/").content.decode()
    assert (WHY in settings, "Show the difference" in settings) == (True, False)
    assert ('<fieldset class="stack" disabled>' in settings, "192.0.2.1" in settings) == (True, True)
    assert ("settings/restart/" in settings, "settings/reset/" in settings) == (False, False)
    for what in ("restart/", "reset/", "defaults/"):
        shown = client.get(f"{where}settings/{what}").content.decode()
        main = shown[shown.index("<main") : shown.index("</main>")]
        assert (WHY in main, 'class="btn danger' in main) == (True, False)
    many = client.post("/device-settings/", {"ids": device.component_id}).content.decode()
    assert "Another manager has the controllers of these, so they are left out:" in many


def test_settings_are_refused_everywhere_and_what_was_ordered_before_is_skipped(admin, client, client_of, queued):
    device, other = machine(make_component("a")), machine(make_component("b"))
    run(services.read([device.component, other.component], admin))
    wish = {"network.gateway": "192.0.2.254"}
    both = services.differ([device.component, other.component], wish)
    waiting = services.apply(services.propose(both, admin), admin)
    shown = services.propose(services.differ([device.component], wish), admin)
    hand_over(device)
    api, url, page = client_of(admin.user), f"/api/v1/components/{device.component_id}/settings/", device.component
    answers = [
        api.patch(url, {"settings": wish}, format="json"),
        api.post(f"{url}restart/", {}, format="json"),
        api.post(f"{url}reset/", {}, format="json"),
    ]
    assert [(one.status_code, one.json()["detail"]) for one in answers] == [(409, WHY)] * 3
    (dry,) = api.patch(f"{url}?dry_run=true", {"settings": wish}, format="json").json()["differences"]
    assert (dry["changes"], dry["why_not"]) == ([], WHY)
    jobs = {"components": [device.component_id], "settings": wish}
    assert api.post("/api/v1/settings-jobs/", jobs, format="json").status_code == 409
    report = {"components": [device.component_id]}
    assert api.post("/api/v1/settings-jobs/report/", report, format="json").status_code == 409
    where = f"{page.get_absolute_url()}settings/"
    for sent, what in (
        (wish, ""),
        ({"report": "1"}, ""),
        ({}, "restart/"),
        ({"typed": "reset"}, "reset/"),
        ({}, "defaults/"),
    ):
        assert client.post(where + what, sent).status_code == 409, what
    client.post("/device-settings/apply/", {"order": shown.pk, "expect": 1})
    assert [job.kind for job in Job.objects.exclude(pk=waiting.pk)] == ["settings_read"]
    skipped, done = run(waiting)
    assert (told([skipped]), done.state) == ([("skipped", "", WHY)], "done")
    assert received(device) == []
    assert api.post(f"{url}read/", {}, format="json").status_code == 202  # to read is allowed
    assert [entry.object_name for entry in AuditEntry.objects.filter(action="settings.write")] == ["b"]


@pytest.mark.one_database
@pytest.mark.parametrize("driver", ["bmc", "ilo"])
def test_on_the_wire_nothing_is_written_and_reading_goes_on(admin, client_of, queued, driver):
    with bmc_programs("127.53.10", 1) if driver == "bmc" else ilo_programs(1) as (program,):
        server = read(admin, program, driver)
        asked = "packets" if driver == "bmc" else "requests"
        wish = WISH if driver == "bmc" else {"network.host_name": "ours"}
        found = services.propose(services.differ([server.component], wish), admin)
        job = services.apply(found, admin)
        hand_over(server)
        before = program.tell(asked)
        api, url = client_of(admin.user), f"/api/v1/components/{server.component_id}/settings/"
        assert api.patch(url, {"settings": wish}, format="json").status_code == 409
        assert api.post(f"{url}restart/", {}, format="json").status_code == 409
        for body in ({"operation": "clear_log"}, {"operation": "boot", "arguments": {"device": "pxe", "once": False}}):
            sent = {**body, "components": [server.component_id]}
            assert api.post(URL, sent, format="json").status_code == 409
        assert told(run(job)) == [("skipped", "", WHY)]
        assert program.tell(asked) == before
        assert [step.state for step in run(services.read([server.component], admin))] == ["done"]
        assert program.tell(asked) != before
        if driver == "ilo":
            assert program.tell("writes") == "nothing"
