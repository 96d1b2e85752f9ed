"""Which icons the sprite holds: those that templates and registered entries name, and those that data chooses."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

SPRITE = Path("vendor/icons.svg")

# Chosen at run time: by category, capability, operation or kind of job, so no template spells them.
_CHOSEN = """
    activity adjustments alert-triangle arrow-back-up arrow-down arrow-right arrow-up ban battery-charging bell bolt
    box bulb calendar-time certificate check checks chevron-down chevron-left chevron-right chevron-up circle-off
    clipboard clock cloud columns-3 copy cpu cpu-2 database device-desktop device-sd-card dots download edit
    external-link eye eye-off filter flask folder folder-plus folders gauge git-compare grid-dots heart-rate-monitor
    help history home info-circle key keyboard language layout-dashboard layout-list link link-off list list-search
    lock login-2 logout mail maximize menu-2 minus moon network network-off note package player-pause player-play
    player-stop plug plug-connected plug-connected-x plus power progress propeller radar-2 refresh report-analytics
    rotate-clockwise route router search send server server-2 settings shield-check shield-lock sitemap stack-2
    temperature terminal-2 topology-star-3 trash upload user user-circle user-off user-plus users webhook x
"""
CHOSEN_BY_DATA = frozenset(_CHOSEN.split())
IN_TEMPLATE = re.compile(r"""\{%-?\s*icon\s+["']([a-z0-9-]+)["']""")
IN_PYTHON = re.compile(r"""\bicon\s*[=:]\s*["']([a-z0-9-]+)["']""")
IN_SPRITE = re.compile(r"""<symbol id="([a-z0-9-]+)\"""")


def named_in_sources() -> dict[str, str]:
    """Give every icon that a template or a module names, with the file that names it first."""
    found: dict[str, str] = {}
    for path, pattern in _sources():
        for name in pattern.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, str(path.relative_to(settings.BASE_DIR)))
    return found


def in_sprite() -> frozenset[str]:
    """Give the ids of the symbols that the committed sprite holds."""
    sprite = Path(settings.BASE_DIR) / "static" / SPRITE
    return frozenset(IN_SPRITE.findall(sprite.read_text(encoding="utf-8")))


def _sources() -> Iterator[tuple[Path, re.Pattern[str]]]:
    base = Path(settings.BASE_DIR)
    for folder in (base / "templates", base / "apps"):
        for path in sorted(folder.rglob("*.html")):
            yield path, IN_TEMPLATE
    for path in sorted((base / "apps").rglob("*.py")):
        yield path, IN_PYTHON
