"""Settings of controllers: read, shown as a difference, written once, and seen by a new conversation."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import override

from apps.components.models import CredentialVersion
from apps.control.models import SettingsOrder, SettingsSnapshot
from apps.control.settings import differences, orders, running, services, values, writing
from apps.core import jobs, options
from apps.core.actors import Actor, ActorKind
from apps.core.audit import CHANGED
from apps.core.audit import differences as audit
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, Job, JobStep
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db
SECRET = "neues-Geheimnis-17"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Look for a change only once more, in a single try."""
    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(0))
    monkeypatch.setattr(running.SettingsRound, "further_tries", lambda self: 0)


def fleet(number: int, **parameters):
    """Make fake controllers whose settings were read."""
    made = []
    for place in range(number):
        given = {name: value[place] if isinstance(value, tuple) else value for name, value in parameters.items()}
        made.append(machine(make_component(f"server-{place + 1}"), **given))
    return made


def known(admin, machines):
    """Have their settings read."""
    steps = run(services.read([one.component for one in machines], admin))
    assert [str(step.message) for step in steps] == ["The settings were read."] * len(machines)


def change(admin, machines, wanted) -> Job:
    """Propose a change and confirm it."""
    found = services.differ([one.component for one in machines], wanted)
    return services.apply(services.propose(found, admin), admin)


def told(steps):
    return [(step.state, step.code, str(step.message)) for step in steps]


