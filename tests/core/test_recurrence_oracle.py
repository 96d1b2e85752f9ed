"""Rules against two oracles: a slow one that tries every day by definition, and the rules of ``dateutil``."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.recurrence import DAY, LAST, Occurrence, Repeat, Rule, instant, wall, zone_named

ZONES = [
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kolkata",
]
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
MINUTES = st.integers(0, 24 * 60 - 1)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Draw a rule of any kind."""
    repeat = draw(st.sampled_from(list(Repeat)))
    minutes = draw(MINUTES)
    first = datetime.combine(draw(DAYS), time(minutes // 60, minutes % 60))
    weekdays: frozenset[int] = frozenset()
    month_day = nth = None
    if repeat is Repeat.WEEKLY:
        weekdays = draw(st.frozensets(st.integers(0, 6)))
    elif repeat is Repeat.MONTHLY:
        kind = draw(st.sampled_from(["own", "day", "nth"]))
        if kind == "day":
            month_day = draw(st.one_of(st.just(LAST), st.integers(1, 31)))
        elif kind == "nth":
            nth, weekdays = draw(st.sampled_from([1, 2, 3, 4, 5, LAST])), frozenset({draw(st.integers(0, 6))})
    return Rule(
        zone=draw(st.sampled_from(ZONES)),
        first=first,
        length=timedelta(minutes=draw(st.one_of(st.just(0), st.integers(1, 3 * 24 * 60)))),
        repeat=repeat,
        every=draw(st.integers(1, 5)),
        weekdays=weekdays,
        month_day=month_day,
        nth=nth,
        last_day=draw(st.one_of(st.none(), st.integers(0, 900).map(lambda days: first.date() + timedelta(days=days)))),
        exceptions=draw(st.frozensets(st.integers(0, 60).map(lambda days: first.date() + timedelta(days=days)))),
    )


def begins_on(rule: Rule, day: date) -> bool:
    """Say by the words of the definition alone whether a rule has an occurrence on a day."""
    first = rule.first.date()
    if day < first or (rule.last_day and day > rule.last_day) or day in rule.exceptions:
        return False
    months = (day.year - first.year) * 12 + day.month - first.month
    length_of_month = monthrange(day.year, day.month)[1]
    match rule.repeat:
        case Repeat.ONCE:
            return day == first
        case Repeat.DAILY:
            return (day - first).days % rule.every == 0
        case Repeat.WEEKLY:
            monday, first_monday = day - day.weekday() * DAY, first - first.weekday() * DAY
            weekdays = rule.weekdays or {first.weekday()}
            return (monday - first_monday).days // 7 % rule.every == 0 and day.weekday() in weekdays
        case Repeat.MONTHLY if months % rule.every:
            return False
        case Repeat.MONTHLY if rule.nth == LAST:
            return day.weekday() in rule.weekdays and day.day + 7 > length_of_month
        case Repeat.MONTHLY if rule.nth is not None:
            return day.weekday() in rule.weekdays and (day.day - 1) // 7 + 1 == rule.nth
    return day.day == (length_of_month if rule.month_day == LAST else rule.month_day or first.day)


def tried(rule: Rule, low: date, high: date) -> list[Occurrence]:
    """Try every day."""
    found = []
    for number in range(low.toordinal(), high.toordinal() + 1):
        day = date.fromordinal(number)
        if begins_on(rule, day):
            shown = datetime.combine(day, rule.first.time())
            zone = ZoneInfo(rule.zone)
            one = Occurrence(instant(shown, zone), instant(shown + rule.length, zone), day)
            if one.end > one.start or not rule.length:
                found.append(one)
    return found


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@settings(max_examples=80, deadline=None)
@given(rules(), DAYS, st.integers(0, 100), MINUTES)
def test_a_rule_has_what_trying_every_day_finds(rule: Rule, day: date, days: int, minute: int) -> None:
    start = midnight(day) + timedelta(minutes=minute)
    end = start + timedelta(days=days)
    every = tried(rule, day - timedelta(days=8), day + timedelta(days=days + 2))
    wanted = [one for one in every if one.start < end and (one.end > start or one.start == start)]
    assert list(rule.between(start, end)) == wanted


@settings(max_examples=80, deadline=None)
@given(rules(), DAYS, MINUTES)
def test_what_follows_and_what_is_in_force_agree_with_it(rule: Rule, day: date, minute: int) -> None:
    moment = midnight(day) + timedelta(minutes=minute)
    every = tried(rule, day - timedelta(days=8), day + timedelta(days=400))
    wanted = [one for one in every if one.end > moment][:5]
    assert list(islice(rule.following(moment), len(wanted))) == wanted
    covering = [one for one in every if one.start <= moment < one.end]
    assert rule.at(moment) == max(covering, key=lambda one: one.end, default=None)
    if wanted:
        assert rule.current_or_next(moment) == wanted[0]
        assert rule.occurrence(wanted[0].day) == wanted[0]


@settings(max_examples=80, deadline=None)
@given(rules(), DAYS)
def test_the_same_essence_means_the_same_times(rule: Rule, day: date) -> None:
    """Begun a whole number of periods later, with what is over forgotten, a series is the same from then on."""
    moment = midnight(day)
    if rule.repeat not in {Repeat.DAILY, Repeat.WEEKLY} or rule.first.date() >= day - timedelta(days=10):
        return
    period = rule.every * (7 if rule.repeat is Repeat.WEEKLY else 1)
    later = rule.first + timedelta(days=(day - rule.first.date() - 10 * DAY).days // period * period)
    moved = Rule(
        rule.zone,
        later,
        rule.length,
        rule.repeat,
        rule.every,
        rule.weekdays or frozenset({rule.first.weekday()}) if rule.repeat is Repeat.WEEKLY else frozenset(),
        last_day=rule.last_day,
        exceptions=frozenset(one for one in rule.exceptions if one >= day - timedelta(days=8)),
    )
    assert moved.essence(moment) == rule.essence(moment)
    assert list(islice(moved.following(moment), 5)) == list(islice(rule.following(moment), 5))


def by_dateutil(rule: Rule) -> rrule.rrule:
    """Say the same to another program."""
    names = [rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU]
    weekdays = [names[day] for day in sorted(rule.weekdays or {rule.first.weekday()})]
    last = datetime.combine(rule.last_day, time.max) if rule.last_day else None
    common = {"dtstart": rule.first, "interval": rule.every, "until": last, "wkst": rrule.MO}
    if rule.repeat is Repeat.ONCE:
        return rrule.rrule(rrule.DAILY, dtstart=rule.first, count=1)
    if rule.repeat is Repeat.DAILY:
        return rrule.rrule(rrule.DAILY, **common)
    if rule.repeat is Repeat.WEEKLY:
        return rrule.rrule(rrule.WEEKLY, byweekday=weekdays, **common)
    if rule.nth is not None:
        return rrule.rrule(rrule.MONTHLY, byweekday=[weekdays[0](rule.nth)], **common)
    return rrule.rrule(rrule.MONTHLY, bymonthday=rule.month_day or rule.first.day, **common)


@settings(max_examples=80, deadline=None)
@given(rules())
def test_another_program_gives_the_same_days(rule: Rule) -> None:
    zone, end = zone_named(rule.zone), rule.first + timedelta(days=800)
    theirs = {one.date() for one in by_dateutil(rule).between(rule.first, end, inc=True)} - rule.exceptions
    ours = {one.day for one in rule.between(instant(rule.first, zone), instant(end, zone))} - {end.date()}
    assert ours <= theirs
    assert all(day.month in {3, 4, 10} for day in theirs - ours - {end.date()})  # lies wholly in skipped time


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES), DAYS, MINUTES, MINUTES)
def test_a_later_time_on_the_wall_is_never_an_earlier_moment(zone: str, day: date, one: int, more: int) -> None:
    known = zone_named(zone)
    shown = datetime.combine(day, time()) + timedelta(minutes=one)
    moment, later = instant(shown, known), instant(shown + timedelta(minutes=more), known)
    assert moment <= later
    assert wall(moment, known) >= shown  # it is shown then, or the clocks have jumped over it
    assert wall(moment - timedelta(seconds=1), known) < shown
