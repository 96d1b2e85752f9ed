"""Logs are read from where the last look ended, whatever happened to them meanwhile."""

from collections.abc import Iterable
from typing import Any

from apps.drivers.contract import Status
from apps.drivers.redfish import log
from apps.drivers.redfish.log import Filled
from apps.drivers.redfish.values import moment


def entries(numbers: Iterable[int], day: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "Id": str(number),
            "Created": f"2026-05-{day:02}T10:{number:02}:00Z",
            "Severity": "Warning",
            "Message": f"event {number}",
        }
        for number in numbers
    ]


def test_the_first_look_gives_all_and_the_next_what_came_since() -> None:
    first = log.look(entries([2, 1]), None, "SEL")
    assert [event.key for event in first.events] == ["SEL/1", "SEL/2"]
    assert (first.place["last"], first.place["at"], first.cleared) == ("2", "2026-05-01T10:02:00Z", False)
    second = log.look(entries([3, 2, 1]), first.place, "SEL")
    assert ([event.key for event in second.events], second.cleared) == (["SEL/3"], False)
    assert log.look(entries([1, 2, 3]), second.place, "SEL").events == ()


def test_a_log_that_was_emptied_is_read_anew() -> None:
    place = log.look(entries([1, 2, 3]), None, "SEL").place
    emptied = log.look([], place, "SEL")
    assert (emptied.events, emptied.place, emptied.cleared) == ((), {}, True)
    began_anew = log.look(entries([1], day=2), place, "SEL")
    assert ([event.text for event in began_anew.events], began_anew.cleared) == (["event 1"], True)
    counted_past = log.look(entries([1, 2, 3, 4], day=2), place, "SEL")
    assert (len(counted_past.events), counted_past.cleared) == (4, True)


def test_a_log_that_goes_round_was_not_emptied() -> None:
    place = log.look(entries([1, 2, 3]), None, "SEL").place
    round_again = log.look(entries(range(7, 10)), place, "SEL")
    assert ([event.key for event in round_again.events], round_again.cleared) == (["SEL/7", "SEL/8", "SEL/9"], False)


def in_one_second(*numbers: int, text: str = "event") -> list[dict[str, Any]]:
    return [
        {"Id": str(number), "Created": "2026-05-01T10:00:00Z", "Severity": "OK", "Message": f"{text} {number}"}
        for number in numbers
    ]


def test_a_clearing_within_the_second_of_the_last_entry_is_seen_by_its_words() -> None:
    place = log.look(in_one_second(1, 2), None, "SEL").place
    same = log.look(in_one_second(1, 2, 3), place, "SEL")
    assert ([event.key for event in same.events], same.cleared) == (["SEL/3"], False)
    anew = log.look(in_one_second(1, 2, 3, text="anew"), place, "SEL")
    assert ([event.text for event in anew.events], anew.cleared) == (["anew 1", "anew 2", "anew 3"], True)


def test_what_a_maker_changes_in_an_entry_makes_no_other_one_of_it() -> None:
    (entry,) = in_one_second(1)
    named = {**entry, "MessageId": "iLOEvents.1.0.FanFailed", "MessageArgs": ["2"]}
    place = log.look([named], None, "IML").place
    repaired = {**named, "Severity": "OK", "MessageId": "iLOEvents.1.1.FanFailed", "Message": "ファンの故障"}
    assert not log.look([repaired], place, "IML").cleared
    assert log.look([{**repaired, "MessageArgs": ["3"]}], place, "IML").cleared


def test_a_clearing_by_which_numbers_go_on_is_seen_by_how_many_there_are() -> None:
    place = {**log.look(in_one_second(1, 2, 3), None, "SEL").place, "count": 3}
    assert log.look(in_one_second(4), place, "SEL").cleared  # fewer than before
    assert log.look(in_one_second(4, 5, 6, 7), place, "SEL", most=100).cleared  # all of them had room
    assert not log.look(in_one_second(4, 5, 6), place, "SEL", most=3).cleared  # a log of three that goes round
    assert not log.look(in_one_second(5, 6), place, "SEL", most=3).cleared  # one that makes room for two at a time
    assert not log.look(in_one_second(7, 8), place, "SEL", skipped=1).cleared


def test_a_place_of_before_knows_less_and_is_read_on() -> None:
    of_before = {"last": "2", "at": "2026-05-01T10:02:00Z", "count": 2, "skips": True}
    found = log.look(entries([1, 2, 3]), of_before, "SEL")
    assert ([event.key for event in found.events], found.cleared) == (["SEL/3"], False)


def test_an_entry_in_the_words_of_its_maker() -> None:
    entry = {
        "Id": "17",
        "Created": "2026-05-01T10:00:00+09:00",
        "Severity": "OK",
        "Message": "Fan Failure (Fan 2)",
        "Oem": {"Hpe": {"Severity": "Repaired", "ClassDescription": "Fan Failure"}},
    }
    event = log.event(entry, "IML")
    assert (event.key, event.source, event.text) == ("IML/17", "Fan Failure", "Fan Failure (Fan 2)")
    assert (event.status, event.asserted, event.at) == (Status.NORMAL, False, moment("2026-05-01T01:00:00Z"))
    caution = log.event({"Id": "1", "Severity": "Warning", "Oem": {"Hp": {"Severity": "Caution"}}}, "IML")
    assert (caution.status, caution.at, caution.source) == (Status.WARNING, None, "IML")


def test_of_links_only_the_newest_are_read() -> None:
    listed = [{"@odata.id": f"/Entries/{number}"} for number in range(1, 11)]
    assert [one["@odata.id"] for one in log.newest(listed, "8", 5)] == ["/Entries/8", "/Entries/9", "/Entries/10"]
    assert len(log.newest(listed, "", 4)) == 4


def test_how_full_a_log_is() -> None:
    assert (log.filled({"MaxNumberOfRecords": 2000}, 500), log.filled({}, 500)) == (25.0, None)
    assert log.wraps({"OverWritePolicy": "WrapsWhenFull"})
    assert not log.wraps({"OverWritePolicy": "NeverOverWrites"})
    assert not log.wraps({})


def test_of_several_logs_that_one_counts_which_may_lose_what_comes() -> None:
    full_but_wraps, nearly, hardly, untold = Filled(100.0, True), Filled(91.0), Filled(3.0), Filled()
    assert log.fullest([full_but_wraps, hardly, nearly, untold]) == nearly
    assert log.fullest([untold, full_but_wraps]) == full_but_wraps
    assert log.fullest([untold]) == Filled()
