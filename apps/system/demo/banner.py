"""What every page of a demonstration says: that it is one, how it ends, and how far its making has come."""

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from apps.core.banners import Banner
from apps.simulators.fleet.places import CONSOLE_PASSWORD
from apps.system.demo import ground

PROGRESS_KEY = "demo:progress"
CONSOLE_PAGE = "control:console"
_FOR = 120  # seconds for which a word about the progress is believed


def banner(request: HttpRequest) -> Banner:
    """Give the banner."""
    facts = {
        "folder": folder(),
        "name": ground.NAME,
        "password": ground.PASSWORD,
        "progress": _progress(),
        "console_password": CONSOLE_PASSWORD if _shows_a_console(request) else None,
    }
    return Banner("demo/_banner.html", facts, sign_in="demo/_sign_in.html")


def _shows_a_console(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name == CONSOLE_PAGE


def folder() -> str:
    """Give the data folder as a person in the project's folder would type it."""
    inside = settings.DATA_DIR.is_relative_to(settings.BASE_DIR)
    return str(settings.DATA_DIR.relative_to(settings.BASE_DIR) if inside else settings.DATA_DIR)


def _progress() -> int | None:
    try:
        found: int | None = cache.get(PROGRESS_KEY)
    except redis.RedisError:  # the page of an error is shown without the broker, too
        return None
    return found


def tell_progress(percent: int | None) -> None:
    """Say how much of the history is made; None when all is."""
    if percent is None:
        cache.delete(PROGRESS_KEY)
    else:
        cache.set(PROGRESS_KEY, percent, _FOR)
