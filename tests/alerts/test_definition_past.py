"""A draft is tried on the last week without changing it, and a definition is applied to it as a job."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import acknowledge, definitions, drafting, preview, reapplying
from apps.alerts.services.preview import preview as replay
from apps.components.models import Status
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry, Job, JobStep
from tests.alerts.test_definitions import FAN, LINK_DOWN, arrive, binding
from tests.factories import make_component, make_group, make_interface, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

PORT = "1.3.6.1.2.1.2.2.1.1"


def down(port: int, component=None, days: float = 0.0) -> Alert:
    alert = arrive(LINK_DOWN, binding(f"{PORT}.{port}", port), component=component)
    moment = timezone.now() - timedelta(days=days)
    Alert.objects.filter(pk=alert.pk).update(received_at=moment)
    Incident.objects.filter(pk=alert.incident_id).update(first_at=moment, last_at=moment)
    return Alert.objects.get(pk=alert.pk)


def link_down() -> AlertDefinition:
    return AlertDefinition.objects.get(key="linkDown")


class TestPreview:
    """The time machine."""

    def test_a_draft_is_compared_with_what_was_and_changes_nothing(self):
        component = make_component("sw-01")
        for port, days in ((1, 0), (1, 1), (2, 1), (3, 8)):
            down(port, component, days)
        before = (list(Alert.objects.values()), list(Incident.objects.values()), list(AlertDefinition.objects.values()))
        draft = drafting.draft_of({"severity": "critical", "title": "%(object)s is dead"}, link_down())
        found = replay(draft, make_user("administrator"))

        assert (found.looked_at, found.complete) == (3, True)  # the fourth is older than a week
        assert [(line.what, line.severity, line.before, line.after) for line in found.lines] == [
            ("alerts", "", 3, 3),
            ("severity", "critical", 0, 3),
            ("severity", "warning", 3, 0),
            ("problems", "", 2, 2),
        ]
        today = timezone.localdate()
        assert {day.day: (day.before, day.after) for day in found.days if day.before} == {
            today: (1, 1),
            today - timedelta(days=1): (2, 2),
        }
        assert len(found.days) == 8
        assert (found.examples[0].was, found.examples[0].becomes) == ("warning", "critical")
        assert str(found.examples[0].title) == "2 is dead"
        after = (list(Alert.objects.values()), list(Incident.objects.values()), list(AlertDefinition.objects.values()))
        assert after == before

    def test_a_new_definition_catches_what_was_unmatched(self):
        for number in (7, 7, 8):
            arrive(f"1.3.6.1.4.1.99999.0.{number}")
        found = replay(drafting.draft_of({**FAN, "trap_oid": "1.3.6.1.4.1.99999.7"}), make_user("administrator"))
        assert [(line.what, line.before, line.after) for line in found.lines if line.what == "alerts"] == [
            ("alerts", 0, 2)
        ]
        assert {example.was for example in found.examples} == {"unmatched"}
        below = {**FAN, "trap_oid": "1.3.6.1.4.1.99999", "prefix": True}
        assert replay(drafting.draft_of(below), make_user("administrator")).looked_at == 3

    def test_a_draft_that_is_switched_off_hides_its_alerts(self):
        down(1)
        found = replay(drafting.draft_of({"enabled": False}, link_down()), make_user("administrator"))
        assert (found.lines[0].before, found.lines[0].after) == (1, 0)
        assert (found.examples[0].was, found.examples[0].becomes) == ("warning", "unmatched")

    def test_nobody_sees_the_alerts_of_others_in_it(self):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        down(1, make_component("t", tokyo))
        down(1, make_component("o", osaka))
        found = replay(drafting.draft_of({"severity": "critical"}, link_down()), make_user("viewer", tokyo))
        assert found.looked_at == 1
        assert [example.alert.where for example in found.examples] == ["t"]

    def test_it_looks_at_a_bounded_number_and_says_so(self, monkeypatch):
        monkeypatch.setattr(preview, "ROWS", 2)
        for port in (1, 2, 3):
            down(port)
        found = replay(drafting.draft_of({"severity": "critical"}, link_down()), make_user("administrator"))
        assert (found.looked_at, found.complete) == (2, False)


def apply(definition: AlertDefinition) -> Job:
    """Order and do the job."""
    job = reapplying.order(definition, SYSTEM)
    reapplying.run(job.pk)
    job.refresh_from_db()
    return job


class TestReapply:
    """The job that understands stored alerts anew."""

    @pytest.fixture(autouse=True)
    def _in_this_process(self, monkeypatch):
        monkeypatch.setattr("apps.alerts.tasks.run_reapply.apply_async", lambda *args, **options: None)

    def test_every_alert_of_the_week_follows_and_the_status_with_it(self):
        component = make_interface(make_component("sw-01", status="normal")).component
        recent, old = down(1, component, 0.5), down(2, component, 9)
        definitions.change(link_down(), {"severity": "critical", "title": "%(object)s is dead"}, SYSTEM)
        job = apply(link_down())

        recent.refresh_from_db()
        old.refresh_from_db()
        assert (recent.severity, str(recent.title)) == ("critical", "1 is dead")
        assert (old.severity, str(old.title)) == ("warning", "Link of 2 went down")
        incident = Incident.objects.get(pk=recent.incident_id)
        assert (incident.severity, str(incident.title), incident.count, incident.state) == (
            "critical",
            "1 is dead",
            1,
            "open",
        )
        component.refresh_from_db()
        assert component.status == Status.CRITICAL
        assert (job.state, job.finished, job.total) == ("done", 8, 8)
        assert str(JobStep.objects.filter(job=job).order_by("-pk")[0].message) in {
            "1 of 1 alerts changed.",
            "0 of 0 alerts changed.",
        }
        assert AuditEntry.objects.get(action="alert.reapply").after == {
            "alerts": 1,
            "first": recent.pk,
            "last": recent.pk,
        }
        assert apply(link_down()).state == "done"
        assert AuditEntry.objects.filter(action="alert.reapply").count() == 1  # the second time nothing was to do

    def test_what_was_unmatched_opens_problems_and_their_ends_end_them(self):
        component = make_interface(make_component("sw-01", status="normal")).component
        for number, fan in ((7, 1), (7, 2), (8, 1)):
            arrive(f"1.3.6.1.4.1.99999.0.{number}", binding("1.3.6.1.4.1.99999.2.1.1", fan), component=component)
        assert not Incident.objects.exists()
        failed = definitions.create(FAN, SYSTEM)
        works = {**FAN, "trap_oid": "1.3.6.1.4.1.99999.0.8", "severity": "normal", "clears": [failed.key]}
        definitions.create({**works, "title": "Fan %(fan)s works"}, SYSTEM)
        apply(failed)
        apply(AlertDefinition.objects.get(trap_oid="1.3.6.1.4.1.99999.0.8"))

        assert Alert.objects.unmatched().count() == 0
        assert {(row.object, row.state) for row in Incident.objects.all()} == {("1", "closed"), ("2", "open")}

    def test_a_late_recovery_ends_nothing_that_came_after_it(self):
        recovery = arrive("1.3.6.1.4.1.99999.0.8", binding("1.3.6.1.4.1.99999.2.1.1", 1))
        failed = definitions.create(FAN, SYSTEM)
        arrive("1.3.6.1.4.1.99999.0.7", binding("1.3.6.1.4.1.99999.2.1.1", 1))
        works = {**FAN, "trap_oid": "1.3.6.1.4.1.99999.0.8", "severity": "normal", "clears": [failed.key]}
        apply(definitions.create(works, SYSTEM))
        recovery.refresh_from_db()
        assert (recovery.severity, recovery.incident) == ("normal", None)
        assert Incident.objects.get().state == "open"

    def test_history_stays_history(self):
        down(1)
        arrive("1.3.6.1.6.3.1.1.5.4", binding(f"{PORT}.1", 1))
        ended = Incident.objects.get()
        assert ended.state == "closed"
        definitions.change(link_down(), {"severity": "critical"}, SYSTEM)
        apply(link_down())
        assert [alert.severity for alert in Alert.objects.filter(definition=link_down())] == ["critical"]
        assert Incident.objects.get() == ended
        assert Incident.objects.get().state == "closed"

    def test_what_is_no_problem_any_more_leaves_its_incident(self):
        component = make_interface(make_component("sw-01", status="normal")).component
        down(1, component)
        acknowledge(Incident.objects.all(), SYSTEM)
        definitions.change(link_down(), {"severity": "information"}, SYSTEM)
        apply(link_down())
        assert Alert.objects.get().incident is None
        assert Incident.objects.get().state == "closed"
        component.refresh_from_db()
        assert component.status == Status.NORMAL

    def test_a_job_whose_definition_is_gone_ends(self):
        mine = definitions.create(FAN, SYSTEM)
        job = reapplying.order(mine, SYSTEM)
        definitions.remove(mine, SYSTEM)
        reapplying.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.skipped) == ("done", 8)
