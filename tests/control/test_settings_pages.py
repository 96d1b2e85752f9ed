"""The pages and the API of settings: the difference first, then one job; somebody else's controller does not exist."""

import pytest

from apps.alerts.subscriptions import here
from apps.components.models import ManagementInterface
from apps.control.models import SettingsOrder
from apps.control.settings import services
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.models import Job
from apps.core.phrases import Phrase
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db
SECRET = "neues-Geheimnis-17"


@pytest.fixture
def server(admin, queued):
    """Give a controller whose settings were read."""
    made = machine(make_component("server-1"))
    run(services.read([made.component], admin))
    return made


def page_of(server, what: str = "") -> str:
    return f"/components/{server.component.pk}/settings/{what}"


def filled(client, server) -> dict[str, str]:
    """Give what a browser would send of the page as it was shown."""
    form = client.get(page_of(server)).context["form"]
    sent = {}
    for field in form:
        value = field.value()
        for name in (field.html_name, form.add_initial_prefix(field.name)):
            if isinstance(value, bool):
                sent |= {name: "True"} if value or name.startswith("initial-") else {}
                if name.startswith("initial-"):
                    sent[name] = str(value)
            else:
                sent[name] = "" if value is None else str(value)
    return sent


def test_the_difference_is_shown_before_anything_is_written(admin, client, server, queued):
    client.force_login(admin.user)
    shown = client.get(page_of(server)).content.decode()
    assert "192.0.2.1" in shown
    sent = filled(client, server)
    answer = client.post(page_of(server), {**sent, "network.gateway": "192.0.2.254", "users.3.password": SECRET})
    body = answer.content.decode()
    assert answer.status_code == 200
    assert SECRET not in body
    assert body.index("<del>192.0.2.1</del>") < body.index("<ins>192.0.2.254</ins>")
    order = SettingsOrder.objects.get()
    assert set(next(iter(order.targets.values()))["changes"]) == {"network.gateway", "users.3.password"}
    assert received(server) == []
    assert not Job.objects.filter(kind="settings").exists()
    applied = client.post("/device-settings/apply/", {"order": order.pk, "expect": 1})
    job = Job.objects.get(kind="settings")
    assert (applied.status_code, applied["Location"]) == (302, job.get_absolute_url())
    assert SECRET not in str(job.arguments) + job.title.dumps()


def test_what_was_left_as_it_was_is_no_wish(admin, client, server):
    client.force_login(admin.user)
    answer = client.post(page_of(server), filled(client, server))
    assert answer.status_code == 400
    assert "Nothing would change." in answer.content.decode()


def test_a_mistake_is_told_at_its_field(admin, client, server):
    client.force_login(admin.user)
    answer = client.post(page_of(server), {**filled(client, server), "network.gateway": "1.2.3"})
    assert answer.status_code == 400
    assert "network.gateway" in answer.context["form"].errors


def test_many_get_the_same_and_what_is_empty_stays(admin, client, server, queued):
    other = machine(make_component("server-2"))
    unread = machine(make_component("server-3"))
    run(services.read([other.component], admin))
    client.force_login(admin.user)
    ids = ",".join(str(one.component.pk) for one in (server, other, unread))
    body = client.get(f"/device-settings/?ids={ids}").content.decode()
    assert "network.address" not in body  # no two can have the same
    assert "server-3" in body
    answer = client.post("/device-settings/", {"ids": ids, "wished": "1", "services.snmp": "on"})
    assert [one.component for one in answer.context["changing"]] == [server.component, other.component]
    assert [one.component for one in answer.context["not_possible"]] == [unread.component]
    client.post("/device-settings/apply/", {"order": answer.context["order"].pk, "expect": 2})
    assert [step.state for step in run(Job.objects.get(kind="settings"))] == ["done", "done"]


def test_the_portal_is_set_as_destination_by_the_address_that_reaches_it(admin, client, server):
    client.force_login(admin.user)
    server.address = "127.0.0.77"
    server.save()
    answer = client.post(page_of(server), {**filled(client, server), "report": "1"})
    ((change,),) = [one.changes for one in answer.context["changing"]]
    assert (change.name, change.after) == ("destinations.1.address", "127.0.0.1")


