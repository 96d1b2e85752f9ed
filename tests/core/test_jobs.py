"""Jobs count right, are claimed once, are cancelled, and never stay open for ever."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.core import jobs
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.jobs import JobKind, NewStep
from apps.core.models import AuditEntry, Job, JobState, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db
STARTED: list[int] = []
TIMES = {"started_at", "finished_at"}
COUNTS = {"total", "finished", "failed", "skipped"}
JOB_FIELDS = {"id", "kind", "state", "steps_url", "created_by", "created_at", "consequences"} | COUNTS | TIMES
STEP_FIELDS = {"id", "component", "interface", "target", "state", "stage", "code", "message", "remedy"} | TIMES


@pytest.fixture(autouse=True)
def _kinds() -> Iterator[None]:
    STARTED.clear()
    for name, changes in (("test.look", False), ("test.change", True)):
        jobs.kinds._entries[name] = JobKind(name, name, STARTED.append, changes_devices=changes)
    yield
    for name in ("test.look", "test.change"):
        del jobs.kinds._entries[name]


def make_job(number: int = 2, kind: str = "test.look", actor: Actor = SYSTEM) -> Job:
    return jobs.create(kind, Phrase("Look"), [NewStep(f"target {n}") for n in range(number)], actor)


def steps(job: Job) -> list[JobStep]:
    return list(job.steps.order_by("pk"))


def counts(job: Job) -> tuple[str, int, int, int, int]:
    job.refresh_from_db()
    return job.state, job.total, job.finished, job.failed, job.skipped


def test_a_job_starts_after_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = make_job()
        assert STARTED == []
    assert [job.pk] == STARTED
    assert counts(job) == ("waiting", 2, 0, 0, 0)


def test_a_job_without_steps_is_done_at_once():
    job = make_job(0)
    assert counts(job) == ("done", 0, 0, 0, 0)
    assert job.finished_at is not None


def test_a_step_is_claimed_once():
    step = steps(make_job())[0]
    assert jobs.claim(step.pk) is not None
    assert jobs.claim(step.pk) is None


def test_one_done_step_makes_a_done_job():
    job = make_job(3)
    one, two, three = (jobs.claim(step.pk) for step in steps(job))
    jobs.finish(one, StepState.DONE)
    assert counts(job) == ("running", 3, 1, 0, 0)
    jobs.finish(two, StepState.FAILED, code=StepCode.UNREACHABLE, stage="route")
    jobs.finish(three, StepState.SKIPPED, code=StepCode.UNSUPPORTED)
    assert counts(job) == ("done", 3, 3, 1, 1)
    assert not jobs.finish(three, StepState.DONE)
    assert counts(job) == ("done", 3, 3, 1, 1)


def test_a_job_whose_every_step_failed_has_failed():
    job = make_job(2)
    for step in steps(job):
        jobs.finish(jobs.claim(step.pk), StepState.FAILED)
    assert counts(job) == ("failed", 2, 2, 2, 0)


def test_cancelling_stops_what_waits_and_lets_end_what_runs():
    job = make_job(3)
    running = jobs.claim(steps(job)[0].pk)
    assert jobs.cancel(job, SYSTEM)
    assert counts(job) == ("cancelling", 3, 2, 0, 0)
    assert jobs.claim(steps(job)[1].pk) is None
    jobs.finish(running, StepState.DONE)
    assert counts(job) == ("cancelled", 3, 3, 0, 0)
    assert not jobs.cancel(job, SYSTEM)
    assert AuditEntry.objects.filter(action="job.cancel").count() == 1


@pytest.mark.parametrize(("kind", "remedy"), [("test.change", jobs.LOOK_FIRST), ("test.look", jobs.CHECK_WORKERS)])
def test_a_step_whose_worker_died_is_failed_with_outcome_unknown(kind, remedy):
    job = make_job(1, kind)
    step = jobs.claim(steps(job)[0].pk)
    assert jobs.watch() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert jobs.watch() == 1
    step.refresh_from_db()
    assert (step.state, step.code, step.remedy) == ("failed", "outcome_unknown", remedy)
    assert counts(job) == ("failed", 1, 1, 1, 0)
    assert not jobs.finish(step, StepState.DONE)  # the worker lives after all, and comes too late


def test_another_worker_goes_on_with_what_waits_behind_a_step_whose_worker_died():
    job = make_job(3)
    jobs.finish(jobs.claim(steps(job)[0].pk), StepState.DONE)
    jobs.claim(steps(job)[1].pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert jobs.watch() == 1
        assert [job.pk] == STARTED
        assert jobs.watch() == 0
    assert [job.pk] == STARTED
    assert counts(job) == ("running", 3, 2, 1, 0)
    jobs.finish(jobs.claim(steps(job)[2].pk), StepState.DONE)
    assert counts(job) == ("done", 3, 3, 1, 0)


def test_a_job_that_nobody_takes_up_is_ended():
    job = make_job(2)
    with time_machine.travel(timezone.now() + timedelta(minutes=9)):
        assert jobs.watch() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert jobs.watch() == 2
        assert jobs.watch() == 0
    assert counts(job) == ("failed", 2, 2, 2, 0)


def test_old_jobs_are_forgotten_and_others_kept():
    old, running = make_job(0), make_job(1)
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        new = make_job(0)
        jobs.remove_old(90)
    assert set(Job.objects.values_list("pk", flat=True)) == {running.pk, new.pk}
    assert not Job.objects.filter(pk=old.pk).exists()


class TestApi:
    """What programs see of jobs."""

    def test_a_job_has_the_fixed_shape(self, client):
        user = make_user("viewer", username="vera")
        job = make_job(2, actor=Actor(ActorKind.USER, "vera", user))
        client.force_login(user)
        body = client.get(f"/api/v1/jobs/{job.pk}/").json()
        assert set(body) == JOB_FIELDS
        assert (body["state"], body["total"], body["created_by"]) == ("waiting", 2, "vera")
        found = client.get(body["steps_url"] + "?limit=1").json()
        assert (found["count"], len(found["results"]), found["previous"]) == (2, 1, None)
        assert client.get(found["next"]).json()["results"][0]["target"] == "target 1"
        assert set(found["results"][0]) == STEP_FIELDS

    def test_cancelling_is_accepted_once(self, client):
        user = make_user("viewer")
        job = make_job(1, actor=Actor(ActorKind.USER, user.username, user))
        client.force_login(user)
        answer = client.post(f"/api/v1/jobs/{job.pk}/cancel/")
        assert (answer.status_code, answer.json()["job"]) == (202, job.pk)
        assert client.get(answer.json()["url"]).json()["state"] == "cancelled"
        assert client.post(f"/api/v1/jobs/{job.pk}/cancel/").status_code == 409

    def test_others_jobs_exist_only_where_one_may_look(self, client):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        ours, theirs = make_component("alpha", tokyo), make_component("beta", osaka)
        both = jobs.create(
            "test.look",
            Phrase("Look"),
            [NewStep("alpha", component=ours.pk, group=tokyo.pk), NewStep("beta", component=theirs.pk, group=osaka.pk)],
            SYSTEM,
        )
        hidden = jobs.create("test.look", Phrase("Look"), [NewStep("beta", group=osaka.pk)], SYSTEM)
        client.force_login(make_user("operator", tokyo))
        assert [row["id"] for row in client.get("/api/v1/jobs/").json()["results"]] == [both.pk]
        assert client.get(f"/api/v1/jobs/{hidden.pk}/").status_code == 404
        assert [row["target"] for row in client.get(f"/api/v1/jobs/{both.pk}/steps/").json()["results"]] == ["alpha"]
        assert client.post(f"/api/v1/jobs/{both.pk}/cancel/").status_code == 403
        both.refresh_from_db()
        assert both.state == JobState.WAITING

    def test_filters_are_strict_about_values(self, client):
        client.force_login(make_user("viewer"))
        make_job(0)
        for query, field in (
            ("state=gone", "state"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("page=x", "page"),
        ):
            answer = client.get(f"/api/v1/jobs/?{query}")
            assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
        assert client.get("/api/v1/jobs/?page=99").json()["results"] == []
        assert client.get("/api/v1/jobs/?state=done&state=failed&kind=test.look").status_code == 200


def test_a_job_counts_what_its_reader_sees(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    targets = [NewStep("t1", group=tokyo.pk), NewStep("t2", group=tokyo.pk), NewStep("o", group=osaka.pk)]
    starter = make_user("operator", osaka, username="otto")
    job = jobs.create("test.look", Phrase("Look"), targets, Actor(ActorKind.USER, "otto", starter))
    for target, state in (("t1", StepState.DONE), ("o", StepState.FAILED)):
        step = jobs.claim(job.steps.get(target=target).pk)
        jobs.finish(step, state)
    told = {}
    readers = {"root": make_user("viewer"), "tokyo": make_user("viewer", tokyo), "osaka": make_user("viewer", osaka)}
    for name, user in {**readers, "starter": starter}.items():
        client.force_login(user)
        (listed,) = client.get("/api/v1/jobs/").json()["results"]
        assert client.get(f"/api/v1/jobs/{job.pk}/").json() == listed
        told[name] = (listed["total"], listed["finished"], listed["failed"], listed["skipped"])
        assert f"{told[name][1]} / {told[name][0]}" in client.get("/jobs/").content.decode()
    assert told == {"root": (3, 2, 1, 0), "tokyo": (2, 1, 0, 0), "osaka": (1, 1, 1, 0), "starter": (3, 2, 1, 0)}
