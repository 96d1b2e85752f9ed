"""Classic mode shows what is visible, allows what is permitted, and works through the services."""

import pytest
from django.contrib import admin
from django.test import Client

from apps.access.models import AllowedAddress, ApiToken, Grant, Role
from apps.accounts.models import User
from apps.components.models import Component, Credential, CredentialVersion
from apps.core import audit, options
from apps.core.actors import SYSTEM
from apps.core.classic import ScopedAdmin
from apps.core.models import AuditEntry, Job
from apps.groups.models import Group
from tests.factories import make_component, make_credential, make_group, make_user, root_group

pytestmark = pytest.mark.django_db
NEW = "another long secret"


@pytest.fixture(autouse=True)
def _classic(settings):
    settings.ROOT_URLCONF = "esm.classic_urls"


@pytest.fixture
def admin_client(client: Client) -> Client:
    client.force_login(make_user("administrator", username="anna", is_staff=True))
    return client


@pytest.fixture
def tokyo() -> Group:
    return make_group("Tokyo")


def errors_of(answer) -> list[str]:
    return list(answer.context["adminform"].form.errors)


def test_every_page_of_ours_goes_through_the_base_class():
    ours = [model for model in admin.site._registry if model.__module__.startswith("apps.")]
    assert {Component, Credential, Group, User, Role, Grant, Job, AuditEntry} <= set(ours)
    assert all(isinstance(admin.site._registry[model], ScopedAdmin) for model in ours)


def test_every_list_and_form_opens(admin_client, tokyo):
    component = make_component("alpha", tokyo)
    credential = make_credential(group=tokyo)
    assert admin_client.get("/").status_code == 200
    for model, page in admin.site._registry.items():
        if isinstance(page, ScopedAdmin):
            url = f"/{model._meta.app_label}/{model._meta.model_name}/"
            assert admin_client.get(url).status_code == 200, url
    for path in (f"components/component/{component.pk}", f"components/credential/{credential.pk}", "groups/group/add"):
        assert admin_client.get(f"/{path}/", follow=True).status_code == 200


def test_nobody_gets_in_without_signing_in(client):
    assert client.get("/components/component/")["Location"].startswith("/login/?next=")


