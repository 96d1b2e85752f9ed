"""Registering, changing and removing components by page: what is entered is kept, what is wrong stands at its field."""

import re

import pytest

from apps.alerts.models import Incident
from apps.components.models import Component, Credential, CredentialVersion, InventoryItem, ManagementInterface
from apps.core.models import AuditEntry, Job
from apps.monitoring.models import LastValues, Sample, Sensor
from tests.factories import make_component, make_credential, make_group, make_interface, root_group

pytestmark = pytest.mark.django_db

ADD = "/components/add/"
OWN = ("driver", "address", "port", "credential", "parameters", "enabled", "next_poll_at", "refused_version")


def entered(**more: str) -> dict[str, str]:
    """Give what a person enters for one SNMP server with a credential of its own."""
    return {
        "name": "web-01",
        "group": str(root_group().pk),
        "interfaces": "1",
        "i0-driver": "snmp_agent",
        "i0-address": "192.0.2.10",
        "i0-port": "161",
        "i0-credential": "new",
        "i0-new_name": "public",
        "i0-new_kind": "snmp-community",
        "i0-snmp-community-version": "2c",
        "i0-snmp-community-community": "s3cret-word",
        "i0-enabled": "on",
    } | more


def errors_of(answer) -> dict[str, dict[str, list[str]]]:
    """Give what stands at which field of which form."""
    found = {"": dict(answer.context["form"].errors)}
    found |= {form.prefix: dict(form.errors) for form in answer.context["forms"] if form.is_bound and form.errors}
    return {prefix: errors for prefix, errors in found.items() if errors}


def test_the_form_offers_the_ways_credentials_and_groups_that_one_may_use(browser, browser_of):
    mine = make_group("mine")
    make_credential(name="shared"), make_credential(name="ours", group=mine)
    page = browser.get(ADD).content.decode()
    assert all(f">{name}</option>" in page for name in ("shared", "ours", "A new one …", "Server (SNMP agent)"))
    theirs = browser_of("administrator", mine).get(ADD).content.decode()
    assert ">ours</option>" in theirs
    assert ">shared</option>" not in theirs


def test_a_phone_offers_the_same_button_again_at_the_end_of_the_form(browser, server):
    for url, word in ((ADD, "Register"), (f"{server.get_absolute_url()}edit/", "Save")):
        page = browser.get(url).content.decode()
        form = page[page.index('<form class="stack"') :]
        buttons = re.findall(
            r'<button class="btn pri" type="submit">\s*(\w+)\s*</button>', form[: form.index("</form>")]
        )
        assert buttons == [word, word]
        assert re.search(r'<div class="acts show-m">\s*<button class="btn pri"', form)


def test_a_server_is_registered_with_a_new_credential(browser):
    answer = browser.post(ADD, entered(alias="Front", alert_addresses="192.0.2.11\n192.0.2.12"))
    component = Component.objects.get()
    assert (answer.status_code, answer.url) == (302, component.get_absolute_url())
    assert (component.name, component.alias, component.category) == ("web-01", "Front", "server")
    assert component.alert_addresses == ["192.0.2.11", "192.0.2.12"]
    interface = component.interfaces.get()
    assert (interface.driver, interface.address, interface.port) == ("snmp_agent", "192.0.2.10", 161)
    assert (interface.enabled, interface.parameters) == (True, {})
    assert interface.credential.name == "public"
    fields = CredentialVersion.objects.get(credential=interface.credential).fields
    assert fields == {"version": "2c", "community": "s3cret-word"}
    assert AuditEntry.objects.filter(action="component.register").count() == 1


def test_the_connection_is_checked_at_once_when_asked(browser, queued):
    answer = browser.post(ADD, entered(check="on"))
    job = Job.objects.get()
    assert (job.kind, answer.url) == ("check", job.get_absolute_url())


def test_an_alert_only_component_needs_neither_port_nor_credential(browser):
    given = {"name": "box", "group": str(root_group().pk), "interfaces": "1", "i0-driver": "alert_only"}
    assert browser.post(ADD, given | {"i0-address": "192.0.2.20", "i0-enabled": "on"}).status_code == 302
    component = Component.objects.get()
    assert (component.category, component.interfaces.get().credential) == ("alert-only", None)


def test_a_component_without_interfaces_needs_a_name_only(browser):
    assert browser.post(ADD, {"name": "shelf", "group": str(root_group().pk), "interfaces": "1"}).status_code == 302
    assert Component.objects.get().interfaces.count() == 0


