"""What somebody looks at: a group, a range of time and what the heat map is coloured by.

It stands in the address. Range and colours are remembered for the next visit; a group is not, because a page that
shows less than somebody believes is worse than one click.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.http import urlencode

from apps.accounts.services import users
from apps.core.htmx import wants_part
from apps.groups.models import Tree
from apps.monitoring import windows
from apps.monitoring.windows import Window
from apps.portal.dashboard.scales import COLOURS, STATUS

PAGE = "dashboard"  # under this name it is remembered
RANGES = ("1h", "6h", "24h", "7d", "30d")


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of looking at the fleet."""

    group: int | None
    colours: str
    window: Window

    def address(self, **changed: Any) -> str:
        """Give the query of this look, with something else in place of what is named; it names everything."""
        named = {"group": self.group, "colours": self.colours, "range": self.window.word, **changed}
        return f"?{urlencode({name: value for name, value in named.items() if value})}"


def of(request: HttpRequest, tree: Tree) -> Choice:
    """Read the choice; what the address does not say is as it was the last time. A group that is hidden is none."""
    user: Any = request.user
    last = users.remembered(user, PAGE)
    raw = request.GET.get("group", "")
    group = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 19 else None
    word = _first(RANGES, request.GET.get("range"), last.get("range")) or windows.USUAL
    colours = _first(tuple(COLOURS), request.GET.get("colours"), last.get("colours")) or STATUS
    if not wants_part(request):  # a page that refreshes itself in another window chooses nothing
        users.remember(user, PAGE, {"range": word, "colours": colours})
    return Choice(group if group in tree.parents else None, colours, windows.ending_now(word))


def _first(allowed: tuple[str, ...], *words: object) -> str | None:
    return next((word for word in words if isinstance(word, str) and word in allowed), None)
