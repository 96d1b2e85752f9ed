"""What the page frame needs; worked out only when a template asks, so that parts of pages cost no query."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise

from apps.accounts.services import sessions
from apps.accounts.services.sessions import LEFT_COOKIE
from apps.core import banners, menu, options
from apps.portal import phrasing

PRODUCT_NAME = "Fleet Portal"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the side menu, ready to show."""

    label: Promise | str
    url: str
    icon: str
    current: bool
    count: int
    hot: bool


class Shell:
    """The frame around a page for one request; counters run at most once, and only when the frame is drawn."""

    product = PRODUCT_NAME

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._counts: dict[str, Mapping[str, int]] = {}

    @cached_property
    def menu(self) -> list[tuple[Promise | str, list[Line]]]:
        """Give the sections of the side menu with their lines; entries whose page is not routed are left out."""
        entries = [(entry, url) for entry in menu.entries_for(self._user) if (url := _url(entry.url_name))]
        here = self._current(url for _entry, url in entries)
        sections: list[tuple[Promise | str, list[Line]]] = []
        for section, title in menu.SECTIONS.items():
            lines = [
                Line(
                    entry.label,
                    url,
                    entry.icon,
                    url == here,
                    sum(self.counted(entry.count).values()) if entry.count else 0,
                    entry.hot,
                )
                for entry, url in entries
                if entry.section == section
            ]
            if lines:
                sections.append((title, lines))
        return sections

    @cached_property
    def banners(self) -> list[banners.Banner]:
        """Give the lines that stand above every page."""
        return banners.of(self._request)

    @cached_property
    def alerts(self) -> Mapping[str, int]:
        """Give the open problems by severity for the top bar."""
        return self.counted("alerts")

    @cached_property
    def jobs(self) -> int:
        """Give how many jobs have not ended."""
        return sum(self.counted("jobs").values())

    def counted(self, name: str) -> Mapping[str, int]:
        """Give a counter's numbers, asked once per request."""
        if name not in self._counts:
            self._counts[name] = menu.counts_for(self._user, name)
        return self._counts[name]

    @cached_property
    def refresh_seconds(self) -> int:
        """Give how often an open page asks by itself while it hears nothing."""
        return int(options.get("display_refresh_interval"))

    @cached_property
    def session(self) -> sessions.Remaining | None:
        """Give how long the session goes on; nothing where nobody is signed in."""
        return sessions.remaining(self._request) if getattr(self._user, "is_authenticated", False) else None

    @property
    def left_cookie(self) -> str:
        """Give the name of the cookie that says that somebody signed out by hand."""
        return LEFT_COOKIE

    @property
    def time_zone(self) -> str:
        """Give the reader's zone to the script that writes times."""
        return timezone.get_current_timezone_name()

    @cached_property
    def ago_patterns(self) -> str:
        """Give the sentences for elapsed time to the script that keeps them current."""
        return json.dumps(phrasing.ago_patterns(), ensure_ascii=False)

    @cached_property
    def classic_url(self) -> str:
        """Give the address of classic mode on its own port of the host that the browser used."""
        host = self._request.get_host()
        name = host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host
        return f"{self._request.scheme}://{name}:{classic_port()}/"

    @property
    def _user(self) -> Any:
        return getattr(self._request, "user", None)

    def _current(self, urls: Any) -> str:
        path = self._request.path
        under = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
        return max(under, key=len, default="")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Put the page frame into every template's context."""
    return {"shell": Shell(request)}


def classic_port() -> int:
    """Give the port of classic mode; where the system chose it, the web process says which one it is."""
    return settings.CLASSIC_PORT or int(os.environ.get("ESM_CLASSIC_PORT_REAL", "0"))


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
