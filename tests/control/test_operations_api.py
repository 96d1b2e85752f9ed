"""The resource of operations: who may order what, of whom, and that nothing begins when it is refused."""

import pytest

from apps.access.models import Grant, Role
from apps.components.models import Component
from apps.components.services import suspend_periods
from apps.core.actors import Actor, ActorKind
from apps.core.models import AuditEntry, Job, JobStep
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_interface, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/operations/"
GENTLE = [{"action": "on"}, {"action": "shutdown"}, {"action": "reboot"}]
FORCED = [{"action": "off"}, {"action": "cycle"}, {"action": "reset"}, {"action": "nmi"}]
ORDERS = [
    *(("power", arguments, "power") for arguments in GENTLE),
    *(("power", arguments, "force") for arguments in FORCED),
    ("boot", {"device": "pxe"}, "force"),
    ("lamp", {"lit": True}, "power"),
    ("clear_log", {}, "device_settings"),
    ("cap", {"watts": 300}, "device_settings"),
    ("collect", {}, "check"),
]


def post(client, **body):
    return client.post(URL, body, format="json")


def with_role(permissions, group):
    """Make a user who holds just these permissions on a group."""
    role = Role.objects.create(name=f"{'-'.join(permissions)} {Role.objects.count()}", permissions=permissions)
    user = make_user(None)
    Grant.objects.create(user=user, role=role, group=group)
    return user


def test_the_job_says_what_it_touched_to_who_sees_all_its_targets(client, client_of, queued):
    user, group = make_user("operator"), make_group()
    devices = [machine(make_component("db-01")), machine(make_component("db-02", group=group))]
    suspend_periods.suspend([devices[0].component], "Firmware", Actor(ActorKind.USER, user.username, user), None, "UTC")
    ids = [device.component_id for device in devices]
    job = post(client_of(user), operation="power", arguments={"action": "off"}, components=ids).json()["job"]
    told = "Suspended, so that nobody is told of their alerts: 1"
    assert client_of(user).get(f"/api/v1/jobs/{job}/").json()["consequences"] == [told]
    client.force_login(user)
    assert told in client.get(f"/jobs/{job}/").content.decode()
    colleague = client_of(make_user("operator", group)).get(f"/api/v1/jobs/{job}/").json()
    assert (colleague["total"], colleague["consequences"]) == (1, [])


@pytest.mark.one_database
@pytest.mark.parametrize(("operation", "arguments", "word"), ORDERS)
def test_who_holds_the_permission_orders_it_once_and_who_lacks_it_reaches_nothing(
    client_of, queued, operation, arguments, word
):
    group = make_group()
    device = machine(make_component(group=group))
    words = ["view", "power", "force", "device_settings", "check", "components"]
    lacking = with_role([one for one in words if one != word], group)
    refused = post(client_of(lacking), operation=operation, arguments=arguments, components=[device.component_id])
    assert refused.status_code == 403
    assert not Job.objects.exists()
    allowed = with_role(["view", word], group)
    answer = post(client_of(allowed), operation=operation, arguments=arguments, components=[device.component_id])
    assert answer.status_code == 202, answer.content
    job = Job.objects.get(pk=answer.json()["job"])
    assert answer.json()["url"].endswith(f"/api/v1/jobs/{job.pk}/")
    assert job.total == 1
    assert received(device) == []
    if operation != "collect":
        run(job)
        assert len(received(device)) == 1 or arguments == {"action": "on"}  # which is so already


def test_by_role_and_group(client_of, queued):
    half, other = make_group(), make_group()
    device = machine(make_component(group=half))
    body = {"operation": "power", "arguments": {"action": "off"}, "components": [device.component_id]}
    assert post(client_of(make_user("viewer", half)), **body).status_code == 403
    stranger = post(client_of(make_user("operator", other)), **body)
    assert stranger.status_code == 400
    assert list(stranger.json()["errors"]) == ["components"]
    assert not Job.objects.exists()
    assert received(device) == []
    assert post(client_of(make_user("operator", half)), **body).status_code == 202
    run(Job.objects.get())
    assert received(device) == ["power off"]