def test_a_user_of_one_group_sees_and_changes_only_that(client, tokyo):
    osaka = make_group("Osaka")
    mine, other = make_component("alpha", tokyo), make_component("beta", osaka)
    client.force_login(make_user("administrator", tokyo, is_staff=True))
    page = client.get("/components/component/").content.decode()
    assert "alpha" in page
    assert "beta" not in page
    assert "Osaka" not in page
    assert client.get(f"/components/component/{other.pk}/change/").status_code == 404
    form = client.get(f"/components/component/{mine.pk}/change/").context["adminform"].form
    assert [group.name for group in form.fields["group"].queryset] == ["Tokyo"]
    client.post("/components/component/", {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
    assert Component.objects.filter(pk=other.pk).exists()
    assert client.get("/accounts/user/").status_code == 403
    audit.record(SYSTEM, "test.act", name="in-osaka", group=osaka.pk)
    audit.record(SYSTEM, "test.act", name="in-tokyo", group=tokyo.pk)
    page = client.get("/core/auditentry/").content.decode()
    assert "in-tokyo" in page
    assert "in-osaka" not in page
    client.force_login(make_user("operator", tokyo, is_staff=True))
    assert client.get("/core/auditentry/").status_code == 403


def test_a_viewer_looks_and_changes_nothing(client, tokyo):
    component = make_component("alpha", tokyo)
    client.force_login(make_user("viewer", is_staff=True))
    assert client.get(f"/components/component/{component.pk}/change/").status_code == 200
    assert client.post(f"/components/component/{component.pk}/change/", {"name": "x"}).status_code == 403
    assert client.get("/components/component/add/").status_code == 403
    assert client.post(f"/components/component/{component.pk}/delete/", {"post": "yes"}).status_code == 403
    component.refresh_from_db()
    assert component.name == "alpha"
    assert not AuditEntry.objects.exclude(action="access.ask", outcome="refused").exists()


def test_a_component_is_registered_changed_and_removed_through_the_services(admin_client, tokyo):
    sent = {"name": "alpha", "category": "server", "group": tokyo.pk, "alert_addresses": "[]"}
    sent |= {"interfaces-TOTAL_FORMS": 0, "interfaces-INITIAL_FORMS": 0}
    admin_client.post("/components/component/add/", sent)
    made = Component.objects.get(name="alpha")
    assert made.search_text
    admin_client.post(f"/components/component/{made.pk}/change/", {**sent, "alias": "first"})
    made.refresh_from_db()
    assert made.alias == "first"
    admin_client.post(f"/components/component/{made.pk}/delete/", {"post": "yes"})
    assert not Component.objects.exists()
    acts = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name"))
    assert acts == [("component.register", "anna"), ("component.change", "anna"), ("component.remove", "anna")]


def test_which_manager_has_the_controller_of_a_component_is_said_here_too(admin_client, tokyo):
    made = make_component("alpha", tokyo)
    sent = {"name": "alpha", "category": "server", "group": tokyo.pk, "alert_addresses": "[]"}
    sent |= {"interfaces-TOTAL_FORMS": 0, "interfaces-INITIAL_FORMS": 0}
    where = f"/components/component/{made.pk}/change/"
    admin_client.post(where, {**sent, "managed_elsewhere": '{"controller": "Osaka"}'})
    made.refresh_from_db()
    assert made.managed_elsewhere == {"controller": "Osaka"}
    for wrong in ('{"roof": ""}', '["controller"]'):
        said = admin_client.post(where, {**sent, "managed_elsewhere": wrong}, follow=True).content.decode()
        assert ("There is no function roof" in said) or ("Enter functions with a text each." in said)
    made.refresh_from_db()
    assert made.managed_elsewhere == {"controller": "Osaka"}


def test_a_credential_is_written_and_never_shown(admin_client, tokyo):
    fields = '{"version": "2c", "community": "very-secret"}'
    sent = {"name": "c1", "kind": "snmp-community", "group": tokyo.pk, "secret_fields": fields}
    admin_client.post("/components/credential/add/", sent)
    made = Credential.objects.get()
    assert CredentialVersion.objects.get().fields["community"] == "very-secret"
    assert "very-secret" not in admin_client.get(f"/components/credential/{made.pk}/change/").content.decode()
    bad = admin_client.post("/components/credential/add/", {**sent, "name": "c2", "secret_fields": "{very-secret"})
    assert errors_of(bad) == ["secret_fields"]
    assert "very-secret" not in str(AuditEntry.objects.values())


def test_what_a_service_refuses_is_said_and_nothing_happens(admin_client, tokyo):
    make_component("alpha", tokyo)
    answer = admin_client.post(f"/groups/group/{tokyo.pk}/delete/", {"post": "yes"}, follow=True)
    assert Group.objects.filter(pk=tokyo.pk).exists()
    assert answer.status_code == 200
    anna = User.objects.get(username="anna")
    admin_client.post(f"/accounts/user/{anna.pk}/delete/", {"post": "yes"}, follow=True)
    assert User.objects.filter(pk=anna.pk).exists()


def test_users_roles_grants_and_addresses(admin_client, tokyo):
    user = {"username": "vera", "is_active": "on", "must_change_password": "on", "new_password": NEW}
    admin_client.post("/accounts/user/add/", user)
    vera = User.objects.get(username="vera")
    assert vera.check_password(NEW)
    admin_client.post(f"/accounts/user/{vera.pk}/change/", {**user, "email": "v@example.com", "new_password": ""})
    vera.refresh_from_db()
    assert (vera.email, vera.check_password(NEW)) == ("v@example.com", True)
    admin_client.post("/access/role/add/", {"name": "night", "permissions": ["view"]})
    role = Role.objects.get(name="night")
    admin_client.post("/access/grant/add/", {"user": vera.pk, "role": role.pk, "group": tokyo.pk})
    grant = Grant.objects.get(user=vera)
    admin_client.post(f"/access/grant/{grant.pk}/delete/", {"post": "yes"})
    assert not Grant.objects.filter(user=vera).exists()
    admin_client.post("/access/allowedaddress/add/", {"network": "192.0.2.0/24", "note": ""})
    assert AllowedAddress.objects.get().network == "192.0.2.0/24"
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"user.create", "user.change", "role.create", "grant.create", "grant.remove", "address.allow"} == actions
    assert NEW not in str(AuditEntry.objects.values())


def test_roles_that_come_with_the_portal_stay(admin_client):
    viewer = Role.objects.get(name="viewer")
    admin_client.post(f"/access/role/{viewer.pk}/change/", {"name": "viewer", "permissions": ["view", "access"]})
    viewer.refresh_from_db()
    assert viewer.permissions == ["view"]


def test_an_option_shows_its_range_and_refuses_what_is_outside(admin_client):
    page = admin_client.get("/core/optionvalue/").content.decode()
    assert "display_refresh_interval" in page
    assert "5 to 3,600" in page
    url = "/core/optionvalue/display_refresh_interval/change/"
    refused = admin_client.post(url, {"value": "4"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (400, ["value"])
    assert options.get("display_refresh_interval") == 60
    admin_client.post(url, {"value": "30"})
    assert options.get("display_refresh_interval") == 30
    assert admin_client.get("/core/optionvalue/nothing/change/").status_code == 404


def test_the_audit_is_only_read(admin_client):
    admin_client.post("/core/optionvalue/auto_logout/change/", {"value": "20"})
    entry = AuditEntry.objects.get()
    assert admin_client.get(f"/core/auditentry/{entry.pk}/change/").status_code == 200
    assert admin_client.post(f"/core/auditentry/{entry.pk}/change/", {"action": "x"}).status_code == 403
    assert admin_client.post(f"/core/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    acts = AuditEntry.objects.order_by("pk").values_list("action", "outcome")
    assert list(acts) == [("option.set", "success"), ("access.ask", "refused"), ("access.ask", "refused")]


def test_the_history_of_a_row_is_what_the_audit_knows(admin_client, tokyo):
    answer = admin_client.get(f"/groups/group/{tokyo.pk}/history/")
    assert answer["Location"] == f"/core/auditentry/?object_type=groups.group&object_id={tokyo.pk}"
    assert admin_client.get(answer["Location"]).status_code == 200


def test_tokens_are_listed_without_their_hash_and_can_be_taken_back(admin_client):
    from apps.access.services import tokens
    from apps.core.actors import SYSTEM

    made = tokens.create(make_user(), "script", SYSTEM)
    page = admin_client.get(f"/access/apitoken/{made.token.pk}/change/").content.decode()
    assert made.token.digest not in page
    admin_client.post(f"/access/apitoken/{made.token.pk}/delete/", {"post": "yes"})
    assert not ApiToken.objects.exists()


def test_the_root_group_is_there(admin_client):
    assert root_group().name in admin_client.get("/groups/group/").content.decode()
