"""Sends a file while it is made: a large one takes no more memory than a small one, and begins as soon."""

from collections.abc import AsyncIterator, Iterator
from datetime import tzinfo
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation

from apps.core.stream import let_go

Part = TypeVar("Part", str, bytes)


def file_response(request: HttpRequest, name: str, kind: str, parts: Iterator[Part]) -> StreamingHttpResponse:
    """Answer with a file of that name (ASCII) and content type; each part is made when the one before was taken.

    They are made in the language and zone of who asked, also when his request is over.
    """
    made = _as_asked(parts, translation.get_language() or "en", timezone.get_current_timezone())
    # A server with a loop would read a plain iterator to its end before it sends anything.
    content: Any = _handed_on(made) if isinstance(request, ASGIRequest) else made
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(content, content_type=kind, headers=headers)


def _as_asked(parts: Iterator[Part], language: str, zone: tzinfo) -> Iterator[Part]:
    """Make each part in this language and zone, which hold meanwhile and not while it is sent."""
    while True:
        with translation.override(language), timezone.override(zone):
            part = next(parts, None)
        if part is None:
            return
        yield part


async def _handed_on(parts: Iterator[Part]) -> AsyncIterator[Part]:
    """Make the next part in a thread, which holds no database connection while the reader takes it."""

    def following() -> Part | None:
        try:
            return next(parts, None)
        finally:
            let_go()

    while (part := await sync_to_async(following)()) is not None:
        yield part
