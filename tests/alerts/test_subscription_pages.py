"""What pages and API show of subscriptions, and who may have a test event sent."""

import json

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, EventSubscription, Farewell
from apps.alerts.receivers import event_store
from apps.alerts.receivers.event_store import EventStore, Post
from apps.alerts.receivers.redfish_event import understand
from apps.alerts.receivers.store import Store
from apps.components.models import Component, ManagementInterface
from apps.core.models import Job
from tests.alerts.events import CONTEXT, event, message, subscription
from tests.factories import make_component, make_group, make_interface, make_user, ship_definitions

pytestmark = pytest.mark.django_db


@pytest.fixture
def interface() -> ManagementInterface:
    component = make_component("web-01", make_group("rack"))
    return make_interface(component, driver="ilo", address="192.0.2.7")


def post(row: EventSubscription, *records: dict[str, object]) -> list[Alert]:
    posted = understand(json.dumps(message(*records)).encode())
    EventStore(Store()).commit([Post(row.pk, "192.0.2.7", posted.events)])
    return list(Alert.objects.order_by("pk"))


def test_the_card_of_the_interface(client, interface):
    row, path = subscription(interface, tests=True, since=timezone.now(), others=["a:443", "b:443", "c:443"])
    client.force_login(make_user("operator", interface.component.group))
    shown = client.get(interface.component.get_absolute_url()).content.decode()
    for words in ("Sends its events here since", "none yet", "a:443, b:443, c:443", "More managers than"):
        assert words in shown
    assert f"/alerts/subscriptions/{row.pk}/test/" in shown
    for secret in (path, CONTEXT, row.token_hash):
        assert secret not in shown
    EventSubscription.objects.update(state="failed", last_error="It does not answer.")
    shown = client.get(interface.component.get_absolute_url()).content.decode()
    assert "It does not answer." in shown
    assert "More managers than" not in shown  # three others, and not us
    assert f"/alerts/subscriptions/{row.pk}/test/" not in shown


def test_another_manager_that_is_seen_may_be_given_the_controller(client, interface):
    row, _path = subscription(interface, tests=True, since=timezone.now(), others=["192.0.2.9:443"])
    where, link = interface.component.get_absolute_url(), "?elsewhere=controller&amp;manager=192.0.2.9%3A443"
    client.force_login(make_user("operator", interface.component.group))
    assert link not in client.get(where).content.decode()  # who may not change the component is offered nothing
    client.force_login(make_user("administrator", interface.component.group))
    assert link in client.get(where).content.decode()
    Component.objects.update(managed_elsewhere={"controller": "192.0.2.9"})
    page = client.get(where).content.decode()
    assert (link in page, f"/alerts/subscriptions/{row.pk}/test/" in page) == (False, False)


def test_a_test_is_ordered_by_those_who_may_check(client, interface):
    row, _path = subscription(interface, tests=True)
    where = f"/alerts/subscriptions/{row.pk}/test/"
    for role, group, status in (("viewer", interface.component.group, 403), ("operator", make_group("other"), 404)):
        client.force_login(make_user(role, group))
        assert client.post(where).status_code == status
        assert client.post(f"/api/v1/event-subscriptions/{row.pk}/test/").status_code == status
    assert not Job.objects.exists()
    client.force_login(make_user("operator", interface.component.group))
    assert client.post(where).status_code == 302
    assert client.post(f"/api/v1/event-subscriptions/{row.pk}/test/").status_code == 202
    assert [job.kind for job in Job.objects.all()] == ["event-test"] * 2


def test_the_page_of_reception_lists_what_is_left_behind(client, interface):
    subscription(interface)
    left = Farewell.objects.create(
        name="gone-01", driver="ilo", address="192.0.2.9", uri="/redfish/v1/x/7", context="c", login={}, due_at=None
    )
    Farewell.objects.create(name="gone-02", driver="ilo", address="192.0.2.10", uri="/x", context="c", login={})
    client.force_login(make_user("administrator"))
    shown = client.get("/alerts/reception/").content.decode()
    for words in ("gone-01", "/redfish/v1/x/7", "Could not be removed", "Is tried again"):
        assert words in shown
    listed = client.get("/api/v1/event-farewells/").json()
    assert [(one["name"], one["given_up"]) for one in listed["results"]] == [("gone-01", True), ("gone-02", False)]
    assert client.post(f"/alerts/farewells/{left.pk}/forget/").status_code == 302
    assert not Farewell.objects.filter(pk=left.pk).exists()

    client.force_login(make_user("administrator", make_group("other")))  # of one group: what is gone has none
    assert "gone-02" not in client.get("/alerts/reception/").content.decode()


def test_an_event_is_shown_as_it_came(client, interface):
    ship_definitions()
    row, _path = subscription(interface)
    (alert,) = post(row, event(Oem={"Hpe": {"Severity": "Critical"}}))
    client.force_login(make_user("administrator"))
    shown = client.get(f"/alerts/{alert.pk}/").content.decode()
    for words in ("Redfish event", "redfish.iLOEvents.FanFailed", "Properties of the event", "&quot;Hpe&quot;"):
        assert words in shown
    told = client.get(f"/api/v1/alerts/{alert.pk}/").json()
    assert told["source"] == "redfish"
    assert told["raw"]["event"]["Oem"] == {"Hpe": {"Severity": "Critical"}}
    assert client.get("/api/v1/alerts/?source=redfish").json()["count"] == 1
    assert client.get("/api/v1/alerts/?source=snmp-trap").json()["count"] == 0


def test_what_is_quiet_is_quiet(interface):
    ship_definitions()
    interface.component.suspended = True
    interface.component.save()
    row, _path = subscription(interface)
    (alert,) = post(row, event())
    assert alert.quiet == "suspended"


def test_one_event_that_cannot_be_stored_does_not_cost_the_others(interface, monkeypatch):
    ship_definitions()
    row, _path = subscription(interface)
    honest = event_store.store

    def picky(arrivals):
        if any("e3" in str(arrival.bindings) for arrival in arrivals):
            raise ValueError("the database does not like it")
        return honest(arrivals)

    monkeypatch.setattr(event_store, "store", picky)
    assert len(post(row, *(event(number) for number in range(1, 6)))) == 4


def test_a_subscription_that_went_meanwhile(interface):
    row, _path = subscription(interface)
    interface.component.delete()
    assert post(row, event()) == []
