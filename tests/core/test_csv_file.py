"""Rows become a file while they are made; what a spreadsheet would run is defused, times are the reader's."""

import asyncio
import csv
import zoneinfo
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.test import AsyncRequestFactory
from django.utils import timezone, translation
from django.utils.translation import gettext

from apps.core.csv_file import MARK, ROWS_AT_ONCE, csv_response, defused


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-3 dB", "'-3 dB"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        (-3, -3),
        (-0.5, -0.5),
        (None, ""),
        ("", ""),
    ],
)
def test_no_text_is_taken_for_a_formula(value, cell):
    assert defused(value) == cell


def test_times_stand_in_the_readers_zone_with_its_offset():
    with timezone.override(zoneinfo.ZoneInfo("Asia/Tokyo")):
        assert defused(datetime(2026, 3, 1, 23, 30, tzinfo=UTC)) == "2026-03-02T08:30:00+09:00"


def test_the_file_is_made_part_by_part(rf):
    made = []

    def rows():
        for number in range(ROWS_AT_ONCE + 5):
            made.append(number)
            yield number, 'with "quotes", and commas'

    answer = csv_response(rf.get("/"), "values", rows())
    assert answer["Content-Disposition"] == 'attachment; filename="values.csv"'
    parts = iter(answer.streaming_content)
    first = next(parts).decode()
    assert len(made) == ROWS_AT_ONCE
    whole = first + "".join(part.decode() for part in parts)
    assert whole.startswith(MARK)
    assert whole.count(MARK) == 1
    found = list(csv.reader(StringIO(whole.removeprefix(MARK))))
    assert found[-1] == ["204", 'with "quotes", and commas']
    assert len(found) == ROWS_AT_ONCE + 5


def test_language_and_zone_of_who_asked_hold_until_the_last_row(rf):
    at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    with timezone.override(zoneinfo.ZoneInfo("Asia/Tokyo")), translation.override("ja"):
        answer = csv_response(rf.get("/"), "values", ([gettext("Critical"), at] for _ in range(1)))
    assert b"".join(answer.streaming_content).decode() == f"{MARK}異常,2026-03-02T08:30:00+09:00\r\n"


def test_a_server_that_waits_for_nobody_gets_it_without_blocking():
    request = AsyncRequestFactory().get("/")
    answer = csv_response(request, "values", ([number] for number in range(3)))
    assert answer.is_async

    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    assert asyncio.run(read()).decode() == f"{MARK}0\r\n1\r\n2\r\n"
