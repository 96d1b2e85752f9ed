"""By which names the portal answers."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.access.services import hosts
from apps.core import options
from apps.core.actors import COMMAND
from apps.core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_name_of_tests(settings, monkeypatch) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(hosts, "_own_name", lambda: "portal1")
    monkeypatch.setattr(hosts, "full_name", lambda: "portal1.example.net")


KNOWN = """
127.0.0.1 127.0.0.1:21120 [::1] [::1]:21120 192.0.2.7 localhost localhost:1 a.localhost
portal1 PORTAL1:80 portal1.example.net portal1.example.net.
"""
UNKNOWN = """
evil.example portal1.evil.example 127.0.0.1.evil.example localhost.evil.example portal1@evil.example
evil.example:21120 portal1/ [::1 [::1].evil.example 127.0.0.1:x * . .. portal1,evil.example ポータル
evil.example#portal1 0x7f000001.evil
"""


@pytest.mark.parametrize("host", KNOWN.split())
def test_addresses_and_the_machines_own_names_are_known(client: Client, host: str) -> None:
    assert client.get("/login/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", [*UNKNOWN.split(), "", "a b", "portal1\t"])
def test_another_name_is_refused_with_a_clear_word(client: Client, host: str) -> None:
    answer = client.get("/login/", headers={"Host": host})
    assert answer.status_code == 400
    assert "is not a name of this portal" in answer.content.decode()
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_a_refusal_is_audited_once_in_a_while_for_each_address(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(hosts, "_told", {})
    for host in ("evil.example", "other.example"):
        client.get("/login/", headers={"Host": host})
    (entry,) = AuditEntry.objects.filter(action="access.host")
    assert (entry.outcome, entry.address, entry.object_name) == ("refused", "127.0.0.1", "Host: evil.example")
    monkeypatch.setattr(hosts, "TOLD_AGAIN", 0.0)
    client.get("/login/", headers={"Host": "third.example"})
    assert AuditEntry.objects.filter(action="access.host").count() == 2


def test_the_api_refuses_by_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/components/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "allowed_hosts" in answer.json()["detail"]


def test_health_is_told_under_every_name(client: Client) -> None:
    assert client.get("/healthz", headers={"Host": "balancer.example"}).content == b"ok\n"
    assert client.get("/readyz", headers={"Host": "balancer.example"}).status_code == 400


def test_the_option_adds_names_and_all_below_one(client: Client) -> None:
    options.set_value("allowed_hosts", ["cluster.example.net", ".fleet.example"], COMMAND)
    for host in ("cluster.example.net", "fleet.example", "a.b.fleet.example:443"):
        assert client.get("/login/", headers={"Host": host}).status_code == 200
    assert client.get("/login/", headers={"Host": "x.cluster.example.net"}).status_code == 400
    options.set_value("allowed_hosts", "*", COMMAND)
    assert client.get("/login/", headers={"Host": "anything.example"}).status_code == 200


def test_the_environment_wins(client: Client, monkeypatch) -> None:
    monkeypatch.setenv("ESM_ALLOWED_HOSTS", "virtual.example.net, other.example.net")
    assert client.get("/login/", headers={"Host": "other.example.net"}).status_code == 200
    with pytest.raises(ValidationError, match="ESM_ALLOWED_HOSTS in the environment decides"):
        options.set_value("allowed_hosts", [], COMMAND)


@pytest.mark.parametrize("name", ["http://a", "a:80", "a b", "a/b", "", "-a", "[::1]", "*.example.net"])
def test_what_is_no_name_is_not_set(name: str) -> None:
    with pytest.raises(ValidationError, match="is no host name"):
        options.set_value("allowed_hosts", [name], COMMAND)
    assert options.get("allowed_hosts") == []