@pytest.mark.parametrize(
    ("more", "prefix", "field"),
    [
        ({"name": ""}, "", "name"),
        ({"name": "x" * 201}, "", "name"),
        ({"alias": "x" * 201}, "", "alias"),
        ({"category": "spaceship"}, "", "category"),
        ({"group": "999999"}, "", "group"),
        ({"group": "x"}, "", "group"),
        ({"uuid": "not-a-uuid"}, "", "uuid"),
        ({"uuid": "00000000-0000-0000-0000-000000000000"}, "", "uuid"),
        ({"serial_number": "x" * 101}, "", "serial_number"),
        ({"alert_addresses": "somewhere over the rainbow"}, "", "alert_addresses"),
        ({"i0-driver": "morse"}, "i0", "driver"),
        ({"i0-address": "no such address!"}, "i0", "address"),
        ({"i0-port": "0"}, "i0", "port"),
        ({"i0-port": "65536"}, "i0", "port"),
        ({"i0-port": "x"}, "i0", "port"),
        ({"i0-credential": ""}, "i0", "credential"),
        ({"i0-credential": "999999"}, "i0", "credential"),
        ({"i0-new_kind": "telegram"}, "i0", "new_kind"),
        ({"i0-snmp-community-community": ""}, "i0", "snmp-community-community"),
        ({"i0-snmp-community-version": "9"}, "i0", "snmp-community-version"),
        ({"i0-snmp_agent.agent_version_oid": "x" * 501}, "i0", "snmp_agent.agent_version_oid"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(browser, more, prefix, field):
    answer = browser.post(ADD, entered(**more))
    assert answer.status_code == 400
    assert {(prefix, field)} == {(form, name) for form, errors in errors_of(answer).items() for name in errors}
    page = answer.content.decode()
    if "name" not in more:
        assert 'value="web-01"' in page
    if "i0-address" not in more:
        assert 'value="192.0.2.10"' in page
    assert "s3cret-word" not in page
    assert not Component.objects.exists()
    assert not ManagementInterface.objects.exists()
    assert not Credential.objects.exists()


def test_the_error_is_tied_to_its_control(browser):
    page = browser.post(ADD, entered(name="")).content.decode()
    assert 'aria-invalid="true"' in page
    assert 'id="id_name_error"' in page


@pytest.mark.parametrize(
    ("shared", "word"),
    [({"serial_number": "SN-1"}, "serial number"), ({"uuid": "4c4c4544-0042-3510-8052-b4c04f4d3132"}, "hardware UUID")],
)
def test_a_machine_that_is_registered_already_is_linked_with_what_it_shares(browser, shared, word):
    other = make_component("db-01", **shared)
    answer = browser.post(ADD, entered(**shared))
    assert answer.status_code == 400
    (sentence,) = answer.context["form"].non_field_errors()
    assert sentence.endswith(f"db-01 (component {other.pk}) has the same {word}.")
    assert errors_of(answer)[""].keys() == {"__all__", *shared}
    page = answer.content.decode()
    assert links_of(page, other) == {"": "Open db-01", "edit/": "Add this way of managing there"}
    assert Component.objects.count() == 1
    assert not Credential.objects.exists()


def test_an_address_that_is_managed_already_is_marked_and_its_component_linked(browser):
    other = make_component("db-01")
    make_interface(other, address="192.0.2.10", port=161)
    first = {"i0-driver": "alert_only", "i0-port": "", "i0-credential": ""}
    asked = {f"i1-{name[3:]}": value for name, value in entered().items() if name.startswith("i0-")}
    answer = browser.post(ADD, entered(**first, **asked, interfaces="2"))
    assert answer.status_code == 400
    assert "db-01" in answer.context["form"].non_field_errors()[0]
    assert errors_of(answer)["i1"] == {"address": ["This address is managed in this way already."]}
    assert "i0" not in errors_of(answer)
    page = answer.content.decode()
    assert links_of(page, other) == {"": "Open db-01", "edit/": "Change how it is managed"}


def test_a_component_that_one_may_not_see_is_neither_named_nor_linked(browser_of):
    mine, other = make_group("mine"), make_component("secret-name", serial_number="SN-1")
    answer = browser_of("administrator", mine).post(ADD, entered(group=str(mine.pk), serial_number="SN-1"))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "in a group that you may not see" in page
    assert "secret-name" not in page
    assert links_of(page, other) == {}


def links_of(page: str, component: Component) -> dict[str, str]:
    """Give the links in a page to a component and what is below it, with their words."""
    links = re.findall(rf'<a [^>]*href="{component.get_absolute_url()}([^"]*)"[^>]*>(.*?)</a>', page, re.S)
    return {below: " ".join(re.sub(r"<svg.*?</svg>", "", words, flags=re.S).split()) for below, words in links}


def test_another_interface_is_added_without_saving_or_complaining(browser):
    answer = browser.post(ADD, entered(name="", more="1"))
    assert answer.status_code == 200
    assert len(answer.context["forms"]) == 2
    assert errors_of(answer) == {}
    page = answer.content.decode()
    assert 'value="192.0.2.10"' in page
    assert 'name="i1-address"' in page
    assert not Component.objects.exists()


def test_two_interfaces_are_registered_at_once(browser):
    second = {"interfaces": "2", "i1-driver": "alert_only", "i1-address": "192.0.2.10", "i1-enabled": "on"}
    assert browser.post(ADD, entered(**second)).status_code == 302
    drivers = ManagementInterface.objects.order_by("pk").values_list("driver", flat=True)
    assert list(drivers) == ["snmp_agent", "alert_only"]


def test_a_viewer_may_not_register(browser_of):
    viewer = browser_of("viewer")
    assert viewer.get(ADD).status_code == 403
    assert viewer.post(ADD, entered()).status_code == 403
    assert not Component.objects.exists()


def test_nobody_registers_in_a_group_of_others(browser_of):
    mine, theirs = make_group("mine"), make_group("theirs")
    somebody = browser_of("administrator", mine)
    answer = somebody.post(ADD, entered(group=str(theirs.pk)))
    assert answer.status_code == 400
    assert errors_of(answer).keys() == {""}
    assert not Component.objects.exists()


@pytest.fixture
def server():
    """Give a component with an interface whose credential is shared."""
    component = make_component("db-01", serial_number="SN-7")
    make_interface(component, address="192.0.2.30", port=161, credential=make_credential(name="watcher"))
    return component


def changed(component, **more: str) -> dict[str, str]:
    """Give what the form of a component sends when nothing was touched, and what is touched."""
    row = component.interfaces.get()
    return {
        "name": component.name,
        "category": component.category,
        "group": str(component.group_id),
        "serial_number": component.serial_number,
        "interfaces": "1",
        "i0-id": str(row.pk),
        "i0-driver": row.driver,
        "i0-address": row.address,
        "i0-port": str(row.port),
        "i0-credential": str(row.credential_id),
        "i0-enabled": "on",
    } | more


def test_the_form_of_a_component_shows_what_is_known_and_no_secret(browser, server):
    page = browser.get(f"{server.get_absolute_url()}edit/").content.decode()
    for known in ('value="db-01"', 'value="SN-7"', 'value="192.0.2.30"', 'value="161"'):
        assert known in page
    assert "watcher" in page
    assert 'value="public"' not in page


def test_saving_what_was_not_touched_changes_nothing(browser, server):
    row = server.interfaces.get()
    before = ManagementInterface.objects.filter(pk=row.pk).values(*OWN).get()
    assert browser.post(f"{server.get_absolute_url()}edit/", changed(server)).status_code == 302
    assert ManagementInterface.objects.filter(pk=row.pk).values(*OWN).get() == before
    assert not AuditEntry.objects.filter(action="component.change").exists()


def test_name_and_address_are_changed(browser, server):
    row = server.interfaces.get()
    more = {"name": "db-02", "i0-address": "192.0.2.31", "i0-port": ""}
    assert browser.post(f"{server.get_absolute_url()}edit/", changed(server, **more)).url == server.get_absolute_url()
    server.refresh_from_db()
    assert server.name == "db-02"
    after = server.interfaces.get()
    assert (after.pk, after.address, after.credential_id) == (row.pk, "192.0.2.31", row.credential_id)


def test_a_way_of_managing_is_removed(browser, server):
    assert browser.post(f"{server.get_absolute_url()}edit/", changed(server, **{"i0-remove": "on"})).status_code == 302
    assert server.interfaces.count() == 0


def test_an_interface_of_another_component_cannot_be_taken(browser, server):
    other = make_interface(make_component("other"), address="192.0.2.40")
    answer = browser.post(f"{server.get_absolute_url()}edit/", changed(server, **{"i0-id": str(other.pk)}))
    assert answer.status_code == 400
    other.refresh_from_db()
    assert other.component.name == "other"


def test_removing_asks_and_then_leaves_nothing(browser, polled):
    interface = polled("old-01")
    component, kept = interface.component, make_component("kept")
    url = f"{component.get_absolute_url()}remove/"
    question = browser.get(url)
    assert "old-01" in question.content.decode()
    assert Component.objects.count() == 2
    assert browser.post(url).url == "/components/"
    assert list(Component.objects.all()) == [kept]
    for model in (ManagementInterface, Sensor, Sample, LastValues, InventoryItem, Incident):
        assert not model.objects.exists(), model
    assert AuditEntry.objects.get(action="component.remove").object_name == "old-01"
