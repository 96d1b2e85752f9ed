"""The page and the API resource of alert reception."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.alerts.models import Count, Counter
from apps.alerts.services import reception
from apps.core import secrets
from tests.factories import make_credential, make_group, make_user

pytestmark = pytest.mark.django_db

ENGINE_ID = "80001f8805000102030405060708090a0b"


@pytest.fixture
def alive():
    reception.note_alive(["0.0.0.0:162", "[::1]:162"], 7, True, ENGINE_ID, 12)
    yield
    cache.delete(reception.HEARTBEAT)


@pytest.fixture
def anna(client):
    client.force_login(make_user("administrator"))
    return client


@pytest.mark.usefixtures("alive")
def test_the_page_tells_engine_counters_and_users_without_secrets(anna):
    make_credential("snmp-v3", name="Switches")
    now = timezone.now()
    Counter.objects.create(name=Count.WRONG_DIGEST, value=1234, changed_at=now)
    Counter.objects.create(name=Count.REFUSED, value=9, changed_at=now - timedelta(days=2))
    text = anna.get("/alerts/reception/").content.decode()
    for shown in (
        "receives",
        "UDP 0.0.0.0:162",
        ENGINE_ID,
        "Refused: authentication password or protocol",
        "1,234",
        "watcher",
        "Switches",
        "SHA-256",
        "AES-128",
        "noAuthNoPriv",
    ):
        assert shown in text, shown
    assert text.count("never") >= len(Count) - 2
    (row,) = re.findall(r'<tr id="count-wrong-digest">.*?</tr>', text, re.DOTALL)
    assert "st-w" in row
    assert "st-w" not in text.replace(row, "")
    assert "auth-secret" not in text
    assert "priv-secret" not in text
    part = anna.get("/alerts/reception/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert ENGINE_ID in part


def test_without_a_sign_of_life_nothing_is_made_up(anna):
    cache.delete(reception.HEARTBEAT)
    text = anna.get("/alerts/reception/").content.decode()
    assert "gave no sign of life for 30 seconds" in text
    assert text.count("not known") == 5
    assert "No SNMP v3 user yet" in text


def test_users_are_those_of_the_groups_in_which_one_may_enter_credentials(client):
    ours, theirs = make_group("ours"), make_group("theirs")
    make_credential("snmp-v3", group=ours, username="ours-user")
    make_credential("snmp-v3", group=theirs, username="theirs-user")
    client.force_login(make_user("administrator", group=ours))
    text = client.get("/alerts/reception/").content.decode()
    assert "ours-user" in text
    assert "theirs-user" not in text
    client.force_login(make_user("viewer"))
    assert client.get("/alerts/reception/").status_code == 403
    assert client.get("/api/v1/reception/").status_code == 403


def test_a_credential_of_another_key_file_is_named_as_such(anna, monkeypatch):
    make_credential("snmp-v3", name="Old one")

    def failing(text: str) -> str:
        raise secrets.Undecipherable

    monkeypatch.setattr(secrets, "decrypt", failing)
    text = anna.get("/alerts/reception/").content.decode()
    assert "Old one" in text
    assert "not decipherable with this key file" in text


@pytest.mark.usefixtures("alive")
def test_the_api_tells_the_same(anna):
    told = anna.get("/api/v1/reception/").json()
    assert told["counts"] == dict.fromkeys(Count.values, 0)
    assert {name: told[name] for name in ("addresses", "waiting", "storing", "engine_id", "engine_boots")} == {
        "addresses": ["0.0.0.0:162", "[::1]:162"],
        "waiting": 7,
        "storing": True,
        "engine_id": ENGINE_ID,
        "engine_boots": 12,
    }
    assert anna.get("/api/v1/reception/?x=1").status_code == 400
    cache.delete(reception.HEARTBEAT)
    silent = anna.get("/api/v1/reception/").json()
    assert (silent["seen_at"], silent["storing"], silent["engine_id"]) == (None, None, None)
