"""The pages of credentials: kept, changed, never shown."""

import pytest
from django.urls import reverse

from apps.components.models import Credential, CredentialVersion
from tests.factories import make_component, make_credential, make_group, make_interface, make_user, root_group

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("components:credentials"), reverse("components:credential-add")
SECRET = "k0mmunity-of-the-house"


@pytest.fixture
def administrator(client):
    """An administrator, signed in."""
    user = make_user("administrator")
    client.force_login(user)
    return user


def test_a_community_is_kept_encrypted_and_never_shown(client, administrator):
    given = {"name": "house", "group": root_group().pk, "field_version": "2c", "field_community": SECRET}
    assert client.post(f"{ADD}?kind=snmp-community", given).status_code == 302
    credential = Credential.objects.get(name="house")
    assert credential.versions.get().fields == {"version": "2c", "community": SECRET}
    for url in (LIST, reverse("components:credential", args=[credential.pk])):
        assert SECRET not in client.get(url).content.decode()


def test_what_is_missing_is_said_at_its_field_and_the_rest_stays(client, administrator):
    given = {
        "name": "watcher",
        "group": root_group().pk,
        "field_username": "watcher",
        "field_auth_protocol": "SHA-256",
        "field_auth_password": "short",
        "field_priv_protocol": "none",
    }
    refused = client.post(f"{ADD}?kind=snmp-v3", given)
    assert refused.status_code == 400
    errors = refused.context["form"].errors
    assert errors == {"field_auth_password": ["Enter at least 8 characters."]}
    assert 'value="watcher"' in refused.content.decode()
    assert not Credential.objects.exists()


def test_an_empty_secret_keeps_it_and_a_new_one_opens_the_latch(client, administrator):
    credential = make_credential(name="house", community=SECRET)
    Credential.objects.update(latched_version=1)
    url = reverse("components:credential", args=[credential.pk])
    kept = {"name": "home", "group": root_group().pk, "field_version": "2c", "field_community": ""}
    assert client.post(url, kept).status_code == 302
    credential.refresh_from_db()
    assert (credential.name, credential.version, credential.is_latched) == ("home", 1, True)
    client.post(url, {**kept, "field_community": "another"})
    credential.refresh_from_db()
    assert (credential.version, credential.is_latched) == (2, False)
    assert CredentialVersion.objects.get().fields["community"] == "another"


def test_a_credential_in_use_stays_and_names_its_users(client, administrator):
    credential = make_credential(name="house")
    make_interface(make_component("web-1"), credential=credential)
    kept = client.post(reverse("components:credential-remove", args=[credential.pk]), follow=True)
    assert "web-1" in kept.content.decode()
    assert Credential.objects.exists()


def test_only_who_may_set_credentials_sees_them(client):
    tokyo = make_group("Tokyo")
    credential = make_credential(name="house")
    client.force_login(make_user("operator"))
    assert client.get(LIST).status_code == 403
    client.force_login(make_user("administrator", tokyo))
    assert "house" not in client.get(LIST).content.decode()
    assert client.get(reverse("components:credential", args=[credential.pk])).status_code == 404
