"""Loads ``facts.json``: what is known of makers, operating systems and agents by their numbers and texts."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Agent:
    """A vendor's agent: how its version is recognised, and the oldest one that is managed."""

    name: str
    description: re.Pattern[str]
    minimum: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that ``facts.json`` says."""

    manufacturers: dict[str, str]  # by enterprise number (IANA)
    operating_systems: tuple[tuple[re.Pattern[str], str], ...]
    windows_builds: dict[str, str]
    agents: tuple[Agent, ...]


@cache
def facts() -> Facts:
    """Read the file once."""
    raw = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
    return Facts(
        manufacturers=raw["manufacturers"],
        operating_systems=tuple(
            (re.compile(entry["pattern"], re.DOTALL), entry["name"]) for entry in raw["operating_systems"]
        ),
        windows_builds=raw["windows_builds"],
        agents=tuple(
            Agent(
                entry["name"],
                re.compile(entry["description_pattern"]),
                version_numbers(entry["minimum"]),
            )
            for entry in raw["agents"]
        ),
    )


def version_numbers(version: str) -> tuple[int, ...]:
    """Turn ``"4.2.22-1"`` into ``(4, 2, 22)``, so that versions compare as people mean it."""
    found = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(int(part[:9]) for part in found[0].split(".")) if found else ()
