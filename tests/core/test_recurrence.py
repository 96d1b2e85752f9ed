"""When a rule has an occurrence: exact times over changes of the clocks, leap days, month ends and midnight."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from apps.core.recurrence import LAST, Occurrence, Repeat, Rule, instant, wall, zone_named

BERLIN, TOKYO, NEW_YORK = "Europe/Berlin", "Asia/Tokyo", "America/New_York"
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rule(first: str, hours: float | None = 1.0, zone: str = "UTC", **more) -> Rule:
    length = None if hours is None else timedelta(hours=hours)
    return Rule(zone, datetime.fromisoformat(first), length, **more)


def starts(given: Rule, after: str, number: int = 4) -> list[str]:
    """Give the next starts as the wall of the rule's zone shows them."""
    zone = ZoneInfo(given.zone)
    return [f"{wall(one.start, zone):%a %Y-%m-%d %H:%M}" for one in islice(given.following(utc(after)), number)]


def spans(given: Rule, start: str, end: str) -> list[tuple[str, str]]:
    shape = "%m-%d %H:%M"
    return [(f"{one.start:{shape}}", f"{one.end:{shape}}") for one in given.between(utc(start), utc(end))]


class TestOnce:
    """A single occurrence, with an end or without."""

    def test_it_is_in_force_from_its_start_up_to_its_end(self):
        once = rule("2026-11-22T07:00", 8, TOKYO)
        found = once.current_or_next(utc("2026-01-01"))
        assert found == Occurrence(utc("2026-11-21T22:00"), utc("2026-11-22T06:00"), date(2026, 11, 22))
        assert once.at(utc("2026-11-21T21:59:59.999")) is None
        assert once.at(utc("2026-11-21T22:00")) == found
        assert once.at(utc("2026-11-22T05:59:59.999")) == found
        assert once.at(utc("2026-11-22T06:00")) is None
        assert once.current_or_next(utc("2026-11-22T06:00")) is None

    def test_without_an_end_it_stays_until_somebody_ends_it(self):
        once = rule("2026-11-22T07:00", None)
        assert once.at(utc("2999-01-01")).end is None
        assert list(once.between(utc("2030-01-01"), utc("2030-01-02"))) == [once.at(utc("2030-01-01"))]
        assert list(once.between(utc("2026-01-01"), utc("2026-01-02"))) == []
        ended = rule("2026-11-22T07:00", None, cut={date(2026, 11, 22): utc("2026-11-22T09:30")})
        assert ended.at(utc("2026-11-22T09:29")).end == utc("2026-11-22T09:30")
        assert ended.at(utc("2026-11-22T09:30")) is None

    def test_one_that_was_ended_before_it_began_does_not_happen(self):
        for hours in (2, None):
            never = rule("2026-11-22T07:00", hours, cut={date(2026, 11, 22): utc("2026-11-22T06:59")})
            assert list(never.following(utc("2026-01-01"))) == []