def test_one_component_that_may_not_be_ordered_stops_the_whole_order(client_of, queued):
    mine, seen = make_group(), make_group()
    user = make_user("operator", mine)
    Grant.objects.create(user=user, role=Role.objects.get(name="viewer"), group=seen)
    devices = [machine(make_component(group=group)) for group in (mine, seen)]
    ids = [device.component_id for device in devices]
    answer = post(client_of(user), operation="lamp", arguments={}, components=ids)
    assert answer.status_code == 403
    assert not Job.objects.exists()


def test_an_unknown_id_is_told_on_its_field_and_nothing_begins(client_of, queued):
    device = machine()
    api = client_of(make_user("operator"))
    answer = post(api, operation="lamp", components=[device.component_id, 999_999_999])
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"components": ["There is no component with the id 999999999."]}
    assert not Job.objects.exists()


def test_what_none_can_do_is_a_conflict_and_what_some_cannot_is_skipped(client_of, queued):
    able, unable = machine(make_component("a")), make_interface(make_component("b"))
    api = client_of(make_user("operator"))
    alone = post(api, operation="lamp", components=[unable.component_id])
    assert (alone.status_code, alone.json()["detail"]) == (409, "None of these components can do this.")
    assert not Job.objects.exists()
    answer = post(api, operation="lamp", components=[able.component_id, unable.component_id])
    steps = run(Job.objects.get(pk=answer.json()["job"]))
    assert [(step.target, step.state, step.code) for step in steps] == [
        ("a", "done", ""),
        ("b", "skipped", "unsupported"),
    ]


def test_an_expected_number_guards_against_more(client_of, queued):
    device = machine()
    api = client_of(make_user("operator"))
    body = {"operation": "lamp", "components": [device.component_id, device.component_id]}
    assert post(api, **body, expect=2).status_code == 409
    assert not Job.objects.exists()
    assert post(api, **body, expect=1).status_code == 202


def test_a_dry_run_tells_whom_it_reaches_and_what_it_touches_and_begins_nothing(client_of, queued):
    group = make_group()
    able, unable = machine(make_component("able", group)), make_interface(make_component("unable", group))
    Component.objects.filter(pk=able.component_id).update(power_state="on")
    operator = make_user("operator", group)
    actor = Actor(ActorKind.USER, operator.username, operator)
    suspend_periods.suspend([able.component], "Firmware", actor, None, "UTC")
    ids = [able.component_id, unable.component_id]
    body = {"operation": "power", "arguments": {"action": "off"}, "components": ids}
    answer = client_of(operator).post(f"{URL}?dry_run=true", {**body, "expect": 7}, format="json")
    assert answer.status_code == 200
    assert answer.json() == {
        "total": 2,
        "targets": [
            {
                "component": able.component_id,
                "name": "able",
                "interface": able.pk,
                "power_state": "on",
                "power_seen_at": None,
            }
        ],
        "skipped": [{"component": unable.component_id, "name": "unable", "why": ""}],
        "consequences": [
            {"state": "suspended", "text": "Suspended, so that nobody is told of their alerts: 1", "detail": "able"}
        ],
        "expect": None,
    }
    assert client_of(make_user("viewer", group)).post(f"{URL}?dry_run=true", body, format="json").status_code == 403
    stranger = client_of(make_user("operator", make_group()))
    assert stranger.post(f"{URL}?dry_run=true", body, format="json").status_code == 400
    assert client_of(operator).post(f"{URL}?dry_run=perhaps", body, format="json").status_code == 400
    assert client_of(operator).post(f"{URL}?dryrun=true", body, format="json").status_code == 400
    assert not AuditEntry.objects.filter(action="job.power").exists()
    assert (Job.objects.count(), received(able)) == (0, [])


@pytest.mark.parametrize("arguments", FORCED)
def test_who_forces_more_than_ten_gives_their_number(client_of, queued, arguments):
    ids = [machine().component_id for _ in range(11)]
    api = client_of(make_user("operator"))
    body = {"operation": "power", "arguments": arguments, "components": ids}
    refused = post(api, **body)
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"expect": ["Give the number of components that are forced: they are 11."]}
    assert api.post(f"{URL}?dry_run=true", body, format="json").json()["expect"] == 11
    assert post(api, **body, expect=10).status_code == 409
    assert not Job.objects.exists()
    assert post(api, **{**body, "components": ids[1:]}).status_code == 202
    assert post(api, **body, expect=11).status_code == 202
    assert post(api, **{**body, "arguments": {"action": "shutdown"}}).status_code == 202


