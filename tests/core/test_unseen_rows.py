"""What somebody may not see stays as it is when he saves what is his, and is named to him nowhere."""

import json

import pytest
from django.test import Client

from apps.components.models import Component
from apps.core.models import AuditEntry
from tests.factories import make_component, make_credential, make_group, make_interface, make_user

pytestmark = pytest.mark.django_db
UNSEEN = "one that you may not see"


@pytest.fixture
def interface():
    """A component of ours in an enclosure of theirs, asked with a login of theirs."""
    ours, theirs = make_group("ours"), make_group("theirs")
    component = make_component("srv", ours)
    component.parent = make_component("their enclosure", theirs)
    component.save()
    login = make_credential("snmp-community", theirs, name="their login")
    return make_interface(component, driver="snmp_agent", credential=login, address="a.example.com", port=161)


def signed_in(role: str, interface) -> Client:
    client = Client()
    client.force_login(make_user(role, interface.component.group, username=role, is_staff=True))
    return client


def as_shown(page) -> dict[str, object]:
    form = page.context["adminform"].form
    shown = {}
    for name, field in form.fields.items():
        value = form.initial.get(name)
        if hasattr(field, "queryset") and not field.queryset.filter(pk=value).exists():
            value = ""
        shown[name] = json.dumps(value) if isinstance(value, dict | list) else "" if value is None else value
    return shown


@pytest.mark.urls("esm.classic_urls")
def test_classic_mode_leaves_what_the_reader_may_not_see(interface):
    client = signed_in("administrator", interface)
    for path, changed in (
        (f"/components/managementinterface/{interface.pk}/change/", {}),
        (
            f"/components/component/{interface.component_id}/change/",
            {"alias": "front", "interfaces-TOTAL_FORMS": 0, "interfaces-INITIAL_FORMS": 0},
        ),
    ):
        page = client.get(path)
        assert UNSEEN in page.content.decode()
        assert client.post(path, {**as_shown(page), **changed}).status_code == 302
    component = Component.objects.get(pk=interface.component_id)
    assert (component.alias, component.parent.name) == ("front", "their enclosure")
    interface.refresh_from_db()
    assert interface.credential.name == "their login"
    entry = AuditEntry.objects.get(action="component.change")
    assert {name for name in entry.after if entry.after[name] != entry.before[name]} == {"alias"}


@pytest.mark.urls("esm.classic_urls")
@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
def test_classic_mode_names_nothing_of_another_group(interface, role):
    client = signed_in(role, interface)
    for path in (
        "/components/managementinterface/",
        f"/components/managementinterface/{interface.pk}/change/",
        "/components/component/",
        f"/components/component/{interface.component_id}/change/",
    ):
        text = client.get(path).content.decode()
        assert "their login" not in text, path
        assert "their enclosure" not in text, path
    assert UNSEEN in client.get("/components/managementinterface/").content.decode()


def test_the_page_of_a_component_keeps_a_login_that_the_reader_may_not_see(interface):
    client = signed_in("administrator", interface)
    path = f"/components/{interface.component_id}/edit/"
    page = client.get(path)
    text = page.content.decode()
    assert UNSEEN in text
    assert "their login" not in text
    sent = {"interfaces": 1}
    for form in (page.context["form"], *page.context["forms"]):
        sent |= {bound.html_name: bound.value() for bound in form if bound.value() not in (None, False)}
    sent["alias"] = "front"
    assert client.post(path, sent).status_code == 302
    interface.refresh_from_db()
    assert interface.credential.name == "their login"
    assert Component.objects.get(pk=interface.component_id).alias == "front"
    sent["i0-address"] = "b.example.com"
    refused = client.post(path, sent)
    assert refused.status_code == 400
    assert f"There is no credential {interface.credential_id} that you may use." in refused.content.decode()
    assert "their login" not in client.get(f"/components/{interface.component_id}/").content.decode()
