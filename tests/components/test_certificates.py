"""A device that shows another certificate: it is told so, both are shown, and somebody accepts the new one."""

import asyncio

import pytest

from apps.components.models import ManagementInterface
from apps.components.services import certificates, checks
from apps.core.models import AuditEntry
from apps.core.phrases import Phrase
from apps.monitoring.services import polling
from apps.protocols import pinning
from tests.factories import make_component, make_credential, make_group, make_interface, make_user
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program

__all__ = ["ilo_program"]
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("certificates")]


@pytest.fixture
def ilo(ilo_program: IloProgram):
    yield ilo_program
    ilo_program.tell("mend wrong-certificate")


@pytest.fixture
def interface(ilo: IloProgram) -> ManagementInterface:
    group = make_group("rack")
    credential = make_credential("password", group, username=USER, password=SECRET)
    component = make_component("web-01", group)
    row = make_interface(
        component, polled=False, driver="ilo", address="127.0.0.1", port=ilo.port, credential=credential
    )
    polling.poll([row.pk])
    return ManagementInterface.objects.get(pk=row.pk)


def changed(ilo: IloProgram, row: ManagementInterface) -> ManagementInterface:
    ilo.tell("fault wrong-certificate")
    polling.poll([row.pk])
    return ManagementInterface.objects.get(pk=row.pk)


def test_a_changed_certificate_is_accepted_on_its_page(ilo, interface, client):
    first = interface.state["pin"]
    assert interface.state["certificate"]["fingerprint"] == first
    row = changed(ilo, interface)
    assert (row.last_error.text, certificates.is_other(row)) == (pinning.OTHER_CERTIFICATE, True)
    assert int(ilo.tell("sessions")) == 0  # the login was sent to nobody
    client.force_login(make_user("administrator"))
    page = f"/components/{row.component_id}/interfaces/{row.pk}/certificate/"
    assert page in client.get(row.component.get_absolute_url()).content.decode()

    shown = client.get(page)
    pair = shown.context["pair"]
    assert (pair.known.fingerprint, pair.differs, pair.known.subject) == (first, True, "CN=ilo")
    assert (pair.shown.subject, pair.shown.not_after > pair.shown.not_before) == ("CN=other", True)
    for text in (first, pair.shown.fingerprint):
        assert text in shown.content.decode()

    refused = client.post(page, {"fingerprint": first}, follow=True)  # not the one that it shows
    assert "another certificate now" in refused.content.decode()
    assert ManagementInterface.objects.get(pk=row.pk).state["pin"] == first
    assert client.post(page, {"fingerprint": pair.shown.fingerprint}).status_code == 302
    accepted = ManagementInterface.objects.get(pk=row.pk)
    assert (accepted.state["pin"], accepted.last_error, accepted.failures) == (pair.shown.fingerprint, Phrase(), 0)
    (entry,) = AuditEntry.objects.filter(action="component.certificate")
    assert (entry.before["fingerprint"], entry.after["fingerprint"]) == (first, pair.shown.fingerprint)
    polling.poll([row.pk])
    assert not ManagementInterface.objects.get(pk=row.pk).last_error
    assert "known by" in client.get(page).content.decode()


def test_one_that_was_entered_is_replaced_where_it_stands(ilo, interface, client):
    first = interface.state["pin"]
    ManagementInterface.objects.filter(pk=interface.pk).update(parameters={"certificate": first})
    row = changed(ilo, interface)
    client.force_login(make_user("administrator"))
    found = client.get(f"/api/v1/components/{row.component_id}/certificates/").json()["results"]
    (pair,) = found
    assert (pair["interface"], pair["known"]["fingerprint"], pair["differs"]) == (row.pk, first, True)
    where = f"/api/v1/components/{row.component_id}/accept-certificate/"

    def accept(interface: int, fingerprint: str) -> int:
        body = {"interface": interface, "fingerprint": fingerprint}
        return client.post(where, body, content_type="application/json").status_code

    assert accept(row.pk, "0" * 64) == 409
    assert accept(make_interface().pk, pair["shown"]["fingerprint"]) == 400
    assert accept(row.pk, pair["shown"]["fingerprint"]) == 200
    assert ManagementInterface.objects.get(pk=row.pk).parameters == {"certificate": pair["shown"]["fingerprint"]}


def test_who_may_not_change_the_component_may_not_accept(ilo, interface, client):
    row = changed(ilo, interface)
    page = f"/components/{row.component_id}/interfaces/{row.pk}/certificate/"
    shown = certificates.compare(row).shown.fingerprint
    for role, group, status in (("operator", row.component.group, 403), ("administrator", make_group("other"), 404)):
        client.force_login(make_user(role, group))
        assert client.get(page).status_code == status
        assert client.post(page, {"fingerprint": shown}).status_code == status
    client.force_login(make_user("operator", row.component.group))
    assert page not in client.get(row.component.get_absolute_url()).content.decode()
    assert ManagementInterface.objects.get(pk=row.pk).state["pin"] != shown
    assert not AuditEntry.objects.filter(action="component.certificate", outcome="success").exists()


def test_the_check_says_what_to_do(ilo, interface):
    row = changed(ilo, interface)
    (line,) = checks.contact.lines([row], checks.contact.CHECK)
    answer = asyncio.run(checks.ask(line))
    assert answer.error is not None
    assert "Look at the new certificate" in str(checks.remedy_of(answer.error))


def test_odd_certificates_count_by_their_fingerprint_alone():
    odd = pinning.read(b"no certificate at all")
    assert (len(odd.fingerprint), odd.subject, odd.not_after) == (64, "", None)
    assert pinning.Shown.kept("a" * 64, odd.facts()) == pinning.Shown("a" * 64)
    assert pinning.Shown.kept(odd.fingerprint, odd.facts()) == odd
