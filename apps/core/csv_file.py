"""Sends rows as a CSV file while they are made; no text in it is taken for a formula by the program that opens it."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from io import StringIO
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation

from apps.core.stream import let_go

ROWS_AT_ONCE = 200
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARK = "\N{BYTE ORDER MARK}"  # without it spreadsheets read Japanese as something else


def csv_response(request: HttpRequest, name: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Answer with a file of that name (ASCII, without its ending); times stand in the reader's zone with its offset."""
    parts = _parts(iter(rows))
    content: Any = _handed_on(parts) if isinstance(request, ASGIRequest) else parts
    return StreamingHttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


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


def _parts(rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    """Write rows, so many at a time, in the language and zone of who asked, also when his request is over."""
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()
    return _written(rows, language, zone)


def _written(rows: Iterator[Sequence[Any]], language: str, zone: tzinfo) -> Iterator[str]:
    mark = MARK
    while True:
        with translation.override(language), timezone.override(zone):
            some = [[defused(value) for value in row] for row in islice(rows, ROWS_AT_ONCE)]
        if not some:
            return
        written = StringIO()
        csv.writer(written).writerows(some)
        yield mark + written.getvalue()
        mark = ""


async def _handed_on(parts: Iterator[str]) -> AsyncIterator[str]:
    """Make the next part in a thread whenever the browser has taken the one before."""

    def following() -> str | None:
        try:
            return next(parts, None)
        finally:
            let_go()

    while (part := await sync_to_async(following)()) is not None:
        yield part