def test_settings_are_read_and_kept_with_their_age_and_without_any_secret(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    snapshot = SettingsSnapshot.objects.get(interface=server)
    assert abs(snapshot.read_at - timezone.now()) < timedelta(minutes=1)
    values = {one["name"]: one["value"] for section in snapshot.report["sections"] for one in section["settings"]}
    assert values["network.gateway"] == "192.0.2.1"
    assert values["network.address"] == server.address
    assert values["users.2.password"] is None
    assert received(server) == []


def test_a_change_is_written_once_and_seen_by_another_conversation(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    (found,) = services.differ([server.component], {"network.gateway": "192.0.2.254", "services.snmp": False})
    assert [(str(c.label), str(c.before_words), str(c.after_words)) for c in found.changes] == [
        ("Gateway", "192.0.2.1", "192.0.2.254")
    ]
    assert "With a wrong value the portal cannot reach it any more" in str(found.cautions[0].text)
    job = services.apply(services.propose([found], admin), admin)
    assert told(run(job)) == [("done", "", "It answers again and shows the new values.")]
    assert received(server) == ["set network.gateway"]
    report = SettingsSnapshot.objects.get(interface=server).report
    assert "192.0.2.254" in json.dumps(report)
    entry = AuditEntry.objects.get(action="settings.write")
    assert (entry.before, entry.after) == (
        {"Gateway": "192.0.2.1"},
        {"Gateway": "192.0.2.254", "outcome": "done"},
    )
    assert entry.login == admin.short_name
    assert AuditEntry.objects.get(action="job.settings").after["settings"] == {"Gateway": "192.0.2.254"}


def test_the_network_is_written_last_and_the_portal_follows_to_the_new_address(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    job = change(
        admin, [server], {"network.address": "198.51.100.7", "services.snmp": True, "network.host_name": "bmc-1"}
    )
    ((state, _code, message),) = told(run(job))
    assert state == "done"
    assert message == (
        "It answers again and shows the new values. The portal asks it at 198.51.100.7 from now on. Whether reports "
        "arrive could not be checked: it has no alert destination or subscription of this portal."
    )
    assert received(server) == ["set services.snmp", "set network.host_name", "set network.address"]
    assert server.address == "198.51.100.7"
    moved = AuditEntry.objects.get(action="component.change")
    assert moved.after["address"] == "198.51.100.7"


def test_what_somebody_changed_meanwhile_stops_it_before_anything_is_written(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    stale = change(admin, [server], {"network.gateway": "192.0.2.254", "services.snmp": True})
    run(change(admin, [server], {"network.gateway": "192.0.2.9"}))
    ((state, code, message),) = told(run(stale))
    assert (state, code) == ("failed", "changed_meanwhile")
    assert message == (
        "Changed meanwhile, so nothing was written: Gateway is 192.0.2.9, it was 192.0.2.1 when the change was shown."
    )
    assert str(JobStep.objects.get(job=stale).remedy).startswith("Read the settings again, and look")
    assert received(server) == ["set network.gateway"]


def test_a_first_device_that_does_not_answer_again_keeps_the_others_from_being_touched(admin, queued):
    servers = fleet(3, obedience=("vanishing", "prompt", "prompt"))
    known(admin, servers)
    job = change(admin, servers, {"services.snmp": True})
    first, *others = told(run(job))
    assert first[:2] == ("failed", "not_confirmed")
    assert others == [("cancelled", "", "Not begun, because the first device was not confirmed.")] * 2
    assert [received(one) for one in servers[1:]] == [[], []]
    assert AuditEntry.objects.get(action="settings.write").after == {"SNMP": True, "outcome": "not_confirmed"}
    assert not SettingsOrder.objects.exists()


def test_the_others_follow_a_confirmed_first_one_and_stop_at_the_first_failure(admin, queued):
    options.set_value("settings_concurrency", 1, admin)
    servers = fleet(4, obedience=("prompt", "prompt", "refusing", "prompt"))
    known(admin, servers)
    steps = told(run(change(admin, servers, {"services.snmp": True})))
    assert [step[0] for step in steps] == ["done", "done", "failed", "cancelled"]
    assert steps[2][1] == "device_error"
    assert steps[2][2] == f"It refused SNMP: {servers[2].address} refuses the order"
    assert received(servers[3]) == []


def test_a_device_that_took_the_order_and_did_not_follow_it_is_not_confirmed(admin, queued):
    (server,) = fleet(1, obedience="deaf")
    known(admin, [server])
    ((state, code, _message),) = told(run(change(admin, [server], {"services.snmp": True})))
    assert (state, code) == ("failed", "not_confirmed")
    assert AuditEntry.objects.get(action="settings.write").after["outcome"] == "not_confirmed"


def test_a_password_stands_nowhere_in_clear_and_is_forgotten_when_the_job_has_ended(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    job = change(admin, [server], {"users.4.name": "eve", "users.4.password": SECRET, "users.4.enabled": True})
    stored = SettingsOrder.objects.extra(select={"raw": "targets"}).get(job=job)
    assert SECRET not in stored.raw
    assert SECRET in json.dumps(stored.targets)  # encrypted, while the job needs it
    ((state, _code, message),) = told(run(job))
    assert state == "done"
    assert message == "It answers again and shows the new values; a password cannot be read back."
    assert not SettingsOrder.objects.exists()
    job.refresh_from_db()
    server.refresh_from_db()
    everything = json.dumps([job.arguments, server.state, SettingsSnapshot.objects.get().report])
    everything += "".join(str(step.message) for step in JobStep.objects.all())
    everything += json.dumps([[entry.before, entry.after] for entry in AuditEntry.objects.all()])
    assert SECRET not in everything
    entry = AuditEntry.objects.get(action="settings.write")
    assert entry.after["User 4: Password"] == CHANGED


def test_a_job_that_is_cancelled_forgets_its_secrets_too(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    job = change(admin, [server], {"users.3.password": SECRET})
    jobs.cancel(job, admin)
    assert not SettingsOrder.objects.exists()
    assert received(server) == []


def test_a_worker_that_died_leaves_the_outcome_unknown_and_nothing_more_is_begun(admin, queued):
    servers = fleet(2)
    known(admin, servers)
    job = change(admin, servers, {"services.snmp": True})
    first = JobStep.objects.filter(job=job).order_by("pk")[0]
    jobs.claim(first.pk)  # by a worker that was killed between writing and looking
    JobStep.objects.filter(pk=first.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))
    queued.clear()
    assert jobs.watch() == 1
    assert queued == [job.pk]
    steps = told(run(job))
    assert steps[0][:2] == ("failed", "outcome_unknown")
    assert steps[1][0] == "cancelled"
    assert [received(one) for one in servers] == [[], []]
    assert not SettingsOrder.objects.exists()


def test_the_own_login_follows_where_nobody_else_uses_it(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    (found,) = services.differ([server.component], {"users.2.password": SECRET})
    assert [str(one.text) for one in found.cautions] == [
        f"The portal signs in with this account. The credential {server.credential} is changed with it."
    ]
    ((state, _code, message),) = told(run(services.apply(services.propose([found], admin), admin)))
    assert state == "done"
    assert message.endswith("Its credential was changed with it.")
    version = CredentialVersion.objects.get(credential=server.credential)
    assert version.fields["password"] == SECRET


def test_our_address_is_written_again_where_it_stands_already(admin, queued):
    one, other, full = fleet(3)
    known(admin, [one, other, full])
    run(change(admin, [one], {"destinations.2.address": "127.0.0.9"}))
    run(change(admin, [full], {"destinations.1.address": "192.0.2.5", "destinations.2.address": "192.0.2.6"}))
    found = services.report_to([each.component for each in (one, other, full)], lambda interface: "127.0.0.9")
    assert [[change.name for change in each.changes] for each in found] == [
        ["destinations.2.address"],
        ["destinations.1.address"],
        [],
    ]
    assert str(found[2].why_not) == "Every destination is taken by another address."
    steps = told(run(services.apply(services.propose(found, admin), admin)))
    assert [step[0] for step in steps] == ["done", "done"]
    assert received(one) == ["set destinations.2.address"] * 2


def test_what_cuts_the_portal_off_is_told_before(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    (found,) = services.differ(
        [server.component],
        {"services.https": False, "network.source": "dhcp", "users.2.enabled": False, "network.gateway": "10.0.0.1"},
    )
    critical = [str(one.text) for one in found.cautions if one.state == "critical"]
    assert [sentence.partition(":")[0] for sentence in critical] == [
        "The portal knows a controller by its address",
        "The portal itself speaks with it in this way (HTTPS)",
        "The portal signs in with this account",
    ]
    warnings = [str(one.text) for one in found.cautions if one.state == "warning"]
    assert any("is not in the network of" in sentence for sentence in warnings)


def test_nonsense_is_refused_by_name_before_anything_is_kept(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    wrong = {
        "network.gateway": "300.1.1.1",
        "network.mask": "255.0.255.0",
        "services.https_port": 0,
        "services.snmp": "yes",
        "network.source": "magic",
        "users.2.password": "",
        "users.4.enabled": True,
    }
    with pytest.raises(ValidationError) as refused:
        services.differ([server.component], wrong)
    assert set(refused.value.message_dict) == {*wrong, "users.4.name"} - {"users.4.enabled"}
    assert not SettingsOrder.objects.exists()


def test_a_change_is_ordered_once_and_only_by_whom_may(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    found = services.differ([server.component], {"services.snmp": True})
    viewer = make_user("viewer", server.component.group)
    with pytest.raises(PermissionDenied):
        services.propose(found, Actor(ActorKind.USER, viewer.username, viewer))
    order = services.propose(found, admin)
    with pytest.raises(Conflict):
        services.apply(order, admin, expect=2)
    services.apply(order, admin)
    with pytest.raises(Conflict):
        services.apply(order, admin)
    with pytest.raises(Conflict):
        services.propose(services.differ([server.component], {"services.snmp": False}), admin)
    assert Job.objects.filter(kind="settings").count() == 1


def test_a_component_that_was_hidden_meanwhile_is_not_set(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    group = make_group("Osaka")
    operator = make_user("operator", server.component.group)
    actor = Actor(ActorKind.USER, operator.username, operator)
    order = services.propose(services.differ([server.component], {"services.snmp": True}), actor)
    stranger = make_user("operator", group)
    with pytest.raises(Conflict):
        services.apply(order, Actor(ActorKind.USER, stranger.username, stranger))
    assert received(server) == []


def test_a_controller_is_set_back_where_it_offers_that(admin, queued):
    (server,) = fleet(1)
    with pytest.raises(Conflict):
        services.reset(server.component, admin)
    known(admin, [server])
    run(change(admin, [server], {"services.snmp": True}))
    assert told(run(services.reset(server.component, admin))) == [
        ("done", "", "It answers again; it took the order to set itself back.")
    ]
    assert received(server)[-1] == "reset settings"


def test_a_change_that_nobody_confirmed_is_forgotten_after_an_hour(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    order = services.propose(services.differ([server.component], {"users.3.password": SECRET}), admin)
    assert services.forget_proposals() == 0
    SettingsOrder.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    with pytest.raises(Conflict):
        services.apply(order, admin)
    assert services.forget_proposals() == 1
    assert not SettingsOrder.objects.exists()


def test_a_change_that_waits_for_a_restart_says_so_and_the_restart_is_somebodys_choice(admin, queued, monkeypatch):
    monkeypatch.setattr(orders, "RESTARTED_AFTER", 0.0)
    one, other = fleet(2, obedience="restarting")
    known(admin, [one, other])
    assert told(run(change(admin, [one], {"services.snmp": True}))) == [("done", "", str(writing.TAKEN_UNTIL_RESTART))]
    assert SettingsSnapshot.objects.get(interface=one).report["awaits_restart"] is True
    assert told(run(services.restart(one.component, admin))) == [("done", "", "It answers again after its restart.")]
    assert received(one) == ["set services.snmp", "restart controller"]
    found = services.differ([other.component], {"services.snmp": True})
    job = services.apply(services.propose(found, admin), admin, restart=True)
    assert told(run(job)) == [("done", "", "It was restarted, answers again and shows the new values.")]
    assert received(other) == ["set services.snmp", "restart controller"]
    assert AuditEntry.objects.get(action="job.settings", object_id=str(job.pk)).after["restart"] is True


def test_what_a_controller_came_with_is_known_once_it_was_set_back(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    run(change(admin, [server], {"services.snmp": True, "destinations.2.address": "192.0.2.5"}))
    assert SettingsSnapshot.objects.get(interface=server).came_with is None
    run(services.reset(server.component, admin))
    snapshot = SettingsSnapshot.objects.get(interface=server)
    assert snapshot.came_with["services.snmp"] is False
    run(change(admin, [server], {"services.snmp": True}))
    report = values.load(SettingsSnapshot.objects.get(interface=server).report)
    wanted = differences.usual(report, "127.0.0.9")
    assert wanted == {"time.exact": True, "services.snmp": True, "destinations.1.address": "127.0.0.9"}
    rows = {str(row.label): row for row in differences.side_by_side(report, snapshot.came_with, wanted)}
    assert set(rows) == {"Agrees with the clock of the portal", "SNMP", "Destination 1: Address"}
    assert [str(each) for each in (rows["SNMP"].came, rows["SNMP"].now, rows["SNMP"].wanted)] == ["off", "on", "on"]
    assert (rows["SNMP"].differs, rows["Destination 1: Address"].differs) == (False, True)


def test_whom_else_a_controller_reports_to_is_known(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    run(change(admin, [server], {"destinations.1.address": "127.0.0.9", "destinations.2.address": "192.0.2.5"}))
    report = values.load(SettingsSnapshot.objects.get(interface=server).report)
    assert differences.others(report, {"127.0.0.9"}) == ["192.0.2.5"]


def test_the_audit_reads_in_the_language_of_its_reader(admin, queued):
    (server,) = fleet(1)
    known(admin, [server])
    run(change(admin, [server], {"network.source": "dhcp", "services.snmp": True, "users.3.password": SECRET}))
    entry = AuditEntry.objects.get(action="settings.write")
    assert entry.after["User 3: Password"] == CHANGED
    with override("ja"):
        read = {one.label: (one.before, one.after) for one in audit.differences(entry.before, entry.after)}
    assert read == {
        "アドレスの取得方法": (["固定"], ["DHCP"]),
        "SNMP": (["いいえ"], ["はい"]),
        "ユーザー 3: パスワード": ([], ["変更あり"]),
        "結果": ([], ["完了"]),
    }
