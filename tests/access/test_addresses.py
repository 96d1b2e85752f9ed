"""Who may connect, and how the client is found behind proxies."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.access.models import AllowedAddress
from apps.access.services import addresses
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PROXY = "198.51.100.7"


@pytest.fixture(autouse=True)
def _fresh_addresses():
    addresses.forget()
    yield
    addresses.forget()


@pytest.fixture
def proxied(settings):
    settings.TRUSTED_PROXIES = [PROXY, "127.0.0.1", "10.8.0.0/16"]


def get(client: Client, address: str, **headers: str):
    return client.get("/login/", REMOTE_ADDR=address, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_machine_itself_always_connects(client, address):
    assert get(client, address).status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.5", "2001:db8::5", "::ffff:192.0.2.5", "fe80::1%eth0", "", "nonsense"])
def test_everybody_else_is_refused_until_somebody_adds_him(client, address):
    answer = get(client, address)
    assert answer.status_code == 403
    assert 'name="password"' not in answer.content.decode()


def test_the_api_and_static_files_refuse_as_well(client):
    answer = client.get("/api/v1/jobs/", REMOTE_ADDR="192.0.2.5")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["status"] == 403
    assert client.get("/static/css/app.css", REMOTE_ADDR="192.0.2.5").status_code == 403


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("192.0.2.5", "192.0.2.5", "192.0.2.6"),
        ("192.0.2.0/24", "::ffff:192.0.2.200", "192.0.3.1"),
        ("2001:db8::/64", "2001:db8::77", "2001:db8:0:1::1"),
        ("fe80::/10", "fe80::1%eth0", "192.0.2.1"),
    ],
)
def test_adding_an_address_opens_the_portal_to_it_alone(client, network, inside, outside):
    addresses.allow(network, "office", SYSTEM)
    assert get(client, inside).status_code == 200
    assert get(client, outside).status_code == 403
    entry = AuditEntry.objects.get(action="address.allow")
    assert entry.after == {"network": network, "note": "office"}


@pytest.mark.parametrize("network", ["192.0.2.300", "192.0.2.5/24", "::/200", "host", ""])
def test_what_is_no_address_is_refused(network):
    with pytest.raises(ValidationError) as caught:
        addresses.allow(network, "", SYSTEM)
    assert list(caught.value.message_dict) == ["network"]
    assert not AllowedAddress.objects.exists()


def test_removing_an_address_closes_the_portal_again(client):
    allowed = addresses.allow("192.0.2.5", "", SYSTEM)
    assert get(client, "192.0.2.5").status_code == 200
    addresses.disallow(allowed, SYSTEM)
    assert get(client, "192.0.2.5").status_code == 403


def test_nobody_locks_himself_out():
    user = make_user("administrator")
    actor = Actor(ActorKind.USER, user.username, user, "192.0.2.5")
    single = addresses.allow("192.0.2.5", "", SYSTEM)
    with pytest.raises(ValidationError, match="lock you out"):
        addresses.disallow(single, actor)
    assert AllowedAddress.objects.filter(pk=single.pk).exists()
    addresses.allow("192.0.2.0/24", "", SYSTEM)
    addresses.disallow(single, actor)
    assert not AllowedAddress.objects.filter(pk=single.pk).exists()


def test_a_proxy_that_nobody_told_of_is_refused_with_the_reason(client):
    answer = get(client, "127.0.0.1", X_Forwarded_For="192.0.2.5")
    assert answer.status_code == 403
    assert "ESM_TRUSTED_PROXIES" in answer.content.decode()
    assert get(client, "::1", Forwarded="for=192.0.2.5").status_code == 403


def test_a_stranger_is_not_believed_what_he_forwards(client):
    assert get(client, "192.0.2.5", X_Forwarded_For="127.0.0.1").status_code == 403


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize(
    ("peer", "headers", "client_address"),
    [
        (PROXY, {"X-Forwarded-For": "192.0.2.5"}, "192.0.2.5"),
        (PROXY, {"X-Forwarded-For": "127.0.0.1, 192.0.2.5"}, "192.0.2.5"),
        (PROXY, {"X-Forwarded-For": "192.0.2.5, 10.8.1.1"}, "192.0.2.5"),
        ("127.0.0.1", {"X-Forwarded-For": "2001:db8::5"}, "2001:db8::5"),
        ("::ffff:198.51.100.7", {"X-Forwarded-For": "::ffff:192.0.2.5"}, "192.0.2.5"),
        (PROXY, {"Forwarded": 'for="[2001:db8::5]:4711";proto=https'}, "2001:db8::5"),
        (PROXY, {"Forwarded": "for=192.0.2.5:80, for=10.8.1.1"}, "192.0.2.5"),
        (PROXY, {"Forwarded": "For=192.0.2.5", "X-Forwarded-For": "192.0.2.5"}, "192.0.2.5"),
    ],
)
def test_a_trusted_proxy_says_who_the_client_is(client, peer, headers, client_address):
    addresses.allow(client_address, "", SYSTEM)
    user = make_user("viewer")
    answer = client.post(
        "/login/", {"username": user.username, "password": PASSWORD}, REMOTE_ADDR=peer, headers=headers
    )
    assert answer.status_code == 302
    assert AuditEntry.objects.get(action="session.sign_in").address == client_address


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.99"},
        {"X-Forwarded-For": "127.0.0.1, 192.0.2.99"},
        {"X-Forwarded-For": "unknown"},
        {"Forwarded": "for=_hidden"},
        {"Forwarded": "for=127.0.0.1", "X-Forwarded-For": "192.0.2.99"},
        {"X-Forwarded-Proto": "https"},
    ],
)
def test_behind_a_trusted_proxy_the_client_must_be_known_and_allowed(client, headers):
    assert client.get("/login/", REMOTE_ADDR=PROXY, headers=headers).status_code == 403


@pytest.mark.usefixtures("proxied")
def test_the_scheme_is_the_one_that_the_browser_speaks_with_the_proxy(client):
    addresses.allow("192.0.2.5", "", SYSTEM)
    headers = {"X-Forwarded-For": "192.0.2.5", "X-Forwarded-Proto": "https"}
    assert client.get("/login/", REMOTE_ADDR=PROXY, headers=headers).wsgi_request.is_secure()
    del headers["X-Forwarded-Proto"]
    assert not client.get("/login/", REMOTE_ADDR=PROXY, headers=headers).wsgi_request.is_secure()
