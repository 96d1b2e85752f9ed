"""Tokens: given once, kept as a hash, refused when wrong, expired or read-only."""

import hashlib
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.access.models import ApiToken
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


def ask(client: Client, **body):
    sent = {"username": "anna", "password": PASSWORD, "name": "script", **body}
    return client.post("/api/v1/tokens/", sent, content_type="application/json")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def anna():
    return make_user("administrator", username="anna")


@pytest.fixture
def secret(client, anna) -> str:
    return ask(client).json()["token"]


def test_a_token_is_given_once_and_only_its_hash_is_kept(client, anna):
    answer = ask(client)
    assert answer.status_code == 201
    secret = answer.json()["token"]
    token = ApiToken.objects.get()
    assert set(answer.json()) == {"id", "token"}
    assert answer.json()["id"] == token.pk
    assert len(secret) == 43  # 256 bits, base64
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert token.prefix == secret[:8]
    assert secret not in str(ApiToken.objects.values()) + str(AuditEntry.objects.values())
    assert token.expires_at - token.created_at == timedelta(days=90)
    listed = client.get("/api/v1/tokens/", headers=bearer(secret)).json()
    assert listed["count"] == 1
    assert set(listed["results"][0]) == {
        "id",
        "user",
        "name",
        "prefix",
        "read_only",
        "roles",
        "permissions",
        "groups",
        "networks",
        "created_at",
        "expires_at",
        "last_used_at",
        "last_used_from",
    }
    assert AuditEntry.objects.get(action="token.create").actor_name == "anna"


def test_the_token_opens_the_api_and_no_page(client, secret):
    assert client.get("/api/v1/users/", headers=bearer(secret)).status_code == 200
    assert client.get("/preferences/", headers=bearer(secret)).status_code == 302


@pytest.mark.one_database
@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "bearer x y", "Bearer \xff"])
def test_a_wrong_token_is_401_and_says_how_to_sign_in(client, anna, header):
    answer = client.get("/api/v1/jobs/", headers={"Authorization": header})
    assert (answer.status_code, answer["Content-Type"], answer["WWW-Authenticate"]) == (401, PROBLEM, "Bearer")


def test_no_sign_in_at_all_is_401(client):
    answer = client.get("/api/v1/jobs/")
    assert (answer.status_code, answer["Content-Type"], answer["WWW-Authenticate"]) == (401, PROBLEM, "Bearer")


def test_a_wrong_password_gives_no_token_and_is_audited(client, anna):
    answer = ask(client, password="wrong-secret-word")
    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM)
    assert not ApiToken.objects.exists()
    entry = AuditEntry.objects.get(action="token.create")
    assert (entry.outcome, entry.actor_name) == ("refused", "anna")
    assert "wrong-secret-word" not in str(AuditEntry.objects.values())


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"username": ""}, "username"),
        ({"password": ""}, "password"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-01-01T00:00:00Z"}, "expires_at"),
        ({"read_only": "perhaps"}, "read_only"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"username": "\ud800"}, "username"),
    ],
)
def test_every_bad_field_is_named(client, anna, change, field):
    answer = ask(client, **change)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not ApiToken.objects.exists()


def test_a_token_ends_when_it_expires(client, anna):
    until = timezone.now() + timedelta(hours=1)
    answer = ask(client, expires_at=until.isoformat())
    assert ApiToken.objects.get().expires_at == until
    headers = bearer(answer.json()["token"])
    assert client.get("/api/v1/jobs/", headers=headers).status_code == 200
    with time_machine.travel(until + timedelta(seconds=1)):
        assert client.get("/api/v1/jobs/", headers=headers).status_code == 401


def test_a_token_ends_with_its_user(client, anna, secret):
    anna.is_active = False
    anna.save()
    assert client.get("/api/v1/jobs/", headers=bearer(secret)).status_code == 401


def test_a_read_only_token_reads_and_does_nothing_else(client, anna):
    headers = bearer(ask(client, read_only=True).json()["token"])
    assert client.get("/api/v1/users/", headers=headers).status_code == 200
    assert client.get("/api/v1/jobs/", headers=headers).status_code == 200
    refused = client.post("/api/v1/roles/", {"name": "r", "permissions": []}, "application/json", headers=headers)
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)
    token = ApiToken.objects.get()
    assert client.delete(f"/api/v1/tokens/{token.pk}/", headers=headers).status_code == 403
    assert ApiToken.objects.count() == 1


def test_the_last_use_is_written_at_most_once_a_minute(client, secret):
    start = timezone.now().replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        for seconds, noted in ((0, 0), (59, 0), (60, 60), (90, 60)):
            clock.move_to(start + timedelta(seconds=seconds))
            client.get("/api/v1/jobs/", headers=bearer(secret))
            assert ApiToken.objects.get().last_used_at == start + timedelta(seconds=noted)


def test_others_tokens_do_not_exist_for_those_who_do_not_manage_access(client, secret):
    make_user("operator", username="otto")
    his = client.post(
        "/api/v1/tokens/", {"username": "otto", "password": PASSWORD, "name": "his"}, content_type="application/json"
    ).json()
    hers = ApiToken.objects.get(user__username="anna")
    otto = bearer(his["token"])
    assert client.get(f"/api/v1/tokens/{hers.pk}/", headers=otto).status_code == 404
    assert client.delete(f"/api/v1/tokens/{hers.pk}/", headers=otto).status_code == 404
    assert client.get("/api/v1/tokens/", headers=otto).json()["count"] == 1
    assert client.get("/api/v1/tokens/", headers=bearer(secret)).json()["count"] == 2
    assert client.delete(f"/api/v1/tokens/{his['id']}/", headers=bearer(secret)).status_code == 204
    assert client.get("/api/v1/jobs/", headers=otto).status_code == 401
    assert client.delete(f"/api/v1/tokens/{hers.pk}/", headers=bearer(secret)).status_code == 204
    assert client.get("/api/v1/jobs/", headers=bearer(secret)).status_code == 401


def test_the_session_cookie_serves_the_api_under_csrf_protection(anna):
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    assert client.get("/api/v1/users/").status_code == 200
    refused = client.post("/api/v1/roles/", {"name": "r", "permissions": []}, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)