class TestDaily:
    """Every day, or every so many days."""

    def test_across_midnight(self):
        nightly = rule("2026-11-01T22:00", 8, TOKYO, repeat=Repeat.DAILY)
        night = nightly.at(utc("2026-11-22T20:59"))  # 05:59 in Tokyo
        assert (night.day, night.end) == (date(2026, 11, 22), utc("2026-11-22T21:00"))
        assert nightly.at(utc("2026-11-22T21:00")) is None
        assert nightly.at(utc("2026-11-01T05:00")) is None  # the night before the first one

    def test_every_third_day_counts_from_the_first(self):
        third = rule("2026-02-27T12:00", repeat=Repeat.DAILY, every=3)
        assert starts(third, "2028-02-26") == [
            "Sat 2028-02-26 12:00",
            "Tue 2028-02-29 12:00",
            "Fri 2028-03-03 12:00",
            "Mon 2028-03-06 12:00",
        ]

    def test_longer_than_its_period_it_goes_on_without_a_gap(self):
        always = rule("2026-01-01T06:00", 30, repeat=Repeat.DAILY)
        found = always.at(utc("2026-01-05T07:00"))
        assert found.day == date(2026, 1, 5)  # of two, the one that ends last
        assert always.current_or_next(utc("2026-01-05T07:00")).day == date(2026, 1, 4)

    def test_the_series_ends_with_an_occurrence_that_begins_on_the_last_day(self):
        some = rule("2026-12-30T23:00", 2, repeat=Repeat.DAILY, last_day=date(2026, 12, 31))
        assert spans(some, "2026-12-01", "2027-02-01") == [
            ("12-30 23:00", "12-31 01:00"),
            ("12-31 23:00", "01-01 01:00"),
        ]
        assert some.at(utc("2027-01-01T00:59")) is not None
        assert some.current_or_next(utc("2027-01-01T01:00")) is None

    def test_days_that_are_left_out(self):
        christmas = frozenset({date(2026, 12, 24), date(2026, 12, 25)})
        nightly = rule("2026-01-01T22:00", 8, repeat=Repeat.DAILY, exceptions=christmas)
        assert starts(nightly, "2026-12-24T12:00", 2) == ["Sat 2026-12-26 22:00", "Sun 2026-12-27 22:00"]
        assert nightly.at(utc("2026-12-24T05:00")) is not None  # of the 23rd
        assert nightly.at(utc("2026-12-25T05:00")) is None
        assert nightly.occurrence(date(2026, 12, 24)) is None
        assert nightly.occurrence(date(2026, 12, 23)).end == utc("2026-12-24T06:00")

    def test_one_that_was_ended_early_leaves_the_others_as_they_are(self):
        nightly = rule("2026-01-01T22:00", 8, repeat=Repeat.DAILY, cut={date(2026, 5, 5): utc("2026-05-05T23:10")})
        assert spans(nightly, "2026-05-04T22:00", "2026-05-07T22:00") == [
            ("05-04 22:00", "05-05 06:00"),
            ("05-05 22:00", "05-05 23:10"),
            ("05-06 22:00", "05-07 06:00"),
        ]


class TestWeekly:
    """On some days of the week."""

    def test_the_first_that_fits_may_be_later_than_the_first_day(self):
        weekly = rule("2026-11-25T01:00", 2, TOKYO, repeat=Repeat.WEEKLY, weekdays=frozenset({SUN, TUE}))
        assert starts(weekly, "2026-01-01", 3) == [
            "Sun 2026-11-29 01:00",
            "Tue 2026-12-01 01:00",
            "Sun 2026-12-06 01:00",
        ]

    def test_without_a_weekday_it_is_that_of_the_first_day(self):
        assert starts(rule("2026-11-25T01:00", repeat=Repeat.WEEKLY), "2026-11-26", 1) == ["Wed 2026-12-02 01:00"]

    def test_every_other_week_counts_whole_weeks_from_monday(self):
        other = rule("2026-11-26T08:00", repeat=Repeat.WEEKLY, every=2, weekdays=frozenset({MON, FRI}))
        assert starts(other, "2026-01-01") == [
            "Fri 2026-11-27 08:00",
            "Mon 2026-12-07 08:00",
            "Fri 2026-12-11 08:00",
            "Mon 2026-12-21 08:00",
        ]

    def test_a_whole_week_end(self):
        weekend = rule("2026-11-20T20:00", 57, BERLIN, repeat=Repeat.WEEKLY)
        assert weekend.at(utc("2026-11-23T03:59")).day == date(2026, 11, 20)
        assert weekend.at(utc("2026-11-23T04:00")) is None