def test_setting_back_names_the_four_values_that_are_lost_and_wants_them_typed(admin, client, server, queued):
    client.force_login(admin.user)
    body = client.get(page_of(server, "reset/")).content.decode()
    for word in ("Address source", "IP address", "Subnet mask", "Gateway", server.address, "192.0.2.1"):
        assert word in body
    assert client.post(page_of(server, "reset/"), {"typed": "yes"}).status_code == 400
    assert not Job.objects.filter(kind="settings_reset").exists()
    assert client.post(page_of(server, "reset/"), {"typed": "reset"}).status_code == 302
    assert Job.objects.filter(kind="settings_reset").count() == 1


def test_somebody_elses_controller_does_not_exist_and_a_change_belongs_to_whom_it_was_shown(
    admin, client, server, client_of
):
    order = services.propose(services.differ([server.component], {"services.snmp": True}), admin)
    viewer, stranger = make_user("viewer", server.component.group), make_user("operator", make_group("Osaka"))
    for user, status in ((viewer, 403), (stranger, 404)):
        client.force_login(user)
        assert client.get(page_of(server)).status_code == status
        assert client.post("/device-settings/apply/", {"order": order.pk}).status_code == 404
        api = client_of(user)
        wish = {"settings": {"services.snmp": True}}
        assert api.patch(f"/api/v1{page_of(server)}", wish, format="json").status_code == status
    many = {"components": [server.component.pk], "settings": {"services.snmp": True}}
    assert client_of(stranger).post("/api/v1/settings-jobs/", many, format="json").status_code == 400
    assert not Job.objects.filter(kind="settings").exists()


def test_the_api_shows_a_difference_and_orders_a_change(admin, client_of, server, queued):
    api, url = client_of(admin.user), f"/api/v1{page_of(server)}"
    told = api.get(url).json()
    assert told["interface"] == server.pk
    gateway = next(one for section in told["sections"] for one in section["settings"] if one["label"] == "Gateway")
    assert (gateway["name"], gateway["value"], gateway["connection"]) == ("network.gateway", "192.0.2.1", "route")
    wish = {"settings": {"network.gateway": "192.0.2.254", "users.3.password": SECRET}}
    dry = api.patch(f"{url}?dry_run=true", wish, format="json")
    assert dry.status_code == 200
    assert [(c["name"], c["before"], c["after"]) for c in dry.json()["differences"][0]["changes"]] == [
        ("network.gateway", "192.0.2.1", "192.0.2.254"),
        ("users.3.password", None, None),
    ]
    assert not SettingsOrder.objects.exists()
    done = api.patch(url, wish, format="json")
    assert done.status_code == 202
    assert [step.state for step in run(Job.objects.get(pk=done.json()["job"]))] == ["done"]
    assert received(server) == ["set users.3.password", "set network.gateway"]
    assert api.patch(url, {"settings": {"network.colour": "red"}}, format="json").json()["errors"]
    assert api.patch(url, {"settings": {"network.gateway": 7}}, format="json").status_code == 400
    assert api.post(f"{url}read/", {}, format="json").status_code == 202


def test_the_api_sets_many(admin, client_of, server, queued):
    other = machine(make_component("server-2"))
    api, url = client_of(admin.user), "/api/v1/settings-jobs/"
    run(services.read([other.component], admin))
    body = {"components": [server.component.pk, other.component.pk], "settings": {"services.snmp": True}}
    assert len(api.post(f"{url}?dry_run=true", body, format="json").json()["differences"]) == 2
    assert api.post(url, {**body, "expect": 3}, format="json").status_code == 409
    assert api.post(url, body, format="json").status_code == 202