def test_a_group_is_meant_with_its_subgroups_when_asked_for(client_of, queued):
    site = make_group()
    rack = make_group(parent=site)
    devices = [machine(make_component(name, group)) for name, group in (("one", site), ("two", rack), ("three", rack))]
    machine(make_component("elsewhere"))
    api = client_of(make_user("operator", site))
    alone = post(api, operation="power", arguments={"action": "off"}, group=site.pk)
    assert [step.target for step in run(Job.objects.get(pk=alone.json()["job"]))] == ["one"]
    below = post(api, operation="power", arguments={"action": "off"}, group=site.pk, include_subgroups=True, expect=3)
    steps = run(Job.objects.get(pk=below.json()["job"]))
    assert [step.target for step in steps] == ["one", "three", "two"]
    assert [received(device) for device in devices] == [["power off"]] * 3
    assert [step.group for step in steps] == [site.pk, rack.pk, rack.pk]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"operation": "explode"}, "operation"),
        ({"operation": "power"}, "arguments"),
        ({"operation": "power", "arguments": {"action": "explode"}}, "arguments"),
        ({"operation": "power", "arguments": {"action": "on", "hard": True}}, "arguments"),
        ({"operation": "boot", "arguments": {"device": "pxe", "once": "yes"}}, "arguments"),
        ({"operation": "lamp", "arguments": {"seconds": 0}}, "arguments"),
        ({"operation": "wake", "arguments": {"port": 7}}, "arguments"),
        ({"operation": "clear_log", "arguments": {"all": True}}, "arguments"),
        ({"operation": "lamp", "how": "softly"}, "how"),
        ({"operation": "lamp", "components": []}, "components"),
        ({"operation": "lamp", "components": ["1"]}, "components"),
        ({"operation": "lamp", "group": 1}, "components"),
    ],
)
def test_what_makes_no_sense_is_told_on_its_field(client_of, queued, body, field):
    device = machine()
    both = {"group": device.component.group_id} if "group" in body else {}
    answer = post(client_of(make_user("operator")), **{"components": [device.component_id], **body, **both})
    assert answer.status_code == 400
    assert {name.partition(".")[0] for name in answer.json()["errors"]} == {field}
    assert not Job.objects.exists()


def test_an_empty_group_is_told(client_of, queued):
    answer = post(client_of(make_user("operator")), operation="lamp", group=make_group().pk)
    assert answer.json()["errors"] == {"group": ["There is no component in this group."]}


def test_the_audit_keeps_the_order_with_what_it_touched(client_of, queued):
    user = make_user("operator")
    devices = [machine(make_component("db-01")), machine(make_component("db-02"))]
    actor = Actor(ActorKind.USER, user.username, user)
    suspend_periods.suspend([devices[0].component], "Firmware", actor, None, "UTC")
    api = client_of(user)
    ids = [device.component_id for device in devices]
    post(api, operation="power", arguments={"action": "off"}, components=ids)
    entry = AuditEntry.objects.get(action="job.power")
    assert entry.after == {
        "order": "Force off",
        "consequences": ["Suspended, so that nobody is told of their alerts: 1"],
        "targets": ["db-01", "db-02"],
        "total": 2,
    }
    post(api, operation="power", arguments={"action": "on"}, components=ids[:1])
    assert AuditEntry.objects.filter(action="job.power").order_by("-pk")[0].after["consequences"] == [
        "Jobs that are working on these components: 1",
        "Suspended, so that nobody is told of their alerts: 1",
    ]


def test_collecting_is_the_refresh_that_the_page_has(client_of, queued):
    device = machine()
    answer = post(client_of(make_user("operator")), operation="collect", components=[device.component_id])
    assert Job.objects.get(pk=answer.json()["job"]).kind == "refresh"
    assert JobStep.objects.get().interface == device.pk


def test_only_orders_are_taken(client_of):
    assert client_of(make_user("administrator")).get(URL).status_code == 405
