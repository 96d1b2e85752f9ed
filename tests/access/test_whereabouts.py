"""From where somebody may sign in, and that nobody shuts himself out of the page that he is on."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.access.models import AllowedAddress, Role, SignInRule
from apps.access.services import addresses, tokens, whereabouts
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
OFFICE, HOME = "192.0.2.9", "198.51.100.9"


@pytest.fixture(autouse=True)
def _open_to_all():
    AllowedAddress.objects.bulk_create([AllowedAddress(network="0.0.0.0/0"), AllowedAddress(network="::/0")])
    for memory in (addresses, whereabouts):
        memory.forget()
    yield
    for memory in (addresses, whereabouts):
        memory.forget()


@pytest.fixture
def anna():
    return make_user("administrator", username="anna", is_staff=True)


def from_(address: str, user) -> Actor:
    return Actor(ActorKind.USER, user.username, user, address)


@pytest.mark.parametrize("subject", ["user", "role"])
@pytest.mark.parametrize(
    ("address", "may"),
    [
        (OFFICE, True),
        ("::ffff:192.0.2.9", True),
        ("127.0.0.1", True),
        ("::1", True),
        (HOME, False),
        ("2001:db8::9", False),
    ],
)
def test_pages_api_and_tokens_keep_to_it(anna, subject, address, may):
    secret = tokens.create(anna, "script", SYSTEM).secret
    held = anna if subject == "user" else Role.objects.get(name="administrator")
    whereabouts.restrict(held, ["192.0.2.0/24"], SYSTEM)
    page = Client(REMOTE_ADDR=address)
    page.force_login(anna)
    assert page.get("/access/").status_code == (200 if may else 403)
    assert page.get("/access/").status_code == (200 if may else 302)  # signed out
    bearer = Client(REMOTE_ADDR=address, headers={"Authorization": f"Bearer {secret}"})
    assert bearer.get("/api/v1/users/").status_code == (200 if may else 403)
    sent = {"username": "anna", "password": PASSWORD, "name": "new"}
    made = Client(REMOTE_ADDR=address).post("/api/v1/tokens/", sent, content_type="application/json")
    assert made.status_code == (201 if may else 401)
    assert AuditEntry.objects.filter(action="session.refused", outcome="refused").exists() != may


def test_the_right_password_from_the_wrong_place_signs_nobody_in(anna):
    whereabouts.restrict(anna, ["192.0.2.0/24"], SYSTEM)
    for address, signed_in in ((HOME, False), (OFFICE, True)):
        browser = Client(REMOTE_ADDR=address)
        answer = browser.post("/login/", {"username": "anna", "password": PASSWORD})
        assert answer.status_code == (302 if signed_in else 400)
        assert ("_auth_user_id" in browser.session) == signed_in
    told = AuditEntry.objects.filter(object_name="anna", action__startswith="session.").order_by("pk")
    assert [(one.action, one.outcome, one.address) for one in told] == [
        ("session.refused", "refused", HOME),
        ("session.sign_in", "success", OFFICE),
    ]


def test_every_rule_that_concerns_somebody_counts(anna):
    whereabouts.restrict(anna, ["192.0.2.0/24", "198.51.100.0/24"], SYSTEM)
    whereabouts.restrict(Role.objects.get(name="administrator"), ["192.0.2.0/24"], SYSTEM)
    assert whereabouts.may_come_from(anna, OFFICE)
    assert not whereabouts.may_come_from(anna, HOME)
    assert whereabouts.may_come_from(make_user("viewer"), HOME)
    whereabouts.restrict(Role.objects.get(name="administrator"), [], SYSTEM)
    assert whereabouts.may_come_from(anna, HOME)
    assert SignInRule.objects.count() == 1


@pytest.mark.parametrize("here", [OFFICE, "::ffff:192.0.2.9"])
def test_nobody_locks_himself_out_by_a_rule(anna, here):
    actor, role = from_(here, anna), Role.objects.get(name="administrator")
    for subject in (anna, role):
        with pytest.raises(ValidationError, match="lock you out"):
            whereabouts.restrict(subject, ["198.51.100.0/24"], actor)
    assert not SignInRule.objects.exists()
    for subject in (anna, role):
        whereabouts.restrict(subject, ["192.0.2.0/24"], actor)
        with pytest.raises(ValidationError, match="lock you out"):  # narrower
            whereabouts.restrict(subject, ["192.0.2.1"], actor)
    assert {tuple(rule.networks) for rule in SignInRule.objects.all()} == {("192.0.2.0/24",)}


class TestTheLastWayIn:
    """Page, API and classic mode refuse alike, directly and behind a proxy."""

    @pytest.fixture
    def single(self) -> AllowedAddress:
        AllowedAddress.objects.all().delete()
        return addresses.allow(OFFICE, "", SYSTEM)

    @pytest.mark.parametrize(
        ("peer", "headers"),
        [
            (OFFICE, {}),
            ("::ffff:192.0.2.9", {}),
            ("203.0.113.1", {"X-Forwarded-For": OFFICE}),
            ("127.0.0.1", {"X-Forwarded-For": f"127.0.0.1, ::ffff:{OFFICE}"}),
            ("127.0.0.1", {"Forwarded": f'for="{OFFICE}:4711"'}),
        ],
    )
    def test_it_is_not_removed(self, settings, anna, single, peer, headers):
        settings.TRUSTED_PROXIES = ["203.0.113.1", "127.0.0.1"]
        client = Client(REMOTE_ADDR=peer, headers=headers)
        client.force_login(anna)
        page = client.post(f"/access/addresses/{single.pk}/remove/", follow=True)
        assert "lock you out" in page.content.decode()
        assert client.delete(f"/api/v1/addresses/{single.pk}/").status_code == 400
        settings.ROOT_URLCONF = "esm.classic_urls"
        client.post(f"/access/allowedaddress/{single.pk}/delete/", {"post": "yes"})
        client.post(
            "/access/allowedaddress/", {"action": "delete_selected", "_selected_action": [single.pk], "post": "yes"}
        )
        assert list(AllowedAddress.objects.all()) == [single]
        assert not AuditEntry.objects.filter(action="address.disallow").exists()

    @pytest.mark.parametrize("forged", [{"X-Forwarded-For": "192.0.2.200"}, {"Forwarded": "for=192.0.2.200"}])
    def test_what_a_stranger_forwards_does_not_help(self, anna, single, forged):
        addresses.allow("192.0.2.200", "", SYSTEM)
        client = Client(REMOTE_ADDR=OFFICE, headers=forged)
        client.force_login(anna)
        assert client.delete(f"/api/v1/addresses/{single.pk}/").status_code == 400
        assert AllowedAddress.objects.filter(pk=single.pk).exists()


def test_an_ipv4_prefix_written_as_ipv6_is_what_it_is():
    AllowedAddress.objects.all().delete()
    made = addresses.allow("::ffff:192.0.2.0/120", "", SYSTEM)
    assert made.network == "192.0.2.0/24"
    assert Client().get("/login/", REMOTE_ADDR=OFFICE).status_code == 200
    with pytest.raises(ValidationError):
        addresses.allow("192.0.2.0/24", "", SYSTEM)


def test_pages_and_api_set_it(anna):
    client = Client(REMOTE_ADDR=OFFICE)
    client.force_login(anna)
    vera, role = make_user("viewer", username="vera"), Role.objects.get(name="viewer")
    for url in (f"/access/users/{vera.pk}/", f"/access/roles/{role.pk}/"):
        sent = {"what": "where", "whereabouts-networks": "192.0.2.0/24 2001:db8::/64"}
        assert client.post(url, sent).status_code == 302
        assert "2001:db8::/64" in client.get(url).content.decode()
        assert client.post(url, {**sent, "whereabouts-networks": "here"}).status_code == 400
    rules = client.get("/api/v1/sign-in-rules/").json()["results"]
    assert [(one["user"], one["role"], one["networks"]) for one in rules] == [
        (vera.pk, None, ["192.0.2.0/24", "2001:db8::/64"]),
        (None, role.pk, ["192.0.2.0/24", "2001:db8::/64"]),
    ]
    url = f"/api/v1/sign-in-rules/{rules[0]['id']}/"
    changed = client.patch(url, {"networks": ["192.0.2.7"]}, content_type="application/json")
    assert (changed.status_code, changed.json()["networks"]) == (200, ["192.0.2.7"])
    for wrong, field in (({"networks": []}, "networks"), ({"user": anna.pk}, "user"), ({"from": "x"}, "from")):
        answer = client.patch(url, wrong, content_type="application/json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    own = {"user": anna.pk, "networks": [HOME]}
    answer = client.post("/api/v1/sign-in-rules/", own, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["networks"])
    assert client.delete(url).status_code == 204
    assert SignInRule.objects.count() == 1
