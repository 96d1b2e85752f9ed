"""Who may do what with components over the API, and which ways of managing are offered."""

import pytest

from apps.core.models import AuditEntry, Job
from apps.drivers import registry
from tests.components.api_calls import URL, post, refused
from tests.factories import make_component, make_credential, make_group, make_interface, make_user, root_group

pytestmark = pytest.mark.django_db


class TestDrivers:
    """What components can be managed with; the hidden one only where it is offered."""

    def test_they_are_listed_with_their_parameters(self, api):
        listed = api.get("/api/v1/drivers/").json()
        drivers = {one["name"]: one for one in listed["results"]}
        assert list(drivers) == sorted(registry.specs())
        assert {"alert_only", "fake", "ilo", "network_snmp", "redfish", "snmp_agent", "ups_snmp"} <= drivers.keys()
        snmp = api.get("/api/v1/drivers/snmp_agent/").json()
        assert (snmp["default_port"], snmp["credential_kinds"]) == (161, ["snmp-community", "snmp-v3"])
        delay = next(one for one in drivers["fake"]["parameters"] if one["name"] == "delay")
        assert (delay["type"], delay["default"], delay["minimum"], delay["maximum"]) == ("integer", 0, 0, 600_000)

    def test_the_hidden_one_is_neither_shown_nor_taken_in_production(self, api, settings):
        settings.HIDDEN_DRIVERS_OFFERED = False
        assert [one["name"] for one in api.get("/api/v1/drivers/?q=server").json()["results"]] == ["snmp_agent"]
        assert api.get("/api/v1/drivers/fake/").status_code == 404
        refused(post(api, name="x", interfaces=[{"driver": "fake", "address": "192.0.2.1"}]), "interfaces")


class TestWhoMay:
    """Somebody else's component does not exist; what is seen but not permitted is refused."""

    def test_another_groups_component_is_not_found(self, client_of):
        mine, theirs = make_group("Mine"), make_group("Theirs")
        component = make_component("hidden", theirs)
        client = client_of(make_user("administrator", mine))
        url = f"{URL}{component.pk}/"
        assert client.get(URL).json()["count"] == 0
        for response in (
            client.get(url),
            client.patch(url, {"name": "x"}, format="json"),
            client.delete(url),
            client.post(f"{url}check/"),
            client.post(f"{url}refresh/"),
            client.post(f"{url}join/", {"with": component.pk}, format="json"),
            client.get(f"{url}inventory/"),
            client.get(f"{url}event-log/"),
        ):
            assert response.status_code == 404
        own = make_component("own", mine)
        response = client.post(f"{URL}{own.pk}/join/", {"with": component.pk}, format="json")
        assert refused(response, "with")
        refused(post(client, name="x", group=theirs.pk), "group")
        refused(post(client, name="x", parent=component.pk), "parent")
        component.refresh_from_db()
        assert component.name == "hidden"
        assert not Job.objects.exists()

    def test_a_viewer_looks_and_nothing_more(self, client_of):
        component = make_component("web01")
        client = client_of(make_user("viewer"))
        url = f"{URL}{component.pk}/"
        assert client.get(url).status_code == 200
        for response in (
            post(client, name="x"),
            client.patch(url, {"name": "x"}, format="json"),
            client.delete(url),
            client.post(f"{url}check/"),
            client.post(f"{url}refresh/"),
            client.post(f"{url}join/", {"with": make_component().pk}, format="json"),
        ):
            assert response.status_code == 403
        component.refresh_from_db()
        assert component.name == "web01"
        assert not AuditEntry.objects.exclude(action="access.ask", outcome="refused").exists()

    def test_an_operator_checks_and_does_not_change(self, client_of, queued):
        component = make_component("web01")
        client = client_of(make_user("operator"))
        assert client.post(f"{URL}{component.pk}/check/").status_code == 202
        assert client.delete(f"{URL}{component.pk}/").status_code == 403

    def test_nobody_gets_nothing(self, client):
        assert client.get(URL).status_code == 401

    def test_the_group_defaults_to_the_callers_topmost(self, client_of):
        outer = make_group("Outer")
        make_group("Inner", outer)
        made = post(client_of(make_user("administrator", outer)), name="web01")
        assert (made.status_code, made.json()["group"]) == (201, outer.pk)

    def test_a_credential_that_one_may_not_use_is_not_sent_to_ones_own_address(self, client_of):
        mine = make_group("Mine")
        user = make_user("administrator", mine)
        foreign = make_credential(group=root_group())
        interface = make_interface(make_component("web01", mine), driver="fake", credential=foreign, port=9)
        client = client_of(user)
        url = f"{URL}{interface.component_id}/"
        body = {"interfaces": [{"id": interface.pk, "address": "198.51.100.66"}]}
        refused(client.patch(url, body, format="json"), "interfaces")
        interface.refresh_from_db()
        assert interface.address != "198.51.100.66"
        body = {"interfaces": [{"id": interface.pk, "enabled": False}]}
        assert client.patch(url, body, format="json").status_code == 200
        new = {"driver": "fake", "address": "198.51.100.66", "credential": foreign.pk}
        refused(post(client, name="x", interfaces=[new]), "interfaces")
