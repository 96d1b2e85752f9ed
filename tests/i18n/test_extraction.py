"""What the extraction finds in a small checkout, and what in this one it could not find."""

import ast
from pathlib import Path

import polib
import pytest

from apps.system import extraction
from apps.system.extraction import Message

DRIVER = '''
"""A module."""
WAITED = "waited too long"
WORDS = {"FailedRedundant": ("No longer redundant", 3)}
class Silent(ContactError):
    """Not a phrase."""
def read(port, name):
    yield Reading(Sensor("cpu", "CPU load"), None, why="not measured")
    yield Reading(sensor("swap", "Swap space"), 1.0)
    details = {"Model": 1, "Serial number": None}
    yield Fact("fan", Status.WARNING, "%(part)s fails", {"part": name})
    yield InventoryItem(KIND, "memory", name or "Memory module")
    raise Silent("Nobody answers") if port else Unreachable("Port %(port)s is closed", port=port)
class Unreachable(ContactError): ...
raise malformed("a length is wrong")
raise ValueError("only for programmers, never shown")
'''
VIEW = """
from django.utils.translation import gettext as _, ngettext, pgettext
title = _("Two parts "
          "of one sentence")
count = ngettext("%(n)s thing", "%(n)s things", 2)
state = pgettext("incident", "Open")
"""
PAGE = """{% load i18n %}<p>{% translate "Welcome" %} {% include "x.html" with title=_("Empty here") %}</p>
{% blocktranslate with name=user trimmed %}
    Good day,
    {{ name }}
{% endblocktranslate %}"""
ALERTS = """
definitions:
  linkDown: {name: Link down, trap_oid: 1.3.6, severity: warning, title: "Link of %(object)s went down"}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in {
        "apps/drivers/one/driver.py": DRIVER,
        "apps/shop/views.py": VIEW,
        "templates/page.html": PAGE,
        "fixtures/alert_definitions/standard.yaml": ALERTS,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_every_kind_of_source_is_read(checkout: Path):
    found = {message.text: message for message in extraction.messages(checkout)}
    assert sorted(found) == [
        "%(n)s thing",
        "%(part)s fails",
        "CPU load",
        "Empty here",
        "Good day, %(name)s",
        "Link down",
        "Link of %(object)s went down",
        "Memory module",
        "Model",
        "No longer redundant",
        "Nobody answers",
        "Open",
        "Port %(port)s is closed",
        "Serial number",
        "Swap space",
        "Two parts of one sentence",
        "Welcome",
        "a length is wrong",
        "not measured",
        "waited too long",
    ]
    assert found["%(n)s thing"].plural == "%(n)s things"
    assert found["Open"].context == "incident"
    assert extraction.messages(checkout)[Message("Welcome")] == {"templates/page.html"}


def test_the_catalogue_keeps_what_is_translated_and_drops_what_is_gone(checkout: Path):
    catalogue = checkout / "ja" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    missing, gone = extraction.renew(catalogue, checkout)
    assert (len(missing), gone) == (20, [])
    entries = polib.pofile(str(catalogue))
    for entry in entries:
        if entry.msgid_plural:
            entry.msgstr_plural = {0: "%(n)s 個"}
        else:
            entry.msgstr = f"訳 {entry.msgid}"
    entries.find("Welcome").flags.append("fuzzy")
    entries.save()
    (checkout / "apps/shop/views.py").unlink()
    assert extraction.compare(catalogue, checkout) == (
        {Message("Welcome"): {"templates/page.html"}},
        ["%(n)s thing", "Open", "Two parts of one sentence"],
    )
    extraction.renew(catalogue, checkout)
    assert {entry.msgid for entry in polib.pofile(str(catalogue))}.isdisjoint({"Open", "%(n)s thing"})


MARKS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext", "pgettext_lazy"})


def calls(folder: str) -> list[tuple[str, ast.Call, str]]:
    found = []
    for path in sorted((extraction.ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found.append((path.relative_to(extraction.ROOT).as_posix(), node, name))
    return found


def made_up(node: ast.expr) -> bool:
    """Say whether a text is put together where it is said: nobody can translate it. A variable is marked elsewhere."""
    return any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in ast.walk(node))


def test_what_is_marked_is_a_whole_text():
    wrong = []
    for path, node, name in calls("apps"):
        if name in MARKS and any(made_up(argument) for argument in node.args):
            wrong.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def test_what_drivers_and_protocols_say_is_a_whole_text_with_places():
    errors = {"Unreachable", "AuthenticationFailed", "Unsupported", "DeviceError", "ContactError"}
    wrong = [
        f"{path}:{node.lineno}: {ast.unparse(node.args[0])}"
        for room in extraction.PLAIN_ROOMS
        for path, node, name in calls(room)
        if name in errors and node.args and made_up(node.args[0])
    ]
    assert wrong == []