class TestMonthly:
    """On a day, on the last day, on a weekday of the month."""

    def test_months_without_the_day_are_left_out(self):
        days = rule("2026-01-31T03:00", repeat=Repeat.MONTHLY)
        assert starts(days, "2026-01-01") == [
            "Sat 2026-01-31 03:00",
            "Tue 2026-03-31 03:00",
            "Sun 2026-05-31 03:00",
            "Fri 2026-07-31 03:00",
        ]

    def test_the_last_day_is_in_every_month(self):
        last = rule("2027-12-01T03:00", repeat=Repeat.MONTHLY, month_day=LAST)
        assert starts(last, "2027-12-15") == [
            "Fri 2027-12-31 03:00",
            "Mon 2028-01-31 03:00",
            "Tue 2028-02-29 03:00",
            "Fri 2028-03-31 03:00",
        ]

    def test_every_year_on_the_leap_day(self):
        leap = rule("2024-02-29T03:00", repeat=Repeat.MONTHLY, every=12)
        assert starts(leap, "2024-03-01", 2) == ["Tue 2028-02-29 03:00", "Sun 2032-02-29 03:00"]
        assert starts(leap, "2096-03-01", 1) == ["Fri 2104-02-29 03:00"]  # 2100 has none

    def test_the_fourth_saturday(self):
        fourth = rule("2026-10-01T03:00", 4, TOKYO, repeat=Repeat.MONTHLY, nth=4, weekdays=frozenset({SAT}))
        assert starts(fourth, "2026-10-01", 3) == [
            "Sat 2026-10-24 03:00",
            "Sat 2026-11-28 03:00",
            "Sat 2026-12-26 03:00",
        ]

    def test_the_last_friday_and_a_fifth_one(self):
        last = rule("2026-01-01T03:00", repeat=Repeat.MONTHLY, nth=LAST, weekdays=frozenset({FRI}))
        assert starts(last, "2026-01-01", 3) == [
            "Fri 2026-01-30 03:00",
            "Fri 2026-02-27 03:00",
            "Fri 2026-03-27 03:00",
        ]
        fifth = rule("2026-01-01T03:00", repeat=Repeat.MONTHLY, nth=5, weekdays=frozenset({FRI}))
        assert starts(fifth, "2026-01-01", 2) == ["Fri 2026-01-30 03:00", "Fri 2026-05-29 03:00"]

    def test_a_rule_that_never_fits_comes_to_an_end(self):
        never = rule("2026-02-01T03:00", repeat=Repeat.MONTHLY, every=12, month_day=30)
        assert never.current_or_next(utc("2026-01-01")) is None


class TestChangesOfTheClocks:
    """Both ends stand on the wall, whatever the clocks do in between."""

    @pytest.mark.parametrize(
        ("day", "start", "end", "hours"),
        [
            ("2026-03-28", "2026-03-28T21:00", "2026-03-29T04:00", 7),  # one hour is skipped
            ("2026-03-29", "2026-03-29T20:00", "2026-03-30T04:00", 8),
            ("2026-10-24", "2026-10-24T20:00", "2026-10-25T05:00", 9),  # one hour comes twice
        ],
    )
    def test_a_night_ends_at_six(self, day, start, end, hours):
        nightly = rule("2026-01-01T22:00", 8, BERLIN, repeat=Repeat.DAILY)
        found = nightly.occurrence(date.fromisoformat(day))
        assert (found.start, found.end, found.end - found.start) == (utc(start), utc(end), timedelta(hours=hours))

    def test_a_skipped_time_is_the_moment_of_the_jump(self):
        jump = utc("2026-03-29T01:00")
        for shown in ("2026-03-29T02:00", "2026-03-29T02:30", "2026-03-29T02:59:59"):
            assert instant(datetime.fromisoformat(shown), zone_named(BERLIN)) == jump
        half_past = rule("2026-03-01T02:30", 1, BERLIN, repeat=Repeat.DAILY)
        assert spans(half_past, "2026-03-29", "2026-03-30") == [("03-29 01:00", "03-29 01:30")]

    def test_what_lies_wholly_in_skipped_time_does_not_happen(self):
        gone = rule("2026-03-01T02:15", 0.5, BERLIN, repeat=Repeat.DAILY)
        assert gone.occurrence(date(2026, 3, 29)) is None
        assert gone.occurrence(date(2026, 3, 30)).start == utc("2026-03-30T00:15")

    def test_what_has_no_length_happens_at_the_jump(self):
        at_once = rule("2026-03-01T02:30", 0, BERLIN, repeat=Repeat.DAILY)
        assert at_once.occurrence(date(2026, 3, 29)).start == utc("2026-03-29T01:00")
        assert [one.day.day for one in at_once.between(utc("2026-03-29T01:00"), utc("2026-03-30T00:30"))] == [29]
        assert at_once.current_or_next(utc("2026-03-29T01:00")).day == date(2026, 3, 30)
        assert at_once.at(utc("2026-03-29T01:00")) is None

    def test_a_time_that_comes_twice_is_the_first(self):
        assert instant(datetime(2026, 11, 1, 1, 30), zone_named(NEW_YORK)) == utc("2026-11-01T05:30")
        hour = rule("2026-10-01T01:30", 1, NEW_YORK, repeat=Repeat.DAILY)
        found = hour.occurrence(date(2026, 11, 1))
        assert (found.start, found.end) == (utc("2026-11-01T05:30"), utc("2026-11-01T07:30"))
        assert hour.at(utc("2026-11-01T07:00")) == found  # half past one was the second time

    def test_a_jump_back_over_midnight_hides_nothing(self):
        zone = "America/St_Johns"  # until 2011 its clocks went back from 00:01 to 23:01
        short = rule("2010-11-01T00:00", 2, zone, repeat=Repeat.DAILY)
        found = short.occurrence(date(2010, 11, 7))
        again = utc("2010-11-07T03:00")  # shows 23:30 of the 6th, for the second time
        assert wall(again, zone_named(zone)) == datetime(2010, 11, 6, 23, 30)
        assert short.at(again) == found
        assert list(short.between(again, again + timedelta(seconds=1))) == [found]

    def test_a_day_that_a_zone_left_out_has_no_occurrence(self):
        samoa = rule("2011-12-28T10:00", 2, "Pacific/Apia", repeat=Repeat.DAILY)
        assert [one.day.day for one in islice(samoa.following(utc("2011-12-28")), 4)] == [28, 29, 31, 1]

    def test_there_is_no_such_zone(self):
        for name in ("Asia/Edo", "", "../etc/passwd", "Asia\x00"):
            with pytest.raises(ValueError, match="no time zone"):
                zone_named(name)


