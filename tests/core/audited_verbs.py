"""Finds, in the sources, which functions are told who acts, and whether what they do ends in the audit."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

APPS = Path(settings.BASE_DIR) / "apps"
WRITING = frozenset(
    {"save", "create", "update", "delete", "bulk_create", "bulk_update", "update_or_create", "get_or_create"}
)


@dataclass
class Verb:
    """A function with an ``actor``: whether it writes, records, and to which functions it hands the actor on."""

    place: str
    name: str
    writes: bool = False
    records: bool = False
    hands_on: set[str] = field(default_factory=set)


def verbs() -> list[Verb]:
    """Give every function of the apps that is told who acts."""
    found = []
    for path in sorted(APPS.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and "actor" in _parameters(node):
                found.append(_read(node, str(path.relative_to(APPS))))
    return found


def audited(found: list[Verb]) -> set[str]:
    """Give the names of those that record, or hand the actor to one that does."""
    names = {verb.name for verb in found if verb.records}
    while True:
        more = {verb.name for verb in found if verb.hands_on & names} - names
        if not more:
            return names
        names |= more


def _parameters(node: ast.FunctionDef) -> set[str]:
    given = node.args
    return {one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs]}


def _read(node: ast.FunctionDef, place: str) -> Verb:
    verb = Verb(place, node.name)
    for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in WRITING:
            verb.writes = True
        if not any(_is_actor(value) for value in [*call.args, *(one.value for one in call.keywords)]):
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called == "record":
            verb.records = True
        else:
            verb.hands_on.add(called)
    return verb


def _is_actor(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "actor"


def recorded_actions() -> Iterator[tuple[str, str]]:
    """Give every action that the sources record by a plain word, with the file that does."""
    for path in sorted(APPS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "record" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                yield str(node.args[1].value), str(path.relative_to(APPS))
