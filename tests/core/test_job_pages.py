"""The pages of jobs: who sees which, what a target's result looks like, and who may cancel."""

import pytest
from django.urls import reverse

from apps.core import jobs
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobState, StepCode, StepState
from apps.core.phrases import Phrase
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db


def start(user, *groups) -> Job:
    """Start a job with one target a group."""
    steps = [jobs.NewStep(f"target of {group}", group=group.pk) for group in groups]
    return jobs.create("check", Phrase("Check of connections"), steps, Actor(ActorKind.USER, user.username, user))


def test_a_job_is_seen_by_its_owner_and_by_who_may_see_a_target(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    owner, neighbour, stranger = (make_user("operator", tokyo), make_user("viewer", tokyo), make_user("viewer", osaka))
    job = start(owner, tokyo)
    for user, status in ((owner, 200), (neighbour, 200), (stranger, 404)):
        client.force_login(user)
        assert client.get(job.get_absolute_url()).status_code == status
        listed = client.get(reverse("jobs:list")).context["page"].object_list
        assert [row.pk for row in listed] == ([job.pk] if status == 200 else [])


def test_a_neighbour_sees_only_the_targets_of_his_groups(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    job = start(make_user("administrator"), tokyo, osaka)
    client.force_login(make_user("viewer", tokyo))
    text = client.get(job.get_absolute_url()).content.decode()
    assert "target of Tokyo" in text
    assert "target of Osaka" not in text


def test_a_failed_target_says_where_why_and_what_to_do(client):
    group = make_group("Tokyo")
    owner = make_user("operator", group)
    job = start(owner, group)
    step = jobs.claim(job.steps.get().pk)
    jobs.finish(
        step,
        StepState.FAILED,
        code=StepCode.UNREACHABLE,
        stage="sign-in",
        message=Phrase("%(address)s stays silent", {"address": "192.0.2.1"}),
        remedy=Phrase("Compare the community."),
    )
    client.force_login(owner)
    text = client.get(job.get_absolute_url()).content.decode()
    for words in ("Failed", "Sign-in", "192.0.2.1 stays silent", "Compare the community.", "1 of 1 finished"):
        assert words in text


def test_only_the_owner_or_an_administrator_of_all_targets_cancels(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    job = start(make_user("operator", tokyo), tokyo, osaka)
    url = reverse("jobs:cancel", args=[job.pk])
    client.force_login(make_user("administrator", tokyo))
    client.post(url)
    job.refresh_from_db()
    assert job.state == JobState.WAITING
    client.force_login(make_user("administrator"))
    client.post(url)
    job.refresh_from_db()
    assert (job.state, job.finished) == (JobState.CANCELLED, 2)
    assert client.get(url).status_code == 405


def test_the_list_is_cut_by_state(client):
    group = make_group("Tokyo")
    owner = make_user("operator", group)
    done, waiting = start(owner), start(owner, group)
    client.force_login(owner)
    page = client.get(f"{reverse('jobs:list')}?state=open")
    assert [job.pk for job in page.context["page"].object_list] == [waiting.pk]
    assert {str(tab.label): tab.count for tab in page.context["tabs"]} == {
        "All": 2,
        "In progress": 1,
        "Failed": 0,
        "Done": 1,
        "Cancelled": 0,
    }
    assert done.state == JobState.DONE