class TestEssence:
    """Two rules are the same when they mean the same times from now on."""

    NOW = utc("2026-11-22T12:00")

    def same(self, one: Rule, other: Rule) -> bool:
        return one.essence(self.NOW) == other.essence(self.NOW)

    def test_a_past_beginning_and_past_exceptions_do_not_matter(self):
        old = rule("2020-01-06T01:00", 2, TOKYO, repeat=Repeat.WEEKLY, weekdays=frozenset({MON}))
        new = rule("2026-11-02T01:00", 2, TOKYO, repeat=Repeat.WEEKLY, exceptions=frozenset({date(2026, 11, 9)}))
        assert self.same(old, new)
        assert not self.same(old, rule("2026-12-07T01:00", 2, TOKYO, repeat=Repeat.WEEKLY))  # begins later

    @pytest.mark.parametrize(
        "other",
        [
            rule("2026-11-02T01:00", 2, "Asia/Seoul", repeat=Repeat.WEEKLY),
            rule("2026-11-02T01:30", 2, TOKYO, repeat=Repeat.WEEKLY),
            rule("2026-11-02T01:00", 3, TOKYO, repeat=Repeat.WEEKLY),
            rule("2026-11-03T01:00", 2, TOKYO, repeat=Repeat.WEEKLY),
            rule("2026-11-02T01:00", 2, TOKYO, repeat=Repeat.WEEKLY, every=2),
            rule("2026-11-02T01:00", 2, TOKYO, repeat=Repeat.WEEKLY, last_day=date(2027, 1, 1)),
            rule("2026-11-02T01:00", 2, TOKYO, repeat=Repeat.WEEKLY, exceptions=frozenset({date(2026, 11, 30)})),
            rule("2026-11-02T01:00", 2, TOKYO, repeat=Repeat.DAILY),
            rule("2026-11-02T01:00", 2, TOKYO),
        ],
    )
    def test_whatever_makes_another_time_makes_another_rule(self, other):
        assert not self.same(rule("2026-10-05T01:00", 2, TOKYO, repeat=Repeat.WEEKLY), other)

    def test_the_phase_of_every_other_week_matters(self):
        def other_week(first: str) -> Rule:
            return rule(first, 2, repeat=Repeat.WEEKLY, every=2)

        assert self.same(other_week("2026-11-02T01:00"), other_week("2026-10-19T01:00"))
        assert not self.same(other_week("2026-11-02T01:00"), other_week("2026-10-26T01:00"))
