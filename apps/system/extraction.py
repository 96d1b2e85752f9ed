"""Collects every sentence that can be translated: from Python, templates, the plain-Python rooms and the fixtures."""

import ast
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polib
import yaml
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "esm" / "locale" / "ja" / "LC_MESSAGES" / "django.po"
PLAIN_ROOMS = ("apps/drivers", "apps/protocols")  # they know no Django, so nothing marks their phrases
DEFINITIONS = "fixtures/alert_definitions"
ENTERPRISES = "fixtures/trap_enterprises.yaml"
DEFINITION_TEXTS = ("name", "family", "alert_type", "title", "detail", "remedy")
PORTS = "fixtures/ports.yaml"
PORT_TEXTS = ("section", "purpose", "peer", "note")
HELP = "fixtures/help"
HELP_TEXTS = ("term", "area", "title", "text", "advice")
KEYWORDS = (
    "gettext_noop",
    "gettext_lazy",
    "ngettext_lazy:1,2",
    "pgettext:1c,2",
    "npgettext:1c,2,3",
    "pgettext_lazy:1c,2",
    "npgettext_lazy:1c,2,3",
)

# Where the plain-Python rooms give a phrase to what: name of the callable → places of the phrase among its arguments.
_PHRASES_OF: dict[str, tuple[int | str, ...]] = {
    "malformed": (0,),
    "Fact": (2, "message"),
    "Reading": (3, "why"),
    "Sensor": (1, "name"),
    "sensor": (1, "name"),
    "State": (1, "name", 3, "words"),
    "part_state": (1,),
    "Load": (1,),
    "InventoryItem": (2, "name"),
    "Parameter": (1, "label", "choices", 7, "help"),
    "DriverSpec": (1, "label"),
    "Setting": (1, "label", "hint"),
    "SettingSection": (1, "label", 3, "row_label", "new_label"),
    "Choice": (1, "label"),
    "CheckStep": (1, "seen"),
}
_PLACE = re.compile(r"%\((\w+)\)s")
_WORD = re.compile(r"[A-Za-z]{2}")
_TOLD = re.compile(r"[A-Z][a-z]{2}|[A-Z][a-z]? [a-z]")  # how words begin that are shown, and no units and no keys do


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One sentence to translate; ``plural`` and ``context`` are empty where there is none."""

    text: str
    context: str = ""
    plural: str = ""
    python_format: bool = False


class Differences(NamedTuple):
    """How a catalogue and the sources differ: sentences without a translation, with their files, and the reverse."""

    missing: dict[Message, set[str]]
    gone: list[str]


class ExtractionFailed(RuntimeError):
    """The sentences could not be collected; the text says why."""


def messages(root: Path = ROOT) -> dict[Message, set[str]]:
    """Collect all sentences below a checkout, each with the files that say it."""
    found: dict[Message, set[str]] = {}
    for message, path in (*marked(root), *plain(root), *definitions(root), *helping(root), *table_of_ports(root)):
        found.setdefault(message, set()).add(path)
    return _joined(found)


def _joined(found: dict[Message, set[str]]) -> dict[Message, set[str]]:
    """Make one message of a text that stands both with and without a plural, or with and without the format mark."""
    joined: dict[tuple[str, str], tuple[Message, set[str]]] = {}
    for message, paths in sorted(found.items()):
        before, seen = joined.get((message.text, message.context), (message, set()))
        both = Message(
            message.text,
            message.context,
            message.plural or before.plural,
            message.python_format or before.python_format or bool(_PLACE.search(message.text)),
        )
        joined[message.text, message.context] = (both, seen | paths)
    return dict(joined.values())


def marked(root: Path = ROOT) -> Iterator[tuple[Message, str]]:
    """Give what ``gettext`` and the template tags mark, read by xgettext."""
    program = shutil.which("xgettext")
    if program is None:
        raise ExtractionFailed("xgettext is missing: install the Debian package gettext")
    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder)
        names = []
        for path in _sources(root):
            name = path.relative_to(root).as_posix()
            source = path.read_text(encoding="utf-8")
            copy = copies / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(templatize(source, origin=name) if path.suffix == ".html" else source, encoding="utf-8")
            names.append(name)
        listing = copies / "sources.txt"
        listing.write_text("\n".join(names), encoding="utf-8")
        command = [program, "--language=Python", "--from-code=UTF-8", "--output=-", "--add-location=file"]
        command += [f"--keyword={keyword}" for keyword in KEYWORDS]
        done = subprocess.run(
            [*command, f"--files-from={listing}"], cwd=copies, capture_output=True, text=True, encoding="utf-8"
        )
        if done.returncode or done.stderr.strip():
            raise ExtractionFailed(done.stderr.strip() or f"xgettext ended with {done.returncode}")
    for entry in polib.pofile(done.stdout):
        for path, _line in entry.occurrences:
            yield Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural, "python-format" in entry.flags), path


def _sources(root: Path) -> list[Path]:
    python = [path for folder in ("apps", "esm") for path in (root / folder).rglob("*.py")]
    pages = [path for folder in ("apps", "templates") for path in (root / folder).rglob("*.html")]
    return sorted(path for path in python + pages if "migrations" not in path.parts)


def plain(root: Path = ROOT) -> Iterator[tuple[Message, str]]:
    """Give the phrases of drivers and protocols, found by where they stand in the syntax tree."""
    paths = sorted(path for room in PLAIN_ROOMS for path in (root / room).rglob("*.py"))
    trees = {path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    errors = _error_classes(trees.values())
    for path, tree in trees.items():
        for text in _phrases(tree, errors, labels=path.startswith("apps/drivers")):
            if _WORD.search(_PLACE.sub("", text)):
                yield Message(text, python_format=bool(_PLACE.search(text))), path


def _error_classes(trees: Iterable[ast.Module]) -> set[str]:
    """Give ``ContactError`` and everything that is derived from it."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"ContactError"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return known


