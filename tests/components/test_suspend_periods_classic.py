"""Suspend periods in classic mode: by columns, through the same services."""

import pytest
from django.test import Client

from apps.components.models import SuspendPeriod
from apps.core.models import AuditEntry
from tests.components.suspending import names, nightly, plan, suspended, when
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db
URL = "/components/suspendperiod/"


@pytest.fixture(autouse=True)
def _classic(settings):
    settings.ROOT_URLCONF = "esm.classic_urls"
    with when("11-20 12:00"):
        yield


@pytest.fixture
def web():
    return make_component("web-01", make_group("Tokyo"))


@pytest.fixture
def operator(client: Client, web) -> Client:
    client.force_login(make_user("operator", web.group, is_staff=True))
    return client


def columns(**more) -> dict[str, object]:
    return {
        "name": "Backup",
        "enabled": "on",
        "time_zone": "Asia/Tokyo",
        "first_day": "2026-11-20",
        "begins": "22:00",
        "length": "08:00:00",
        "repeat": "daily",
        "every": "1",
        "weekdays": "[]",
        "exceptions": "[]",
        **more,
    }


def faults(answer) -> list[str]:
    return list(answer.context["adminform"].form.errors)


def test_planning_changing_and_removing(operator, web):
    assert operator.post(f"{URL}add/", columns(component=web.pk)).status_code == 302
    period = SuspendPeriod.objects.get()
    assert (period.component, period.rule) == (web, nightly("2026-11-20T22:00", zone="Asia/Tokyo"))
    assert b"Every day 22:00" in operator.get(URL).content
    url = f"{URL}{period.pk}/change/"
    assert operator.get(url).status_code == 200
    operator.post(url, columns(name="Night", time_zone="UTC", begins="11:00"))
    period.refresh_from_db()
    assert (period.name, period.component, suspended()) == ("Night", web, {"web-01"})
    operator.post(f"{URL}{period.pk}/delete/", {"post": "yes"})
    assert (names(), suspended()) == ([], set())
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "suspend-period.create",
        "suspend-period.change",
        "suspend-period.remove",
    ]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"component": ""}, "group"),
        ({"length": "long"}, "length"),
        ({"repeat": "hourly"}, "repeat"),
        ({"weekdays": "[0"}, "weekdays"),
        ({"weekdays": "7"}, "__all__"),
        ({"exceptions": '["24.12.2026"]'}, "__all__"),
    ],
)
def test_what_is_wrong_is_said_at_once(operator, web, more, field):
    answer = operator.post(f"{URL}add/", {"component": web.pk, **columns(**more)} | more)
    assert (answer.status_code, faults(answer), names()) == (200, [field], [])


def test_what_the_service_refuses_is_said_above_the_form(operator, web):
    answer = operator.post(f"{URL}add/", columns(component=web.pk, time_zone="Asia/Edo"), follow=True)
    assert "There is no such time zone." in [str(message) for message in answer.context["messages"]]
    plan(web.group, nightly())
    answer = operator.post(f"{URL}add/", columns(component=web.pk, time_zone="UTC"), follow=True)
    assert "has this schedule already" in str(next(iter(answer.context["messages"])))
    assert names() == ["Backup"]


def test_others_do_not_exist(operator, web):
    other = plan(make_component("web-09", make_group("Osaka")), nightly(), "Hidden").period
    assert b"Hidden" not in operator.get(URL).content
    assert operator.get(f"{URL}{other.pk}/change/").status_code == 404
    assert faults(operator.post(f"{URL}add/", columns(component=other.component_id))) == ["component", "group"]
    assert names() == ["Hidden"]
