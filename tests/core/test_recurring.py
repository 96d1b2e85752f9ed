"""A rule in words, in both languages, and what is refused as one."""

from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from apps.core.recurrence import LAST, Repeat, Rule
from apps.core.recurring import check_rule, in_words

MON, THU, SAT = 0, 3, 5


def rule(repeat: Repeat = Repeat.DAILY, hours: float | None = 8, **more) -> Rule:
    length = None if hours is None else timedelta(hours=hours)
    return Rule(**{"zone": "UTC", "first": datetime(2026, 11, 26, 22), "length": length, "repeat": repeat, **more})


@pytest.mark.parametrize(
    ("given", "english", "japanese"),
    [
        (rule(Repeat.ONCE), "Once", "1 回のみ"),
        (rule(), "Every day 22:00–06:00", "毎日 22:00–06:00"),
        (rule(every=3, hours=0), "Every 3 days 22:00", "3 日ごと 22:00"),
        (rule(Repeat.WEEKLY), "Every week on Thu 22:00–06:00", "毎週 木 22:00–06:00"),
        (
            rule(Repeat.WEEKLY, weekdays=frozenset({SAT, MON}), every=2),
            "Every 2 weeks on Mon, Sat 22:00–06:00",
            "2 週ごと 月・土 22:00–06:00",
        ),
        (rule(Repeat.WEEKLY, 57), "Every week on Thu 22:00–07:00 (+3 d)", "毎週 木 22:00–07:00 (+3 日)"),
        (rule(Repeat.MONTHLY), "Every month on day 26 22:00–06:00", "毎月 26 日 22:00–06:00"),
        (
            rule(Repeat.MONTHLY, month_day=7, every=6),
            "Every 6 months on day 7 22:00–06:00",
            "6 か月ごと 7 日 22:00–06:00",
        ),
        (rule(Repeat.MONTHLY, month_day=LAST), "Every month on the last day 22:00–06:00", "毎月 末日 22:00–06:00"),
        (
            rule(Repeat.MONTHLY, nth=LAST, weekdays=frozenset({SAT}), every=3),
            "Every 3 months on the last Sat 22:00–06:00",
            "3 か月ごと 最終 土 22:00–06:00",
        ),
        (
            rule(Repeat.MONTHLY, nth=4, weekdays=frozenset({SAT})),
            "Every month on the fourth Sat 22:00–06:00",
            "毎月 第4 土 22:00–06:00",
        ),
    ],
)
def test_in_words(given, english, japanese):
    with translation.override("en"):
        assert in_words(given) == english
    with translation.override("ja"):
        assert in_words(given) == japanese


def test_all_faults_are_told_at_once():
    wrong = rule(
        Repeat.DAILY,
        -1,
        zone="Asia/Edo",
        first=datetime(1999, 1, 1),
        every=0,
        weekdays=frozenset({9}),
        month_day=40,
        nth=9,
        last_day=date(1998, 1, 1),
        exceptions=frozenset(date.fromordinal(730000 + n) for n in range(1001)),
    )
    with pytest.raises(ValidationError) as refused:
        check_rule(wrong)
    assert list(refused.value.message_dict) == [
        *("time_zone", "starts_at", "ends_at", "every", "weekdays", "month_day", "nth", "last_day", "exceptions"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        rule(),
        rule(Repeat.ONCE, None),
        rule(Repeat.ONCE, 24 * 3660),
        rule(Repeat.WEEKLY, 24 * 31, weekdays=frozenset(range(7))),
        rule(Repeat.MONTHLY, month_day=31),
        rule(Repeat.MONTHLY, nth=5, weekdays=frozenset({SAT})),
        rule(Repeat.MONTHLY, first=datetime(2028, 2, 29), every=12),
    ],
)
def test_what_is_allowed(given):
    check_rule(given)
