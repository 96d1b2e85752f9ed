"""The pages of users and access do what they show, and are closed to those who may not."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.models import AllowedAddress, ApiToken, Grant, Role
from apps.access.services import addresses
from apps.accounts.models import User
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_group, make_user, root_group

pytestmark = pytest.mark.django_db
NEW = "another long secret"


@pytest.fixture
def admin():
    return make_user("administrator", username="anna")


@pytest.fixture
def page(client: Client, admin) -> Client:
    client.force_login(admin)
    return client


@pytest.mark.parametrize("name", ["users", "user-new", "roles", "role-new", "addresses"])
@pytest.mark.parametrize("role", ["viewer", "operator", None])
def test_only_who_manages_access_sees_these_pages(client, name, role):
    client.force_login(make_user(role))
    assert client.get(reverse(f"access:{name}")).status_code == 403


def test_an_administrator_of_a_part_does_not_manage_the_whole(client):
    client.force_login(make_user("administrator", make_group()))
    assert client.get("/access/").status_code == 403


def test_a_user_is_added_with_a_role_and_can_work(page):
    tokyo = make_group("Tokyo")
    sent = {
        "username": "vera",
        "email": "vera@example.com",
        "password": NEW,
        "must_change_password": "on",
        "role": Role.objects.get(name="viewer").pk,
        "group": tokyo.pk,
    }
    assert page.post("/access/users/new/", sent)["Location"] == "/access/"
    made = User.objects.get(username="vera")
    assert made.check_password(NEW)
    assert made.must_change_password
    assert [(g.role.name, g.group) for g in made.grants.all()] == [("viewer", tokyo)]
    listed = page.get("/access/?q=tokyo").content.decode()
    assert "vera" in listed
    assert "Tokyo" in listed
    assert "vera" not in page.get("/access/?q=osaka").content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "ANNA"}, "username"),
        ({"username": "no spaces"}, "username"),
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"email": "nonsense"}, "email"),
        ({"role": "999"}, "role"),
        ({"group": "999"}, "group"),
    ],
)
def test_each_bad_field_of_a_new_user_is_named(page, change, field):
    role = Role.objects.get(name="viewer").pk
    sent = {"username": "vera", "password": NEW, "role": role, "group": root_group().pk, **change}
    answer = page.post("/access/users/new/", sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])
    assert User.objects.count() == 1


def test_a_user_is_changed_granted_and_given_a_password(page):
    vera = make_user("viewer", username="vera")
    url = f"/access/users/{vera.pk}/"
    page.post(url, {"what": "user", "username": "vera", "first_name": "Vera", "last_name": "", "email": ""})
    vera.refresh_from_db()
    assert (vera.first_name, vera.is_active) == ("Vera", False)
    tokyo = make_group("Tokyo")
    operator = Role.objects.get(name="operator")
    grant = {"what": "grant", "grant-role": operator.pk, "grant-group": tokyo.pk}
    assert page.post(url, grant).status_code == 302
    assert page.post(url, grant).status_code == 400  # twice is a mistake
    assert Grant.objects.filter(user=vera, role=operator, group=tokyo).count() == 1
    assert page.post(url, {"what": "password", "password-password": NEW}).status_code == 302
    vera.refresh_from_db()
    assert vera.check_password(NEW)
    assert page.get(url).status_code == 200


def test_setting_a_password_ends_the_sessions_of_that_user(page):
    vera = make_user("viewer", username="vera")
    hers = Client()
    hers.post("/login/", {"username": "vera", "password": PASSWORD})
    assert hers.get("/preferences/").status_code == 200
    page.post(f"/access/users/{vera.pk}/", {"what": "password", "password-password": NEW})
    assert hers.get("/preferences/").status_code == 302


def test_nobody_disables_or_removes_himself(page, admin):
    url = f"/access/users/{admin.pk}/"
    answer = page.post(url, {"what": "user", "username": "anna"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["is_active"])
    page.post(f"{url}remove/")
    page.post(reverse("access:grant-remove", args=[admin.grants.get().pk]))
    admin.refresh_from_db()
    assert admin.is_active
    assert admin.grants.count() == 1
    assert not AuditEntry.objects.filter(action__in=["user.change", "user.remove", "grant.remove"]).exists()


def test_a_user_is_removed_with_grants_and_tokens(page):
    vera = make_user("viewer", username="vera")
    page.post(f"/access/users/{vera.pk}/remove/")
    assert not User.objects.filter(username="vera").exists()
    entry = AuditEntry.objects.get(action="user.remove")
    assert (entry.actor_name, entry.object_name) == ("anna", "vera")


def test_roles_are_made_changed_and_removed_unless_they_are_held(page):
    assert page.post("/access/roles/new/", {"name": "night", "permissions": ["view", "alerts"]}).status_code == 302
    role = Role.objects.get(name="night")
    page.post(f"/access/roles/{role.pk}/", {"name": "night shift", "permissions": ["view"]})
    role.refresh_from_db()
    assert (role.name, role.permissions) == ("night shift", ["view"])
    grant = Grant.objects.create(user=make_user(None), role=role, group=root_group())
    page.post(f"/access/roles/{role.pk}/remove/")
    assert Role.objects.filter(pk=role.pk).exists()
    grant.delete()
    page.post(f"/access/roles/{role.pk}/remove/")
    assert not Role.objects.filter(pk=role.pk).exists()


def test_roles_that_come_with_the_portal_stay(page):
    viewer = Role.objects.get(name="viewer")
    make_user("viewer", username="vera")
    shown = page.get(f"/access/roles/{viewer.pk}/").content.decode()
    assert "vera" in shown
    assert 'name="permissions"' not in shown
    sent = {"name": "viewer", "permissions": ["view", "power"]}
    assert page.post(f"/access/roles/{viewer.pk}/", sent).status_code == 400
    page.post(f"/access/roles/{viewer.pk}/remove/")
    assert Role.objects.get(name="viewer").permissions == ["view"]


@pytest.mark.parametrize(("change", "field"), [({"name": ""}, "name"), ({"permissions": ["fly"]}, "permissions")])
def test_each_bad_field_of_a_role_is_named(page, change, field):
    answer = page.post("/access/roles/new/", {"name": "night", "permissions": ["view"], **change})
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])


def test_a_role_is_copied_and_its_page_says_whom_a_change_concerns(page):
    operator = Role.objects.get(name="operator")
    form = page.get(f"/access/roles/new/?copy={operator.pk}").context["form"]
    assert form["name"].value() == "Copy of Operator"
    assert form["permissions"].value() == operator.permissions
    page.post("/access/roles/new/", {"name": "Night shift", "permissions": ["view", "power"]})
    role = Role.objects.get(name="Night shift")
    make_user(None, username="vera")
    Grant.objects.create(user=User.objects.get(username="vera"), role=role, group=make_group("Tokyo"))
    shown = page.get(f"/access/roles/{role.pk}/").content.decode()
    assert "A change takes effect at once for 1 user." in shown
    assert "vera holds this role." in shown
    assert "Tokyo" in shown
    changed = page.post(f"/access/roles/{role.pk}/", {"name": "Night shift", "permissions": ["view"]}, follow=True)
    assert "The role was changed for 1 user." in changed.content.decode()


def test_nobody_adds_to_a_role_what_he_does_not_hold(client):
    half = Role.objects.create(name="Doorman", permissions=["view", "access"])
    vera = make_user(None, username="vera")
    Grant.objects.create(user=vera, role=half, group=root_group())
    client.force_login(vera)
    for permissions, field in (
        (["view", "access", "force"], "permissions"),  # he would give it to himself
        (["view"], None),  # he would leave the page that he is on
    ):
        answer = client.post(f"/access/roles/{half.pk}/", {"name": "Doorman", "permissions": permissions})
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field or "__all__"])
    half.refresh_from_db()
    assert half.permissions == ["view", "access"]


def test_addresses_are_added_and_removed(page):
    assert page.post("/access/addresses/", {"network": "192.0.2.0/24", "note": "office"}).status_code == 302
    allowed = AllowedAddress.objects.get()
    assert "192.0.2.0/24" in page.get("/access/addresses/").content.decode()
    answer = page.post("/access/addresses/", {"network": "192.0.2.0/24"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["network"])
    page.post(f"/access/addresses/{allowed.pk}/remove/")
    assert not AllowedAddress.objects.exists()
    addresses.forget()


def test_everybody_makes_tokens_of_his_own_and_sees_the_secret_once(client):
    client.force_login(make_user("viewer", username="vera"))
    answer = client.post("/access/tokens/", {"name": "script", "days": "30", "read_only": "on"})
    secret = answer.context["made"].secret
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert secret not in client.get("/access/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert (token.read_only, round((token.expires_at - token.created_at).total_seconds())) == (True, 30 * 86400)
    own = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/jobs/", headers=own).status_code == 200
    client.post(f"/access/tokens/{token.pk}/remove/")
    assert Client().get("/api/v1/jobs/", headers=own).status_code == 401


def test_nobody_removes_the_tokens_of_others(client):
    vera, otto = make_user(username="vera"), make_user("operator", username="otto")
    client.force_login(vera)
    client.post("/access/tokens/", {"name": "script", "days": "30"})
    token = ApiToken.objects.get()
    client.force_login(otto)
    assert client.post(f"/access/tokens/{token.pk}/remove/").status_code == 404
    assert ApiToken.objects.count() == 1