def test_the_api_has_many_report_here_by_the_address_that_the_page_takes(admin, client, client_of, server, queued):
    other, switch = machine(make_component("server-2")), make_component("switch-1")
    run(services.read([other.component], admin))
    for one, address in ((server, "127.0.0.77"), (other, "127.0.0.78")):
        ManagementInterface.objects.filter(pk=one.pk).update(address=address)
    api, url = client_of(admin.user), "/api/v1/settings-jobs/report/"
    body = {"components": [server.component.pk, other.component.pk, switch.pk]}
    found = api.post(f"{url}?dry_run=true", body, format="json").json()["differences"]
    changes = [[(change["name"], change["after"]) for change in one["changes"]] for one in found]
    assert changes == [[("destinations.1.address", "127.0.0.1")]] * 2 + [[]]
    assert [one["why_not"] for one in found] == [None, None, "None of its ways of managing has settings."]
    assert api.post(url, {**body, "expect": 3}, format="json").status_code == 409
    assert not Job.objects.filter(kind="settings").exists()
    viewer, stranger = make_user("viewer", server.component.group), make_user("operator", make_group("Osaka"))
    assert client_of(viewer).post(url, body, format="json").status_code == 403
    assert client_of(stranger).post(url, body, format="json").status_code == 400

    options.set_value("report_address", "192.0.2.9", SYSTEM)
    done = api.post(url, {**body, "expect": 2}, format="json")
    assert done.status_code == 202
    job = Job.objects.get(pk=done.json()["job"])
    assert [step.state for step in run(job)] == ["done", "done"]
    assert received(server) == received(other) == ["set destinations.1.address"]
    assert api.post(url, {"components": [switch.pk]}, format="json").status_code == 409


def test_the_api_says_where_it_is_not_known_by_which_address_a_controller_reaches_the_portal(
    admin, client_of, server, monkeypatch
):
    def nowhere(address: str) -> str:
        raise here.Nowhere(Phrase("nowhere"))

    monkeypatch.setattr(here, "towards", nowhere)
    answer = client_of(admin.user).post(
        "/api/v1/settings-jobs/report/", {"components": [server.component.pk]}, format="json"
    )
    assert answer.status_code == 409
    assert "Address for alerts" in answer.json()["detail"]
    assert not SettingsOrder.objects.exists()


def test_the_defaults_of_the_portal_are_a_wish_whose_difference_is_shown(admin, client, server):
    client.force_login(admin.user)
    server.address = "127.0.0.77"
    server.save()
    shown = client.get(page_of(server, "defaults/"))
    assert [str(row.label) for row in shown.context["rows"]] == [
        "Agrees with the clock of the portal",
        "SNMP",
        "Destination 1: Address",
    ]
    assert "is known once it was initialized from here" in shown.content.decode()
    answer = client.post(page_of(server, "defaults/"), {})
    ((one,),) = [answer.context["changing"]]
    assert {change.name: change.after for change in one.changes} == {
        "time.exact": True,
        "services.snmp": True,
        "destinations.1.address": "127.0.0.1",
    }
    assert not Job.objects.filter(kind="settings").exists()


def test_whom_else_it_reports_to_stands_on_the_page_and_in_the_api(admin, client, client_of, server):
    run(
        services.apply(
            services.propose(services.differ([server.component], {"destinations.2.address": "192.0.2.5"}), admin), admin
        )
    )
    client.force_login(admin.user)
    assert "192.0.2.5" in "".join(client.get(page_of(server)).context["others"])
    told = client_of(admin.user).get(f"/api/v1{page_of(server)}").json()
    assert told["other_managers"] == ["192.0.2.5"]
    assert (told["may_restart"], told["awaits_restart"]) == (True, False)


def test_a_controller_is_restarted_by_its_page_after_a_question(admin, client, server):
    client.force_login(admin.user)
    assert "The machine itself runs on." in client.get(page_of(server, "restart/")).content.decode()
    assert not Job.objects.filter(kind="settings_restart").exists()
    assert client.post(page_of(server, "restart/"), {}).status_code == 302
    assert Job.objects.filter(kind="settings_restart").count() == 1


def test_the_restart_that_somebody_chose_goes_with_the_change(admin, client, client_of, server):
    client.force_login(admin.user)
    shown = client.post(page_of(server), {**filled(client, server), "network.gateway": "192.0.2.254"})
    assert shown.context["may_restart"] is True
    client.post("/device-settings/apply/", {"order": shown.context["order"].pk, "expect": 1, "restart": "1"})
    assert Job.objects.get(kind="settings").arguments == {"restart": True}
    wish = {"settings": {"services.snmp": True}, "restart": "perhaps"}
    assert client_of(admin.user).patch(f"/api/v1{page_of(server)}", wish, format="json").status_code == 400
