"""Loads ``facts.json`` and ``models.csv``: makers, operating systems, agents and models by their numbers and texts."""

import csv
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
    models: tuple[re.Pattern[str], ...]
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
        models=tuple(re.compile(pattern, re.DOTALL | re.MULTILINE) for pattern in raw["models"]),
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


@dataclass(frozen=True, slots=True)
class Model:
    """What a sysObjectID stands for."""

    manufacturer: str
    name: str
    exact: bool  # False: only the family is known, of which the device has a number of its own


def model_of(object_id: str | None) -> Model | None:
    """Give what is known of a sysObjectID: the entry with the longest prefix of it."""
    parts = object_id.split(".") if object_id else []
    for length in range(len(parts), 0, -1):
        found = _models().get(".".join(parts[:length]))
        if found is not None:
            return Model(*found, exact=length == len(parts))
    return None


@cache
def _models() -> dict[str, tuple[str, str]]:
    with Path(__file__).with_name("models.csv").open(encoding="utf-8", newline="") as lines:
        return {row["object_id"]: (row["manufacturer"], row["model"]) for row in csv.DictReader(lines)}


def version_numbers(version: str) -> tuple[int, ...]:
    """Turn ``"4.2.22-1"`` into ``(4, 2, 22)``, so that versions compare as people mean it."""
    found = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(int(part[:9]) for part in found[0].split(".")) if found else ()
