"""How entries are laid out on a calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.core.schedules import Column, Entry, bounds, by_days, month, month_of, row_of, week, week_of

BERLIN, TOKYO, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")
SUNDAY, MONDAY = 0, 1


def entry(start: str, hours: float | None, title: str = "Backup") -> Entry:
    begins = datetime.fromisoformat(f"2026-{start}").replace(tzinfo=UTC)
    return Entry(begins, None if hours is None else begins + timedelta(hours=hours), title, "/", "suspended")


def days(first: str, number: int = 7) -> list[date]:
    return [date.fromisoformat(f"2026-{first}") + timedelta(days=one) for one in range(number)]


def drawn(column: Column) -> list[tuple[str, int, int, str]]:
    return [(b.item.entry.title, b.row, b.length, f"{b.lane + 1} of {b.lanes}") for b in column.blocks]


def titles(columns: list[Column]) -> list[list[str]]:
    return [[one.entry.title for one in column.items] for column in columns]


@pytest.mark.parametrize(
    ("first_weekday", "first", "last"), [(SUNDAY, "2026-11-22", "2026-11-28"), (MONDAY, "2026-11-23", "2026-11-29")]
)
def test_a_week_begins_where_the_readers_language_has_it(first_weekday, first, last):
    found = week_of(date(2026, 11, 25), first_weekday)
    assert (len(found), str(found[0]), str(found[-1])) == (7, first, last)
    assert week_of(found[0], first_weekday) == week_of(found[6], first_weekday) == found


def test_a_month_has_whole_weeks():
    november = month_of(date(2026, 11, 25), SUNDAY)
    assert (len(november), str(november[0]), str(november[-1])) == (35, "2026-11-01", "2026-12-05")
    assert len(month_of(date(2026, 2, 28), SUNDAY)) == 28
    assert len(month_of(date(2026, 8, 1), MONDAY)) == 42


def test_days_are_those_of_the_readers_zone():
    night = entry("11-22 20:00", 4)  # in Tokyo the 23rd, from five to nine
    assert titles(by_days([night], days("11-22", 3), TOKYO)) == [[], ["Backup"], []]
    assert titles(by_days([night], days("11-22", 3), UTC_ZONE)) == [["Backup"], [], []]
    (column,) = week([night], days("11-23", 1), TOKYO)
    assert drawn(column) == [("Backup", 10, 8, "1 of 1")]


def test_across_midnight_it_stands_on_both_days():
    columns = week([entry("11-22 22:00", 8)], days("11-22", 3), UTC_ZONE)
    assert [drawn(column) for column in columns] == [
        [("Backup", 44, 4, "1 of 1")],
        [("Backup", 0, 12, "1 of 1")],
        [],
    ]


def test_each_day_says_what_begins_and_ends_on_it():
    entries = [
        entry("11-22 22:00", 26, "long"),
        entry("11-22 22:00", 2, "until midnight"),
        entry("11-23 00:00", 24, "day"),
    ]
    columns = by_days(entries, days("11-22", 2), UTC_ZONE)
    assert [[(one.entry.title, one.begins, one.ends, one.all_day) for one in column.items] for column in columns] == [
        [("long", "22:00", "", False), ("until midnight", "22:00", "24:00", False)],
        [("long", "", "24:00", True), ("day", "00:00", "24:00", True)],
    ]


def test_one_without_an_end_fills_every_day_from_its_start():
    columns = week([entry("11-23 12:00", None)], days("11-22", 3), UTC_ZONE)
    assert [drawn(column) for column in columns] == [[], [("Backup", 24, 24, "1 of 1")], [("Backup", 0, 48, "1 of 1")]]


def test_what_takes_no_time_has_room_for_its_name():
    times = (("11-22 06:10", "Power on"), ("11-22 23:50", "Power off"), ("11-23 00:00", "Report"))
    columns = week([entry(start, 0, title) for start, title in times], days("11-22", 2), UTC_ZONE)
    assert [drawn(column) for column in columns] == [
        [("Power on", 12, 2, "1 of 1"), ("Power off", 46, 2, "1 of 1")],
        [("Report", 0, 2, "1 of 1")],
    ]


def test_what_happens_at_the_same_time_stands_side_by_side():
    entries = [
        entry("11-22 01:00", 4, "long"),
        entry("11-22 01:30", 1, "short"),
        entry("11-22 03:00", 1, "after the short one"),
        entry("11-22 08:00", 1, "alone"),
    ]
    (column,) = week(entries, days("11-22", 1), UTC_ZONE)
    assert drawn(column) == [
        ("long", 2, 8, "1 of 2"),
        ("short", 3, 2, "2 of 2"),
        ("after the short one", 6, 2, "2 of 2"),
        ("alone", 16, 2, "1 of 1"),
    ]


def test_what_finds_no_room_is_counted():
    (column,) = week([entry("11-22 01:00", 2, f"{n}") for n in range(7)], days("11-22", 1), UTC_ZONE)
    assert ([block.lane for block in column.blocks], column.hidden, len(column.items)) == ([0, 1, 2, 3], 3, 7)


def test_a_month_shows_a_few_a_day():
    five = [entry(f"11-22 0{n}:00", 1, f"{n}") for n in range(5)]
    four = [entry(f"11-23 0{n}:00", 1, f"{n}") for n in range(4)]
    ((sunday, monday, *_others),) = month([*four, *five], days("11-22"), UTC_ZONE)
    assert ([one.entry.title for one in sunday.items], sunday.hidden) == (["0", "1", "2"], 2)
    assert (len(monday.items), monday.hidden) == (4, 0)


def test_a_day_on_which_the_clocks_change_has_its_own_length():
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert [
        (end - start) / timedelta(hours=1) for start, end in (bounds([spring], BERLIN), bounds([autumn], BERLIN))
    ] == [
        23,
        25,
    ]
    (column,) = week([entry("10-25 00:30", 1.5)], [autumn], BERLIN)  # from half past two to three, by way of two
    assert drawn(column) == [("Backup", 5, 2, "1 of 1")]


def test_the_row_of_now():
    assert row_of(datetime(2026, 11, 22, 11, 10, tzinfo=UTC), UTC_ZONE) == 22
    assert row_of(datetime(2026, 11, 22, 14, 59, tzinfo=UTC), TOKYO) == 47
