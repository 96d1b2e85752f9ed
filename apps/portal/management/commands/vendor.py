"""Copies the pinned browser libraries and their licences into static/vendor and records what they are."""

import hashlib
import json
import re
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.portal.node_modules import installed, take_folder

FILES = {
    "htmx.org": ("dist/htmx.min.js",),
    "idiomorph": ("dist/idiomorph-ext.min.js",),
    "htmx-ext-sse": ("dist/sse.min.js",),
    "uplot": ("dist/uPlot.iife.min.js", "dist/uPlot.min.css"),
    "@xterm/xterm": ("lib/xterm.js", "css/xterm.css"),
    "@xterm/addon-fit": ("lib/addon-fit.js",),
    "@fontsource-variable/inter": ("files/inter-latin-wght-normal.woff2",),
    "@fontsource-variable/jetbrains-mono": ("files/jetbrains-mono-latin-wght-normal.woff2",),
}
SPRITE_SOURCE = "@tabler/icons"  # its files are not copied one by one; the sprite command takes shapes from it
SOURCE_MAP = re.compile(rb"\n//# sourceMappingURL=\S+\s*\Z")  # names a file that is not served
LICENCES_WITHOUT_FIELD = {"htmx-ext-sse": "0BSD"}  # has a licence text, but no such field in its package.json


class Command(BaseCommand):
    """Refresh static/vendor after package.json changed."""

    help = "Copy the pinned browser libraries from node_modules to static/vendor and write VENDOR.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder that npm installed into."""
        take_folder(parser)

    def handle(self, *args: Any, node_modules: Path, **options: Any) -> None:
        """Copy each file and licence; note package, version, licence and checksum."""
        vendor = Path(settings.BASE_DIR) / "static" / "vendor"
        pinned: dict[str, str] = json.loads((vendor / "package.json").read_text())["dependencies"]
        (vendor / "licenses").mkdir(exist_ok=True)
        record: dict[str, dict[str, str]] = {}
        for package in (*FILES, SPRITE_SOURCE):
            folder = installed(node_modules / package)
            about = json.loads((folder / "package.json").read_text())
            if about["version"] != pinned[package]:
                raise CommandError(f"{package} is {about['version']}, but package.json pins {pinned[package]}")
            licence_text = f"licenses/{package.strip('@').replace('/', '-')}.txt"
            shutil.copyfile(folder / "LICENSE", vendor / licence_text)
            licence = about.get("license") or LICENCES_WITHOUT_FIELD[package]
            entry = {"package": package, "version": about["version"], "license": licence, "text": licence_text}
            for name in FILES.get(package, ()):
                target = vendor / Path(name).name
                target.write_bytes(SOURCE_MAP.sub(b"", (folder / name).read_bytes()))
                record[target.name] = entry | {"sha256": hashlib.sha256(target.read_bytes()).hexdigest()}
            if package == SPRITE_SOURCE:
                record["icons.svg"] = entry
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        (vendor / "VENDOR.json").write_text(text, encoding="utf-8")
        self.stdout.write(f"{len(record)} files")
