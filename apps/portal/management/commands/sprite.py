"""Rebuilds the icon sprite from what the sources name; needs the icon package only when an icon is added."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.portal import icons
from apps.portal.node_modules import installed, take_folder

SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" '
    'stroke-linejoin="round">{shapes}</symbol>'
)
BOUNDS = '<path stroke="none" d="M0 0h24v24H0z" fill="none" />'


class Command(BaseCommand):
    """Write static/vendor/icons.svg: one symbol for each icon in use, and our own glyphs of the states."""

    help = "Rebuild static/vendor/icons.svg from the icons that templates and modules name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder that npm installed into."""
        take_folder(parser)

    def handle(self, *args: Any, node_modules: Path, **options: Any) -> None:
        """Collect the names, read the shapes, write the sprite in the order of the names."""
        outline = installed(node_modules / "@tabler" / "icons" / "icons" / "outline")
        wanted = {name: "apps/portal/icons.py" for name in icons.CHOSEN_BY_DATA} | icons.named_in_sources()
        symbols = []
        for name, source in sorted(wanted.items()):
            path = outline / f"{name}.svg"
            if not path.is_file():
                raise CommandError(f"{source} names the icon {name!r}, which the icon package does not have")
            symbols.append(SYMBOL.format(name=name, shapes=_shapes(path.read_text(encoding="utf-8"))))
        static = Path(settings.BASE_DIR) / "static"
        symbols += re.findall(r"<symbol .*?</symbol>", (static / "img" / "states.svg").read_text(), re.DOTALL)
        lines = ['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""]
        (static / icons.SPRITE).write_text("\n".join(lines), encoding="utf-8")
        self.stdout.write(f"{len(symbols)} symbols")


def _shapes(svg: str) -> str:
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if inner is None:
        raise CommandError("an icon of the package is not an SVG file")
    return re.sub(r"\s+", " ", inner[1]).replace(BOUNDS, "").replace("> <", "><").strip()
