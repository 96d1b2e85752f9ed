"""The stretch of time that stands in a page's address."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.monitoring import windows
from apps.monitoring.time_range import BadRange
from apps.monitoring.windows import RANGES, Window

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("word", RANGES)
def test_a_range_ends_now(word):
    window = windows.of({"range": word})
    assert (window.end, window.length, window.query) == (NOW, RANGES[word][1], {"range": word})


def test_from_and_to_are_the_readers_times():
    with timezone.override(zoneinfo.ZoneInfo("Asia/Tokyo")):
        window = windows.of({"from": "2026-03-01T09:00", "to": "2026-03-02T09:30", "range": ""})
        assert window == Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, 0, 30, tzinfo=UTC))
        assert window.query == {"from": "2026-03-01T09:00", "to": "2026-03-02T09:30"}


def test_a_range_wins_over_times_that_were_left_in_the_form():
    assert windows.of({"range": "7d", "from": "2026-03-01T09:00", "to": ""}).word == "7d"


def test_the_time_before_is_as_long_and_ends_where_it_begins():
    window = windows.of({"range": "24h"})
    assert window.before == Window(NOW - timedelta(days=2), NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "soon"}, "from"),
        ({"to": "0999-01-01T00:00"}, "to"),
        ({"from": "2026-03-02T00:00", "to": "2026-03-01T00:00"}, "from"),
    ],
)
def test_what_cannot_be_is_named_and_the_usual_range_shown(query, field):
    with pytest.raises(BadRange) as error:
        windows.of(query)
    assert error.value.field == field
    window, wrong = windows.forgiving(query)
    assert window.word == windows.USUAL
    assert wrong is not None
    assert wrong.field == field


def test_nothing_and_nonsense_are_the_usual_range():
    assert windows.of({}).word == "24h"
    assert windows.of({"range": "soon"}, "7d").word == "7d"
