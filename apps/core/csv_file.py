"""Sends rows as a CSV file while they are made; no text in it is taken for a formula by the program that opens it."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from apps.core.sent_file import file_response

ROWS_AT_ONCE = 200
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARK = "\N{BYTE ORDER MARK}"  # without it spreadsheets read Japanese as something else
KIND = "text/csv; charset=utf-8"


def csv_response(request: HttpRequest, name: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Answer with a file of that name (ASCII, without its ending); times stand in the reader's zone with its offset."""
    return file_response(request, f"{name}.csv", KIND, _written(iter(rows)))


def defused(value: Any) -> Any:
    """Give a value as a cell holds it: a text that a spreadsheet would run is led by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


def csv_text(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Write rows as CSV, so many at a time."""
    return _written(iter(rows))


def _written(rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    """Write rows, so many at a time."""
    mark = MARK
    while some := [[defused(value) for value in row] for row in islice(rows, ROWS_AT_ONCE)]:
        written = StringIO()
        csv.writer(written).writerows(some)
        yield mark + written.getvalue()
        mark = ""
