"""Refusals are written down, and nobody fills the disk with them."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as NoCache

from apps.access.services import tokens
from apps.core import audit, options
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.audit import refusals
from apps.core.models import AuditEntry, FoldedRefusals, Outcome
from tests.factories import PASSWORD, make_component, make_group, make_user

pytestmark = pytest.mark.django_db


def refuse(address: str, number: int = 1, action: str = "session.sign_in") -> None:
    for n in range(number):
        actor = Actor(ActorKind.USER, f"guess{n}", None, address)
        audit.record(actor, action, name=actor.name, outcome=Outcome.REFUSED)


def written(**wanted: object) -> int:
    return AuditEntry.objects.filter(**wanted).count()


class TestFolding:
    """The first of a kind from one network are written, the rest is counted and told when the hour is over."""

    def test_thirty_an_hour_are_written_and_the_rest_is_told_once(self):
        refuse("192.0.2.1", 1000)
        assert written(address="192.0.2.1") == 30
        refuse("192.0.2.2", 2)
        refuse("192.0.2.1", 2, "access.ask")
        assert written() == 34
        assert refusals.close_ended() == 0
        later = timezone.now() + timedelta(hours=1, seconds=1)
        assert refusals.close_ended(later) == 1
        told = AuditEntry.objects.get(actor_kind="system")
        assert (told.action, told.address, told.outcome) == ("session.sign_in", "192.0.2.1", "refused")
        assert (told.object_name, told.after["more"]) == ("192.0.2.1/32", 970)
        assert not FoldedRefusals.objects.exists()
        refuse("192.0.2.1")
        assert written() == 36

    def test_what_one_subscriber_has_of_ipv6_is_one_network(self):
        for number in range(100):
            refuse(f"2001:db8:0:1::{number:x}")
        assert written() == 30
        refuse("2001:db8:0:2::1")
        assert written() == 31

    def test_from_however_many_networks_there_is_a_bound(self):
        for number in range(1000):
            refuse(f"10.0.{number // 250}.{number % 250}")
        assert written() == refusals.ALONE_AT_ALL == 600
        refusals.close_ended(timezone.now() + timedelta(hours=2))
        told = AuditEntry.objects.get(actor_kind="system")
        assert (told.address, told.object_name, told.after["more"]) == (None, "*", 400)

    def test_a_folded_refusal_writes_nothing_at_all(self, django_assert_num_queries):
        refuse("192.0.2.1", 40)
        with django_assert_num_queries(0):
            refuse("192.0.2.1", 50)

    def test_a_success_is_always_written(self):
        for _number in range(50):
            audit.record(SYSTEM, "test.act")
        assert written() == 50

    def test_without_the_cache_every_refusal_is_written(self, monkeypatch):
        def away(*args: object, **kwargs: object) -> None:
            raise NoCache("away")

        monkeypatch.setattr(cache, "add", away)
        refuse("192.0.2.1", 40)
        assert written() == 40


class TestRequests:
    """What pages and the API refuse."""

    def test_a_change_without_the_permission(self, client: Client):
        group = make_group("Tokyo")
        component = make_component("web-01", group)
        client.force_login(make_user("viewer", group, username="looker"))
        answer = client.patch(f"/api/v1/components/{component.pk}/", {"alias": "x"}, content_type="application/json")
        assert answer.status_code == 403
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.outcome, entry.actor_name) == ("access.ask", "refused", "looker")
        assert entry.request == entry.object_name == f"PATCH /api/v1/components/{component.pk}/"
        assert (entry.address, entry.after) == ("127.0.0.1", {"status": 403})

    def test_a_change_of_what_one_may_not_see(self, client: Client):
        hidden = make_component("hidden", make_group("Osaka"))
        client.force_login(make_user("operator", make_group("Tokyo")))
        assert client.delete(f"/api/v1/components/{hidden.pk}/").status_code == 404
        assert client.get(f"/api/v1/components/{hidden.pk}/").status_code == 404  # looking is no change
        assert client.post("/no-such-page/").status_code == 404  # nor is this an address of the portal
        entry = AuditEntry.objects.get()
        assert (entry.request, entry.after) == (f"DELETE /api/v1/components/{hidden.pk}/", {"status": 404})

    def test_a_page_without_the_permission(self, client: Client):
        client.force_login(make_user("viewer"))
        assert client.get("/access/").status_code == 403
        assert AuditEntry.objects.get().request == "GET /access/"

    def test_a_forged_a_read_only_and_a_removed_token(self, client: Client):
        user = make_user("administrator", username="boss")
        made = tokens.create(user, "script", SYSTEM, limits=tokens.Limits(read_only=True))
        AuditEntry.objects.count()

        def ask(secret: str) -> int:
            answer = client.post(
                "/api/v1/groups/", {"name": "x"}, "application/json", headers={"Authorization": f"Bearer {secret}"}
            )
            return int(answer.status_code)

        assert ask("a-secret-that-is-no-token") == 401
        assert ask(made.secret) == 403
        tokens.remove(made.token, SYSTEM)
        assert ask(made.secret) == 401
        found = AuditEntry.objects.filter(action="token.use").order_by("pk")
        assert [one.after["status"] for one in found] == [401, 403, 401]
        assert {one.outcome for one in found} == {"refused"}
        assert [one.login for one in found] == ["", "boss", ""]
        assert "a-secret-that-is-no-token" not in repr(list(AuditEntry.objects.values()))
        assert made.secret not in repr(list(AuditEntry.objects.values()))

    def test_a_refused_sign_in_and_one_that_is_not(self, client: Client):
        make_user("viewer", username="looker")
        client.post("/login/", {"username": "looker", "password": "wrong-wrong"})
        client.post("/login/", {"username": "looker", "password": PASSWORD})
        found = AuditEntry.objects.order_by("pk").values_list("action", "actor_name", "outcome")
        assert list(found) == [("session.sign_in", "looker", "refused"), ("session.sign_in", "looker", "success")]
        assert "wrong-wrong" not in repr(list(AuditEntry.objects.values()))

    def test_an_address_that_may_not_connect(self, client: Client):
        for _number in range(40):
            assert client.get("/", REMOTE_ADDR="198.51.100.7").status_code == 403
        found = AuditEntry.objects.filter(action="address.connect", outcome="refused")
        assert found.count() == 30
        assert {one.address for one in found} == {"198.51.100.7"}
        assert client.get("/", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
        assert AuditEntry.objects.order_by("-pk").first().address == "127.0.0.1"


def test_a_secret_option_that_is_shown_is_written_down_once_in_a_while(client: Client):
    client.force_login(make_user("administrator", username="boss"))
    client.get("/api/v1/options/")
    assert not AuditEntry.objects.exists()  # nothing secret is set
    options.set_value("trap_communities", ["hidden-word"], SYSTEM)
    for path in ("", "trap_communities/", "auto_logout/", ""):
        assert client.get(f"/api/v1/options/{path}").status_code == 200
    entry = AuditEntry.objects.get(action="option.read")
    assert (entry.actor_name, entry.object_name) == ("boss", "trap_communities")
    assert "hidden-word" not in repr(list(AuditEntry.objects.values()))
