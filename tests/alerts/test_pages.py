"""The pages of alerts, as people of different rights meet them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import Arrival, ingest
from apps.core import menu
from tests.factories import make_component, make_group, make_user
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

LIST = "/alerts/"
HTMX = {"HTTP_HX_REQUEST": "true"}


def signed_in(role: str | None = "operator", group=None) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user(role, group))
    return client


@pytest.fixture
def operator() -> Client:
    return signed_in()


def arrive(key: str | None, component=None, **more) -> Alert:
    definition = AlertDefinition.objects.get(key=key) if key else None
    (alert,) = ingest([Arrival("snmp-trap", timezone.now(), definition, component, **more)])
    return alert


def rows_of(answer) -> list[int]:
    return [row.alert.pk for row in answer.context["page"].rows]


def test_the_list_opens_with_the_latest_alert_of_every_open_problem(operator):
    web, db = make_component("web-01"), make_component("db-01")
    arrive("linkDown", web, object="3")
    latest = arrive("linkDown", web, object="3")
    other = arrive("authenticationFailure", db)
    arrive("coldStart", db)
    answer = operator.get(LIST)
    assert rows_of(answer) == [other.pk, latest.pk]
    page = answer.content.decode()
    assert f'id="alert-{latest.pk}"' in page
    assert "Link of 3 went down" in page
    assert "web-01" in page
    assert [(tab.value, tab.count) for tab in answer.context["tabs"]] == [
        ("open", 2),
        ("acknowledged", 0),
        ("all", None),
        ("unmatched", 0),
    ]
    assert menu.counts_for(make_user("viewer"), "alerts") == {"warning": 2}


def test_filters_stand_in_the_address(operator):
    web = make_component("web-01")
    down, cold = arrive("linkDown", web), arrive("coldStart", make_component("db-01"))
    lost = arrive("portal.access-lost", web)
    unknown = arrive(None, address="192.0.2.66", trap_oid="1.3.6.1.4.1.9.9")
    assert rows_of(operator.get(f"{LIST}?show=all")) == [lost.pk, cold.pk, down.pk]
    assert rows_of(operator.get(f"{LIST}?show=all&severity=warning")) == [down.pk]
    assert rows_of(operator.get(f"{LIST}?show=all&alert_type=Portal")) == [lost.pk]
    assert rows_of(operator.get(f"{LIST}?show=all&q=web+down")) == [down.pk]
    assert rows_of(operator.get(f"{LIST}?show=all&component={web.pk}")) == [lost.pk, down.pk]
    assert rows_of(operator.get(down.incident.alerts_url)) == [down.pk]
    assert rows_of(operator.get(f"{LIST}?show=unmatched")) == [unknown.pk]
    nothing = operator.get(f"{LIST}?show=all&q=nowhere")
    assert "No alert matches these filters" in nothing.content.decode()
    assert operator.get(f"{LIST}?show=x&severity=y&component=z&before=w").status_code == 200


def test_an_empty_list_says_so(operator):
    assert "No open problem waits for anybody" in operator.get(LIST).content.decode()
    assert "Every alert was recognised" in operator.get(f"{LIST}?show=unmatched").content.decode()


def test_the_list_is_walked_back_by_id(operator):
    component = make_component()
    ids = [arrive("coldStart", component).pk for _ in range(55)][::-1]
    first = operator.get(f"{LIST}?show=all")
    assert rows_of(first) == ids[:50]
    assert f"before={ids[49]}" in first.content.decode()
    arrive("coldStart", component)
    assert rows_of(operator.get(f"{LIST}?show=all&before={ids[49]}")) == ids[50:]


def test_the_part_is_given_to_htmx_and_the_drawer_to_whoever_opens_a_row(operator):
    bindings = ({"oid": "1.3.6.1.2.1.2.2.1.1.3", "type": "Integer", "value": "3"},)
    alert = arrive("linkDown", make_component("web-01"), object="3", bindings=bindings, address="192.0.2.1")
    part = operator.get(LIST, **HTMX).content.decode()
    assert "<html" not in part
    assert f'hx-get="/alerts/{alert.pk}/"' in part

    drawer = operator.get(f"/alerts/{alert.pk}/", **HTMX).content.decode()
    assert "<html" not in drawer
    for text in ("Check the cable", "1.3.6.1.2.1.2.2.1.1.3", "192.0.2.1", "linkDown", "Acknowledge"):
        assert text in drawer

    page = operator.get(f"/alerts/{alert.pk}/").content.decode()
    assert "<html" in page
    assert "Check the cable" in page
    assert 'data-close-url="/alerts/"' in page


def test_ticked_problems_are_acknowledged_with_a_note_and_a_time(operator):
    incidents = [arrive("linkDown", make_component()).incident_id for _ in range(2)]
    url = reverse("alerts:acknowledge")
    dialog = operator.get(url, {"incident": incidents}, HTTP_HX_CURRENT_URL="http://testserver/alerts/?q=x", **HTMX)
    assert 'value="http://testserver/alerts/?q=x"' in dialog.content.decode()
    until = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    body = {"incident": incidents, "note": "cable ordered", "until": until, "next": "/alerts/?q=x"}
    answer = operator.post(url, body, **HTMX)
    assert answer.headers["HX-Redirect"] == "/alerts/?q=x"
    assert set(Incident.objects.values_list("state", "note")) == {("acknowledged", "cable ordered")}
    page = operator.get(f"{LIST}?show=acknowledged")
    assert len(rows_of(page)) == 2
    assert "2 problems acknowledged." in page.content.decode()


def test_a_time_in_the_past_is_refused_beside_its_field(operator):
    incident = arrive("linkDown", make_component()).incident
    body = {"incident": [incident.pk], "until": "2001-01-01T00:00"}
    answer = operator.post(reverse("alerts:acknowledge"), body, **HTMX)
    assert answer.status_code == 400
    assert "Enter a time in the future." in answer.content.decode()
    incident.refresh_from_db()
    assert incident.state == "open"


def test_a_problem_is_closed_without_script_too_and_nobody_is_led_elsewhere(operator):
    incident = arrive("linkDown", make_component()).incident
    url = reverse("alerts:close")
    assert "Close problem" in operator.get(url, {"incident": incident.pk}).content.decode()
    answer = operator.post(url, {"incident": incident.pk, "next": "https://example.org/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/alerts/")
    incident.refresh_from_db()
    assert incident.state == "closed"
    assert incident.closed_by_name


def test_nobody_signed_in_is_sent_to_the_sign_in_page():
    alert = arrive("linkDown", make_component())
    for path in (LIST, f"/alerts/{alert.pk}/", f"/alerts/acknowledge/?incident={alert.incident_id}"):
        answer = Client(REMOTE_ADDR="127.0.0.1").get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login/")


def test_a_viewer_sees_no_boxes_and_may_not_act():
    incident = arrive("linkDown", make_component()).incident
    viewer = signed_in("viewer")
    page = viewer.get(LIST).content.decode()
    assert 'name="incident"' not in page
    assert 'hx-get="/alerts/acknowledge/' not in page
    assert "Close problem" not in viewer.get(f"/alerts/{incident.alerts.get().pk}/").content.decode()
    for verb in ("acknowledge", "close"):
        assert viewer.post(reverse(f"alerts:{verb}"), {"incident": incident.pk}).status_code == 403
    incident.refresh_from_db()
    assert incident.state == "open"


def test_what_is_in_another_group_does_not_exist():
    ours, theirs = make_group(), make_group()
    mine = arrive("linkDown", make_component(group=ours))
    other = arrive("linkDown", make_component(group=theirs))
    unassigned = arrive("linkDown", None, address="192.0.2.5")
    client = signed_in("operator", ours)
    assert rows_of(client.get(LIST)) == [mine.pk]
    assert rows_of(client.get(f"{LIST}?show=all")) == [mine.pk]
    assert client.get(LIST).context["tabs"][0].count == 1
    for hidden in (other, unassigned):
        assert client.get(f"/alerts/{hidden.pk}/").status_code == 404
        body = {"incident": [mine.incident_id, hidden.incident_id]}
        assert client.post(reverse("alerts:close"), body).status_code == 404
    assert set(Incident.objects.values_list("state", flat=True)) == {"open"}
    assert rows_of(signed_in(None).get(LIST)) == []


def test_an_alert_of_several_candidates_is_assigned_in_its_drawer(operator):
    two = [make_component(name).pk for name in ("left", "right")]
    alert = arrive("linkDown", None, address="192.0.2.5", candidates=tuple(two))
    assert "It was right" in operator.get(f"/alerts/{alert.pk}/").content.decode()
    third = make_component("neither")
    assert operator.post(f"/alerts/{alert.pk}/assign/", {"component": third.pk}).status_code == 404
    limited = signed_in("operator", make_group())
    assert limited.post(f"/alerts/{alert.pk}/assign/", {"component": two[1]}).status_code == 404
    assert Alert.objects.get().component is None
    assert operator.post(f"/alerts/{alert.pk}/assign/", {"component": two[1]}).status_code == 302
    assert Alert.objects.get().component_name == "right"


def test_a_list_costs_the_same_for_one_row_and_for_fifty(operator):
    costs = []
    for number in (1, 48):
        for _ in range(number):
            arrive("linkDown", make_component())
        costs.append(statements_of(lambda: operator.get(LIST)))
    assert costs[0] == costs[1]


def test_a_components_page_shows_its_problems_and_alerts(operator):
    web = make_component("web-01")
    for number in (1, 2):
        arrive("linkDown", web, object=str(number))
    arrive("linkDown", make_component("db-01"), object="9")
    overview = operator.get(f"/components/{web.pk}/").content.decode()
    assert 'id="panel-incidents"' in overview
    assert "Link of 2 went down" in overview
    tab = operator.get(f"/components/{web.pk}/?tab=alerts")
    page = tab.content.decode()
    assert "Link of 1 went down" in page
    assert "Link of 9 went down" not in page
    assert [view.count for view in tab.context["tabs"] if view.tab.name == "alerts"] == [2]


def test_the_alerts_of_a_component_are_fetched_again_when_alerts_arrive(operator):
    web = make_component("web-01")
    page = operator.get(f"/components/{web.pk}/?tab=alerts").content.decode()
    assert 'hx-trigger="sse:status, sse:component, sse:alert"' in page
    overview = operator.get(f"/components/{web.pk}/").content.decode()
    assert 'hx-trigger="sse:status, sse:component"' in overview


def test_the_top_of_every_page_says_that_its_numbers_are_open_problems(operator):
    for number in (1, 2):
        arrive("linkDown", make_component(), object=str(number))
    page = operator.get("/pulse/").content.decode()
    assert 'title="Open problems"' in page
    assert " ".join(page[page.index('<span class="sr">') :].split()).startswith(
        '<span class="sr"> 2 open warnings </span>'
    )
