"""The first page: counts, heat map, what needs attention, and what an empty portal says."""

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from apps.alerts.models import AlertDefinition, Incident
from apps.alerts.services.loading import load
from apps.components.models import StatusChange
from apps.portal.dashboard import heat_map
from tests.factories import make_component, make_group, make_user, root_group
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
DASHBOARD = reverse("portal:dashboard")


@pytest.fixture
def sites():
    """Two sites: one with a failed and a suspended server, one well."""
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    make_component("web-1", tokyo, status="critical", disk=91.0)
    make_component("web-2", tokyo, status="normal", unmanaged=True)
    make_component("db-1", osaka, status="normal", disk=20.0)
    return tokyo, osaka


def figures(page) -> dict[str, int]:
    """Give the numbers of the status strip."""
    return {figure.state: figure.number for figure in page.context["strip"].figures}


def test_an_empty_portal_says_what_to_do_first(client):
    client.force_login(make_user("administrator"))
    text = client.get(DASHBOARD).content.decode()
    assert "Nothing is managed yet" in text
    assert reverse("components:add") in text


def test_a_viewer_of_nothing_is_not_offered_to_register(client, sites):
    client.force_login(make_user(None))
    text = client.get(DASHBOARD).content.decode()
    assert "Ask an administrator for a group" in text
    assert reverse("components:add") not in text


def test_the_strip_counts_every_component_once(client, sites):
    client.force_login(make_user("viewer"))
    page = client.get(DASHBOARD)
    assert page.context["total"] == 3
    assert figures(page) == {"critical": 1, "warning": 0, "unknown": 0, "suspended": 1, "normal": 1}
    assert [row.name for row in page.context["disks"]] == ["web-1", "db-1"]


def test_a_group_is_shown_alone_and_a_hidden_one_not_at_all(client, sites):
    tokyo, osaka = sites
    client.force_login(make_user("viewer", tokyo))
    assert figures(client.get(f"{DASHBOARD}?group={tokyo.pk}"))["critical"] == 1
    everything = client.get(f"{DASHBOARD}?group={osaka.pk}")
    assert everything.context["total"] == 2
    assert "Osaka" not in everything.content.decode()


def test_the_heat_map_has_a_named_cell_for_each_and_escapes_names(client, sites):
    tokyo, _osaka = sites
    make_component('<b>"x"', tokyo, status="warning")
    client.force_login(make_user("viewer"))
    text = client.get(DASHBOARD).content.decode()
    assert 'title="web-1 — Critical"' in text
    assert "&lt;b&gt;&quot;x&quot; — Warning" in text
    assert "<b>" not in text.split('class="cells"')[1].split("</div>")[0]


def test_a_large_fleet_shows_its_exceptions_only(client, sites, monkeypatch):
    monkeypatch.setattr(heat_map, "CELLS", 2)
    client.force_login(make_user("viewer"))
    page = client.get(DASHBOARD)
    clusters = {
        cluster.name: (cluster.total, [cell.name for cell in cluster.cells]) for cluster in page.context["map"].clusters
    }
    assert clusters == {"Osaka": (1, []), "Tokyo": (2, ["web-1"])}
    assert "only those that are not normal" in page.content.decode()


def test_open_problems_and_changes_are_listed_for_those_who_may_see_them(client, sites):
    tokyo, osaka = sites
    load(settings.FIXTURES_DIR / "alert_definitions")
    server = tokyo.components.get(name="web-1")
    definition = AlertDefinition.objects.get(key="portal.access-lost")
    Incident.objects.create(
        component=server,
        component_name="web-1",
        place=Incident.place_of(server.pk, None),
        definition=definition,
        severity="critical",
        title="No answer from web-1",
    )
    StatusChange.objects.create(component=server, old="normal", new="critical", at=timezone.now())
    client.force_login(make_user("viewer", tokyo))
    page = client.get(DASHBOARD)
    assert [str(row.incident.title) for row in page.context["attention"].rows] == ["No answer from web-1"]
    assert [change.component.name for change in page.context["changes"]] == ["web-1"]
    client.force_login(make_user("viewer", osaka))
    page = client.get(DASHBOARD)
    assert (page.context["attention"].rows, page.context["changes"]) == ([], [])


def test_the_dashboard_costs_the_same_for_one_component_and_for_sixty(client):
    client.force_login(make_user("viewer"))
    make_component(group=root_group(), disk=1.0, cpu=1.0)
    few = statements_of(lambda: client.get(DASHBOARD))
    for _ in range(59):
        make_component(disk=1.0, cpu=1.0)
    assert statements_of(lambda: client.get(DASHBOARD)) == few
