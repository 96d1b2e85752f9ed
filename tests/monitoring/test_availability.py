"""How long a component was how, with exact times."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apps.components.models import StatusChange
from apps.monitoring.panels import history
from apps.monitoring.services import availability
from tests.factories import make_component, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def server():
    component = make_component("web-1", status="critical", created_at=NOW - 20 * DAY)
    for days, old, new in ((12, "unknown", "normal"), (5, "normal", "warning"), (3, "warning", "unknown"),
                           (2, "unknown", "normal"), (1, "normal", "critical")):  # fmt: skip
        StatusChange.objects.create(component=component, at=NOW - days * DAY, old=old, new=new)
    return component


def shown(found: availability.Availability) -> list[tuple[str, float]]:
    return [(one.status, one.length / DAY) for one in found.stretches]


def test_the_first_change_says_what_it_was_at_the_beginning(server):
    found = availability.of(server, NOW - 7 * DAY, NOW, NOW)
    assert shown(found) == [("normal", 2), ("warning", 2), ("unknown", 1), ("normal", 1), ("critical", 1)]
    assert found.durations == {"critical": DAY, "warning": 2 * DAY, "unknown": DAY, "normal": 3 * DAY}
    assert found.changes == 4
    assert found.available == pytest.approx(100 * 5 / 7)
    assert found.answered == pytest.approx(100 * 6 / 7)


def test_before_its_registration_and_after_now_nothing_is_counted(server):
    found = availability.of(server, NOW - 30 * DAY, NOW + 30 * DAY, NOW)
    assert found.known == 20 * DAY
    assert shown(found)[0] == ("unknown", 8)


def test_a_range_in_the_past_ends_where_it_ends(server):
    assert shown(availability.of(server, NOW - 4 * DAY, NOW - 60 * HOUR, NOW)) == [("warning", 1), ("unknown", 0.5)]


def test_without_a_change_it_was_all_the_time_what_it_is(server):
    assert shown(availability.of(server, NOW - 12 * HOUR, NOW, NOW)) == [("critical", 0.5)]
    quiet = make_component(status="normal", created_at=NOW - 9 * DAY)
    assert availability.of(quiet, NOW - 7 * DAY, NOW, NOW).available == 100.0


def test_before_its_registration_nothing_is_known(server):
    found = availability.of(server, NOW - 60 * DAY, NOW - 30 * DAY, NOW)
    assert (found.available, found.answered, found.stretches) == (None, None, [])


@pytest.mark.parametrize(
    ("share", "words"), [(99.9996, "99.999"), (100.0, "100"), (50.0, "50"), (0.0, "0"), (None, "")]
)
def test_a_percentage_is_never_more_than_it_was(share, words):
    assert history._cut(share) == words


def test_the_tab_shows_the_strip_and_what_counts_as_what(client, server):
    client.force_login(make_user("viewer"))
    with time_machine.travel(NOW, tick=False):
        page = client.get(f"{server.get_absolute_url()}?tab=history&range=7d")
    panel = next(shown.content for shown in page.context["panels"] if shown.panel.name == "availability")
    assert (panel.available, panel.answered) == ("71.428", "85.714")
    assert panel.strip.count("<rect") == 6
    assert [(row.status, row.share) for row in panel.rows] == [
        ("critical", "14.285"), ("warning", "28.571"), ("unknown", "14.285"), ("normal", "42.857"),
    ]  # fmt: skip
    assert "Normal and warning count as available" in page.content.decode()


def test_more_changes_than_slots_show_the_worst_of_each(server, monkeypatch):
    monkeypatch.setattr(history, "SLOTS", 4)
    window = history.windows.Window(NOW - 8 * HOUR, NOW)
    stretches = [
        availability.Stretch("normal" if n % 2 else "warning", NOW - (8 - n) * HOUR, NOW - (7 - n) * HOUR)
        for n in range(8)
    ]
    assert history._worst_by_slot(stretches, window) == [
        ("w", 0.0, 1.0),
        ("w", 1.0, 2.0),
        ("w", 2.0, 3.0),
        ("w", 3.0, 4.0),
    ]
