"""A clock that this process alone sees: history is made by polling at times that have passed.

Everything that asks for the time does so through ``time.time`` or Django's ``timezone.now``; both are led here, so that
the same code that polls and judges now does it for then. Waiting goes by the monotonic clock and is not touched.
"""

import time
from datetime import datetime, tzinfo
from types import TracebackType
from typing import Any, Self

from django.utils import timezone


class MovedClock:
    """While it is entered, it is ``at``; nothing goes on by itself."""

    def __init__(self) -> None:
        self.at = time.time()
        self.real_time = time.time
        self._real_datetime = vars(timezone)["datetime"]

    def __enter__(self) -> Self:
        clock = self

        class Moved(datetime):
            """Django's ``datetime``, whose present is ours."""

            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                """Give our time, as an ordinary datetime."""
                return datetime.fromtimestamp(clock.at, tz)

        time.time = lambda: clock.at
        timezone.datetime = Moved  # type: ignore[attr-defined]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        time.time, timezone.datetime = self.real_time, self._real_datetime  # type: ignore[attr-defined]
