"""Who gets to see health and metrics, and what they say when something behind the portal is down."""

import time

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from apps.access.services import tokens
from apps.core.actors import COMMAND
from apps.core.models import Job
from apps.system import beat, broker, views
from tests.factories import make_user

ELSEWHERE = "192.0.2.7"


@pytest.fixture
def answering(monkeypatch):
    monkeypatch.setattr(broker, "answers", lambda: True)
    cache.set(beat.HEARTBEAT_KEY, time.time())
    yield monkeypatch
    cache.delete(beat.HEARTBEAT_KEY)


def test_health_needs_neither_sign_in_nor_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_names_the_part_that_failed(answering, client: Client) -> None:
    assert client.get("/readyz").content == b"database ok\nbroker ok\nbeat ok\n"
    cache.set(beat.HEARTBEAT_KEY, time.time() - beat.HEARTBEAT_LOST - 1)
    late = client.get("/readyz")
    assert (late.status_code, late.content) == (503, b"database ok\nbroker ok\nbeat failed\n")
    answering.setattr(broker, "answers", lambda: False)
    assert client.get("/readyz").content == b"database ok\nbroker failed\nbeat failed\n"


@pytest.mark.django_db
@pytest.mark.parametrize("view", [views.readyz, views.metrics])
def test_another_machine_needs_a_valid_token(answering, rf: RequestFactory, view) -> None:
    assert view(rf.get("/", REMOTE_ADDR=ELSEWHERE)).status_code == 401
    wrong = rf.get("/", REMOTE_ADDR=ELSEWHERE, headers={"Authorization": "Bearer not-a-token"})
    assert view(wrong).status_code == 401
    user = make_user("viewer", username="monitor")
    secret = tokens.create(user, "prometheus", COMMAND).secret
    right = rf.get("/", REMOTE_ADDR=ELSEWHERE, headers={"Authorization": f"Bearer {secret}"})
    assert view(right).status_code == 200


@pytest.mark.django_db
def test_a_metric_has_its_type_and_labels(answering, client: Client) -> None:
    Job.objects.create(kind="check", title="Check", created_by_name="nobody")
    lines = client.get("/metrics").content.decode().splitlines()
    assert "# TYPE esm_interfaces_due gauge" in lines
    assert "esm_interfaces_due 0" in lines
    assert 'esm_jobs{state="waiting"} 1' in lines
