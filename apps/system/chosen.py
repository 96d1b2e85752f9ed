"""What options say of ports, kept in a file beside the database: it is needed before there is a database.

The settings read it when a process starts, the supervisor follows it while it runs. Plain Python, without Django.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.core import files

NAME = "ports.json"


@dataclass(frozen=True)
class Chosen:
    """Port numbers by the name of their variable, and the variables of ports that are switched off."""

    ports: Mapping[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()


def read(folder: Path) -> Chosen:
    """Give what was chosen; nothing where there is no file, or none that can be understood."""
    try:
        content = json.loads((folder / NAME).read_text())
        ports = {str(name): int(number) for name, number in content["ports"].items() if 0 < int(number) <= 65535}
        return Chosen(ports, frozenset(map(str, content["off"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Chosen()


def write(folder: Path, chosen: Chosen) -> None:
    """Keep what was chosen, for the owner of the folder; nothing is written where nothing is new."""
    if not folder.is_dir() or read(folder) == chosen:
        return
    content = json.dumps({"ports": dict(sorted(chosen.ports.items())), "off": sorted(chosen.off)})
    files.replace(folder / NAME, content.encode())
