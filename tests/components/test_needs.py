"""What a way of managing lacks is said where it is missing, with the way to mend it and who may."""

import pytest
from django.test import Client

from apps.components import contact
from apps.components.services import checks
from apps.components.services.needs import Lack, kinds_of, lacks, missing_rights, port_of
from apps.core import options
from apps.core.actors import COMMAND
from apps.drivers import registry
from apps.protocols.errors import AuthenticationFailed
from tests.factories import make_component, make_credential, make_interface, make_user

pytestmark = pytest.mark.django_db


def of(**fields: object) -> list[Lack]:
    row = make_interface(**fields)
    return lacks(row, registry.specs().get(row.driver))


class TestLacks:
    """One way of managing."""

    def test_with_all_it_needs_it_lacks_nothing(self) -> None:
        assert of(credential=make_credential("snmp-v3")) == []

    def test_a_credential(self) -> None:
        (lack,) = of()
        assert lack.sentence == "A credential is missing: SNMP community (v1, v2c) or SNMP v3 user."
        assert (lack.place, lack.permission) == ("ways", "components")

    def test_one_that_fits(self) -> None:
        (lack,) = of(credential=make_credential("password", name="root of db01"))
        assert lack.sentence == "The credential root of db01 is of a kind that does not fit."
        assert "SNMP v3 user" in lack.remedy

    def test_one_that_is_taken(self) -> None:
        credential = make_credential(name="watcher")
        (lack,) = of(credential=credential, refused_version=credential.version)
        assert lack.sentence == "The credential watcher was refused, and is not offered again."
        assert (lack.place, lack.permission) == ("credential", "credentials")

    def test_a_driver(self) -> None:
        (lack,) = of(driver="of-another-version")
        assert lack.sentence == "This portal has no driver of this kind."

    def test_a_receiver_that_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert of(driver="alert_only") == []
        options.set_value("trap_reception", False, COMMAND)
        (lack,) = of(driver="alert_only")
        assert lack.sentence == "The portal does not receive SNMP traps: their reception is switched off."
        assert lack.permission == "settings"

    def test_a_port_is_named(self) -> None:
        agent, alone = (registry.specs()[name] for name in ("snmp_agent", "alert_only"))
        assert (port_of(agent), port_of(agent, 1161), port_of(alone)) == ("UDP 161", "UDP 1161", "ICMP")
        assert kinds_of(alone) == ""


class TestPages:
    """Where it is said."""

    def test_who_may_mend_it_gets_the_way_and_who_may_not_is_told_what_it_takes(self, client: Client) -> None:
        component = make_component("db01")
        make_interface(component)
        edit = f"/components/{component.pk}/edit/#interfaces-h"
        client.force_login(make_user("administrator"))
        for tab in ("", "?tab=settings"):
            page = client.get(f"/components/{component.pk}/{tab}").content.decode()
            assert "A credential is missing: SNMP community (v1, v2c) or SNMP v3 user." in page
            assert edit in page
        assert "Rights that you do not hold" not in page
        client.force_login(make_user("viewer"))
        page = client.get(f"/components/{component.pk}/").content.decode()
        assert edit not in page
        assert "It takes the right “Register, change and remove components” in this group." in page
        rights = "Check connections and collect now, Register, change and remove components, Set credentials."
        assert f"Rights that you do not hold in its group: {rights}" in page

    def test_rights_are_those_of_the_group(self) -> None:
        component = make_component()
        operator = make_user("operator")
        assert "Check connections and collect now" not in map(str, missing_rights(operator, component.group_id))

    def test_registration_says_what_each_kind_needs(self, client: Client) -> None:
        client.force_login(make_user("administrator"))
        page = " ".join(client.get("/components/add/").content.decode().split())
        assert "Credential: SNMP community (v1, v2c) or SNMP v3 user" in page
        assert "UDP 161 from the portal to the device" in page
        assert "ICMP from the portal to the device" in page

    def test_a_job_says_what_to_do(self) -> None:
        missing = contact.Withheld(contact.NO_CREDENTIAL)
        wrong = AuthenticationFailed("%(address)s refused", address="192.0.2.1")
        assert str(checks.remedy_of(missing)).startswith("Choose a credential for this way of managing")
        assert str(checks.remedy_of(wrong)).startswith("Correct the credential or the account")
