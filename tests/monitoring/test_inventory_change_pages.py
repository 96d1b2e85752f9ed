"""Inventory changes on the pages of one component and of all, as files, and through the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.components.models import Component, ManagementInterface
from apps.core.models import Job
from apps.monitoring.models import InventoryChange
from apps.monitoring.panels import inventory_changes
from tests.factories import make_group, make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db

FLEET = "/components/inventory-changes/"
LAST_YEAR = datetime(2025, 5, 1, 12, tzinfo=UTC)
GONE, REPLACED = ("gone", "DIMM 1"), ("replaced", "Bay 2")


def change(interface: ManagementInterface, what: str, name: str, *facts: tuple[str, Any, Any], **about: Any) -> None:
    words = " ".join(str(value) for _label, *values in facts for value in values if value is not None)
    about = {"kind": "storage", "at": timezone.now(), "key": name, "facts": facts, "words": words, **about}
    InventoryChange.objects.create(interface=interface, change=what, name=name, **about)


@pytest.fixture
def device() -> ManagementInterface:
    """A device that lost a memory module last year and had a drive replaced now."""
    interface = fake_device()
    change(interface, *GONE, ("Size (bytes)", 2**36, None), ("Part number", "P43", None), kind="memory", at=LAST_YEAR)
    change(interface, *REPLACED, ("Serial number", "A1", "B1"), ("Size (bytes)", 960 * 10**9, 480 * 10**9))
    return interface


@pytest.fixture
def lines(client) -> Callable[..., list[tuple[str, str]]]:
    client.force_login(make_user("viewer"))

    def get(url: str, **query: Any) -> list[tuple[str, str]]:
        answer = client.get(url, query)
        assert answer.status_code == 200
        panel = answer.context["panel"] if url == FLEET else answer.context["panels"][0].content
        return [(line.row.change, line.label) for line in panel.lines]

    return get


@pytest.mark.parametrize("everywhere", [False, True])
def test_changes_are_shown_newest_first_and_filtered(lines, device, everywhere):
    url = FLEET if everywhere else device.component.get_absolute_url()

    def found(**query: Any) -> list[tuple[str, str]]:
        return lines(url, tab="inventory-changes", **query)

    assert found() == [REPLACED, GONE]
    assert found(change="gone") == [GONE]
    assert found(change=["gone", "replaced"]) == [REPLACED, GONE]
    assert found(kind="storage") == [REPLACED]
    assert found(since="2025-05-02") == [REPLACED]
    assert found(since="2025-05-01") == [REPLACED, GONE]
    assert found(q="b1 bay") == [REPLACED]
    assert found(q="p43") == [GONE]
    assert found(q=device.component.name) == [REPLACED, GONE]
    assert found(q="nothing") == []
    assert found(change="x", kind="x", since="x", before="x") == [REPLACED, GONE]  # nonsense is left out
    assert found(before=InventoryChange.objects.get(change="replaced").pk) == [GONE]


def test_what_was_before_stands_beside_what_is_now(client, device):
    client.force_login(make_user("viewer"))
    for url in (FLEET, f"{device.component.get_absolute_url()}?tab=inventory-changes"):
        text = " ".join(client.get(url).content.decode().replace("\N{NO-BREAK SPACE}", " ").split())
        assert '<span class="txt brk">A1</span> <span aria-hidden="true">→</span>' in text
        assert '<span class="txt num">894 GiB</span>' in text
        assert '<span class="txt num">64 GiB</span>' in text  # of the module that is gone
    part = client.get(FLEET, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Bay 2" in part


def test_the_newest_stand_beside_the_inventory(client, device):
    client.force_login(make_user("viewer"))
    url = f"{device.component.get_absolute_url()}?tab=inventory"
    panels = {view.panel.name: view.content for view in client.get(url).context["panels"]}
    assert [line.label for line in panels["newest-changes"]] == ["Bay 2", "DIMM 1"]
    other = fake_device().component
    page = client.get(f"{other.get_absolute_url()}?tab=inventory").content.decode()
    assert "No part has changed since the parts were first read." in page
    assert "Read again now" not in page  # a viewer asks no device


def test_who_reads_again_comes_back_to_the_inventory(client, device):
    client.force_login(make_user("operator"))
    url = device.component.get_absolute_url()
    assert "Read again now" in client.get(f"{url}?tab=inventory").content.decode()
    answer = client.post(f"{url}refresh/", {"tab": "inventory"})
    assert answer.url == f"{url}?tab=inventory"
    assert Job.objects.get().kind == "refresh"
    assert client.post(f"{url}refresh/", {"tab": "//elsewhere"}).url == Job.objects.latest("pk").get_absolute_url()


def test_older_ones_are_one_page_further(client, device):
    for number in range(inventory_changes.PER_PAGE):
        change(device, "appeared", f"Fan {number}", kind="other")
    client.force_login(make_user("viewer"))
    first = client.get(FLEET).context["panel"]
    assert (len(first.lines), first.newest) == (50, True)
    second = client.get(FLEET, {"before": first.older}).context["panel"]
    assert [line.label for line in second.lines] == ["Bay 2", "DIMM 1"]
    assert (second.older, second.newest) == (None, False)


def _looks(client, url: str) -> int:
    """Count the statements about changes and their devices; what a session costs depends on the time."""
    with CaptureQueriesContext(connection) as asked:
        client.get(url)
    tables = ("monitoring_inventorychange", "components_managementinterface", "components_component")
    return sum(any(f'FROM "{table}"' in one["sql"] for table in tables) for one in asked.captured_queries)


def test_many_cost_no_more_queries_than_few(client, device):
    client.force_login(make_user("viewer"))
    urls = (FLEET, f"{device.component.get_absolute_url()}?tab=inventory-changes", "/api/v1/inventory-changes/")
    for url in urls:
        few = _looks(client, url)
        for number in range(20):
            change(device if url == urls[1] else fake_device(), "appeared", f"Fan {number}")
        assert _looks(client, url) == few > 0


def test_the_files_hold_what_is_filtered(client, device):
    client.force_login(make_user("viewer"))
    for url in ("/components/inventory-changes.csv", f"{device.component.get_absolute_url()}inventory-changes.csv"):
        answer = client.get(url, {"change": "replaced"})
        rows = [line.split(",") for line in b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()]
        assert rows[0][-4:] == ["Change", "Detail", "Before", "After"]
        assert [row[-4:] for row in rows[1:]] == [
            ["Replaced", "Serial number", "A1", "B1"],
            ["Replaced", "Size", "960000000000", "480000000000"],
        ]
        assert rows[1][1] == device.component.name


def test_changes_stand_in_the_line_of_events(client, device):
    client.force_login(make_user("viewer"))
    answer = client.get(device.component.get_absolute_url(), {"tab": "events", "kind": "inventory-changes"})
    (view,) = answer.context["panels"]
    told = [(str(row.event.title), row.event.state, list(row.event.changes)) for row in view.content.rows]
    assert told == [
        ("Bay 2: Replaced", "information", [("Serial number", "A1", "B1")]),
        ("DIMM 1: Gone", "warning", []),
    ]


def test_others_see_none_of_it(client, device):
    client.force_login(make_user("viewer", make_group("elsewhere")))
    url = device.component.get_absolute_url()
    assert client.get(FLEET).context["panel"].lines == []
    assert len(b"".join(client.get("/components/inventory-changes.csv").streaming_content).splitlines()) == 1
    assert client.get(f"{url}inventory-changes.csv").status_code == 404
    assert client.get("/api/v1/inventory-changes/").json()["count"] == 0
    assert client.get(f"/api/v1/components/{device.component_id}/inventory-changes/").status_code == 404
    assert client.get(f"/api/v1/inventory-changes/{InventoryChange.objects.latest('pk').pk}/").status_code == 404


# --- the API -------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(client) -> Callable[..., list[dict[str, Any]]]:
    client.force_login(make_user("viewer"))

    def get(of: Component | None, /, **query: Any) -> list[dict[str, Any]]:
        place = f"components/{of.pk}/" if of else ""
        answer = client.get(f"/api/v1/{place}inventory-changes/", query)
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]

    return get


def test_the_api_gives_changes_with_all_they_have(listed, client, device):
    row = InventoryChange.objects.get(change="replaced")
    wanted = {
        "id": row.pk,
        "component": device.component_id,
        "component_name": device.component.name,
        "interface": device.pk,
        "noticed_at": row.at.isoformat().replace("+00:00", "Z"),
        "change": "replaced",
        "kind": "storage",
        "key": "Bay 2",
        "name": "Bay 2",
        "facts": [
            {"label": "Serial number", "before": "A1", "after": "B1"},
            {"label": "Size (bytes)", "before": 960 * 10**9, "after": 480 * 10**9},
        ],
    }
    assert [found["id"] for found in listed(device.component)] == [row.pk, row.pk - 1]
    assert listed(None)[0] == wanted
    assert listed(device.component)[0] == wanted
    assert client.get(f"/api/v1/inventory-changes/{row.pk}/").json() == wanted


def test_the_api_filters(listed, client, device):
    other = fake_device()
    change(other, "changed", "Bay 2", ("Firmware", "1", "2"))

    def found(of: Component | None = None, /, **query: Any) -> list[tuple[str, str]]:
        return [(row["change"], row["name"]) for row in listed(of, **query)]

    changed = ("changed", "Bay 2")
    assert found() == [changed, REPLACED, GONE]
    assert found(component=other.component_id) == found(interface=other.pk) == found(other.component) == [changed]
    assert found(change=["gone", "changed"]) == [changed, GONE]
    assert found(kind="memory") == found(key="DIMM 1") == found(q="p43") == [GONE]
    assert found(device.component, key="Bay 2") == [REPLACED]
    assert found(noticed_before=(LAST_YEAR + timedelta(1)).isoformat()) == [GONE]
    assert found(noticed_after=(LAST_YEAR + timedelta(1)).isoformat()) == [changed, REPLACED]
    for place in ("", f"components/{device.component_id}/"):
        for wrong in ("change=x", "kind=x", "interface=x", "noticed_after=x", "page=0", "colour=red"):
            assert client.get(f"/api/v1/{place}inventory-changes/?{wrong}").status_code == 400, wrong
        assert client.post(f"/api/v1/{place}inventory-changes/", {}).status_code in (403, 405)