def _phrases(tree: ast.Module, errors: set[str], *, labels: bool) -> Iterator[str]:
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    classes: dict[int, ast.ClassDef] = {
        id(node): above for above in ast.walk(tree) if isinstance(above, ast.ClassDef) for node in ast.walk(above)
    }
    tables = _tables(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                name = _name(node.func)
                places = (0,) if name in errors else _PHRASES_OF.get(name, ())
                if name == "__init__" and _is_exception(classes.get(id(node))):
                    places = (0,)  # super().__init__("…") of an error with one sentence of its own
                yield from _arguments(node, places)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if labels and name.isupper() and " " in text.strip():
                    yield text
            case ast.Assign(targets=[ast.Name(id=name)], value=(ast.Dict() | ast.Tuple()) as table):
                if labels and name.isupper():
                    yield from _table(table)
            case ast.Dict(keys=keys) if labels and id(node) not in tables:
                words = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
                if len(words) == len(keys) and all(word[:1].isupper() for word in words):
                    yield from words
            case ast.Constant(value=str(text)) if id(node) not in documentation and _PLACE.search(text):
                yield text


def _tables(tree: ast.Module) -> set[int]:
    """Give the dictionaries that a constant names: they turn a device's own words, their keys, into ours."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as table) if name.isupper():
                found.add(id(table))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() as table) if name.isupper():
                found.add(id(table))
            case ast.AugAssign(target=ast.Name(id=name), value=ast.Dict() as table) if name.isupper():
                found.add(id(table))
    return found


def _table(node: ast.expr) -> Iterator[str]:
    """Give the words in a table that a constant names: what an agent's numbers mean, what is measured."""
    match node:
        case ast.Constant(value=str(text)) if _TOLD.match(text):
            yield text
        case ast.Dict(values=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from _table(part)


def _is_exception(above: ast.ClassDef | None) -> bool:
    return above is not None and any(_name(base).endswith(("Error", "Exception")) for base in above.bases)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _arguments(call: ast.Call, places: tuple[int | str, ...]) -> Iterator[str]:
    given: list[ast.expr] = [call.args[place] for place in places if isinstance(place, int) and place < len(call.args)]
    given += [keyword.value for keyword in call.keywords if keyword.arg in places]
    for argument in given:
        yield from _texts(argument)


def _texts(node: ast.expr) -> Iterator[str]:
    """Give the whole texts that an expression may have: itself, either branch of a choice, either side of ``or``."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=first, orelse=second):
            yield from _texts(first)
            yield from _texts(second)
        case ast.BoolOp(values=values) | ast.Tuple(elts=values):
            for value in values:
                yield from _texts(value)


def definitions(root: Path = ROOT) -> Iterator[tuple[Message, str]]:
    """Give the texts of the alert definitions: sentences, and the words that they have for values."""
    for path in sorted((root / DEFINITIONS).glob("*.yaml")):
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for entry in (content, *content.get("definitions", {}).values()):
            texts = [entry[field] for field in DEFINITION_TEXTS if entry.get(field)]
            texts += [word for words in entry.get("words", {}).values() for word in words.values()]
            for text in texts:
                yield Message(text, python_format=bool(_PLACE.search(text))), path.relative_to(root).as_posix()
    enterprises = root / ENTERPRISES
    if enterprises.exists():
        for entry in yaml.safe_load(enterprises.read_text(encoding="utf-8"))["families"]:
            if text := entry.get("alert_type"):
                yield Message(text), ENTERPRISES


def helping(root: Path = ROOT) -> Iterator[tuple[Message, str]]:
    """Give the texts of the glossary and of the known limits."""
    for path in sorted((root / HELP).glob("*.yaml")):
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for entry in (entry for part in content.values() for entry in part.values()):
            for field in HELP_TEXTS:
                if text := entry.get(field):
                    yield Message(text), path.relative_to(root).as_posix()


def table_of_ports(root: Path = ROOT) -> Iterator[tuple[Message, str]]:
    """Give the texts of the table of ports."""
    if (root / PORTS).exists():
        for row in yaml.safe_load((root / PORTS).read_text(encoding="utf-8")):
            yield from ((Message(row[field]), PORTS) for field in PORT_TEXTS if row.get(field))


def renew(catalogue: Path = CATALOGUE, root: Path = ROOT) -> Differences:
    """Write the catalogue anew: new sentences come in empty, gone ones go; give what it lacked and had too much.

    Sorted by sentence and without places, so that moving code changes nothing in it.
    """
    present = _entries(catalogue)
    renewed = polib.POFile(wrapwidth=0)
    renewed.metadata = {
        "Language": catalogue.parent.parent.name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    found = messages(root)
    for message in sorted(found):
        renewed.append(_entry(message, present.get((message.text, message.context))))
    renewed.save(str(catalogue))
    return _differences(found, present)


def compare(catalogue: Path = CATALOGUE, root: Path = ROOT) -> Differences:
    """Compare the catalogue with what the sources say; write nothing."""
    return _differences(messages(root), _entries(catalogue))


def _entries(catalogue: Path) -> dict[tuple[str, str], polib.POEntry]:
    if not catalogue.exists():
        return {}
    return {(entry.msgid, entry.msgctxt or ""): entry for entry in polib.pofile(str(catalogue))}


def _differences(found: dict[Message, set[str]], present: dict[tuple[str, str], polib.POEntry]) -> Differences:
    wanted = {(message.text, message.context): message for message in found}
    missing = {
        message: found[message]
        for key, message in sorted(wanted.items())
        if key not in present or not is_translated(present[key], plural=bool(message.plural))
    }
    return Differences(missing, sorted(text for text, context in present.keys() - wanted.keys()))


def _entry(message: Message, old: polib.POEntry | None) -> polib.POEntry:
    text = (old.msgstr or old.msgstr_plural.get(0, "")) if old is not None else ""
    entry = polib.POEntry(
        msgid=message.text,
        msgctxt=message.context or None,
        flags=["python-format"] if message.python_format else [],
        tcomment=old.tcomment if old is not None else "",
    )
    if message.plural:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = {0: text}
    else:
        entry.msgstr = text
    return entry


def is_translated(entry: polib.POEntry, *, plural: bool) -> bool:
    """Say whether an entry has the one form that Japanese needs, and that it is sure."""
    text = entry.msgstr_plural.get(0, "") if plural else entry.msgstr
    return bool(text) and not entry.fuzzy and not entry.obsolete
