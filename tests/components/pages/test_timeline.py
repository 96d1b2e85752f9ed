"""What happened to a component, from all sources in one line; walked without losing or doubling any."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import QuerySet

from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.components.models import StatusChange
from apps.components.panels import timeline
from apps.components.services import registration
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry, Job, JobStep
from tests.factories import make_component, make_group, ship_definitions
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def server():
    """A server with one event of each kind, a minute apart."""
    ship_definitions()
    component = make_component("web-1", make_group("Tokyo"))
    StatusChange.objects.create(component=component, at=START, old="normal", new="critical", text="Fan 4 fails")
    definition = AlertDefinition.objects.get(key="portal.access-lost")
    incident = Incident.objects.create(
        component=component, place=f"component {component.pk}", definition=definition, severity="critical",
        title="No answer", state="closed", acknowledged_at=START + 2 * MINUTE, acknowledged_by_name="anna",
        note="on my way", closed_at=START + 4 * MINUTE, closed_by_name="ben",
    )  # fmt: skip
    Alert.objects.create(
        component=component, received_at=START + MINUTE, severity="critical", title="No answer", source="portal",
        incident=incident,
    )  # fmt: skip
    job = Job.objects.create(kind="check", title="Check", created_by_name="cleo", created_at=START + 3 * MINUTE)
    JobStep.objects.create(
        job=job, target="web-1", component=component.pk, group=component.group_id, state="failed", message="silent"
    )
    AuditEntry.objects.create(
        at=START + 5 * MINUTE, actor_kind="user", actor_name="dora", action="component.change",
        object_type="components.component", object_id=str(component.pk), object_name="web-1",
        before={"alias": "", "unmanaged": False}, after={"alias": "front", "unmanaged": True},
    )  # fmt: skip
    return component


def panel(client, component, **query):
    page = client.get(component.get_absolute_url(), {"tab": "events", **query})
    assert page.status_code == 200
    return next(view.content for view in page.context["panels"] if view.panel.name == "events")


def told(found) -> list[tuple[str, str, str, str]]:
    return [(row.source.kind, str(row.event.title), row.event.state, row.event.who) for row in found.rows]


def test_everything_stands_in_one_line_newest_first(browser, server):
    found = panel(browser, server)
    assert told(found) == [
        ("audit", "Settings of a component changed", "", "dora"),
        ("alerts", "Ended: No answer", "closed", "ben"),
        ("job", "Check", "failed", "cleo"),
        ("alerts", "Acknowledged: No answer", "acknowledged", "anna"),
        ("alerts", "No answer", "critical", ""),
        ("status", "Critical", "critical", ""),
    ]
    assert list(found.rows[0].event.changes) == [("Alias", "–", "front"), ("Not managed", "No", "Yes")]
    assert [found.rows[place].event.detail for place in (2, 3, 5)] == ["silent", "on my way", "Fan 4 fails"]
    assert (found.older, found.newest) == (None, True)


def test_kinds_are_chosen_in_the_address(browser, server):
    assert [kind for kind, *_rest in told(panel(browser, server, kind=["job", "status"]))] == ["job", "status"]
    assert len(told(panel(browser, server, kind="nonsense"))) == 6


def test_the_line_goes_back_to_a_day(browser, server):
    QuerySet(AuditEntry).update(at=START + timedelta(days=2))
    assert [kind for kind, *_rest in told(panel(browser, server, until="2026-03-01"))][:1] == ["alerts"]
    assert told(panel(browser, server, until="2026-02-28")) == []
    for nonsense in ("soon", "2026-99-99", "9999-12-31"):
        assert len(told(panel(browser, server, until=nonsense))) == 6


def test_the_line_is_walked_without_losing_or_doubling_any(browser, server, monkeypatch):
    monkeypatch.setattr(timeline, "PER_PAGE", 3)
    same = START + 30 * MINUTE
    for number in range(4):
        StatusChange.objects.create(component=server, at=same, old="normal", new="warning", text=f"change {number}")
        Alert.objects.create(component=server, received_at=same, severity="normal", title=f"alert {number}", source="x")
    seen, before = [], ""
    while True:
        found = panel(browser, server, before=before)
        seen += [(row.name, row.pk) for row in found.rows]
        if found.older is None:
            break
        assert len(found.rows) == 3
        before = found.older
    assert len(seen) == len(set(seen)) == 14
    assert [name for name, _pk in seen[:8]] == ["alert"] * 4 + ["status"] * 4
    pks = [pk for name, pk in seen[:8] if name == "status"]
    assert pks == sorted(pks, reverse=True)


@pytest.mark.parametrize("before", ["x", "1.", "..", "99999999999999999999.status.1", "1.status.x", "-1.status.1"])
def test_nonsense_as_a_place_is_the_beginning(browser, server, before):
    assert panel(browser, server, before=before).newest


def test_the_audit_is_shown_to_those_who_may_read_it(browser_of, server):
    kinds = {kind for kind, *_rest in told(panel(browser_of("viewer"), server))}
    assert kinds == {"alerts", "job", "status"}
    assert [kind.value for kind in panel(browser_of("viewer"), server).kinds] == ["alerts", "job", "status"]


def test_what_belongs_to_another_component_is_not_in_it(browser, server):
    other = make_component("web-2", server.group)
    StatusChange.objects.create(component=other, at=START, old="normal", new="warning")
    assert len(told(panel(browser, server))) == 6
    assert len(told(panel(browser, other))) == 1


def test_an_act_of_the_services_reads_well(browser, server):
    registration.change(server, {"alias": "front"}, SYSTEM)
    event = panel(browser, server).rows[0].event
    assert (str(event.title), list(event.changes)) == ("Settings of a component changed", [("Alias", "–", "front")])


def test_the_line_costs_the_same_for_one_event_and_for_sixty(browser, server):
    url = f"{server.get_absolute_url()}?tab=events"
    few = statements_of(lambda: browser.get(url))
    for number in range(60):
        at = START + number * MINUTE
        StatusChange.objects.create(component=server, at=at, old="normal", new="warning")
        Alert.objects.create(component=server, received_at=at, severity="normal", title="x", source="x")
        job = Job.objects.create(kind="check", title="Check", created_by_name="cleo", created_at=at)
        JobStep.objects.create(job=job, target="x", component=server.pk, group=server.group_id)
    assert statements_of(lambda: browser.get(url)) == few
