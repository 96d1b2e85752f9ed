"""Imports the guide's file of network boards that do not count in the status (``NICStatusNotShow.txt``).

One component a line: ``component=MAC,MAC,…``. The component's name counts, not its alias; of several lines with the
same name the last one counts; a line that is written wrongly is left out as a whole. A line is the whole list of its
component; a component that the file does not name keeps what it has.
"""

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.phrases import Phrase
from apps.monitoring.services import port_exclusion

LARGEST = 1_000_000  # octets
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")

NO_EQUALS = gettext_noop("There is no = between a component's name and its addresses.")
NO_NAME = gettext_noop("The component's name is missing.")
NO_ADDRESS = gettext_noop("There is no MAC address.")
WRONG_ADDRESS = gettext_noop("%(address)s is no MAC address.")
NOT_LAST = gettext_noop("Line %(line)s names the same component, and the last one counts.")
NO_COMPONENT = gettext_noop("No component has this name.")
ALIAS = gettext_noop("This is the alias of %(name)s: write the component's name.")
NOT_PERMITTED = gettext_noop("You may not change this component.")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is written rightly."""

    number: int
    text: str
    name: str
    mac_addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """One line that is left out, and why."""

    number: int
    text: str
    why: Phrase


@dataclass(frozen=True, slots=True)
class Taken:
    """One line that is in force for a component; addresses that no port of it shows now wait for one that does."""

    number: int
    text: str
    component: Component
    mac_addresses: tuple[str, ...]
    not_seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, in the order of the lines."""

    taken: Sequence[Taken]
    ignored: Sequence[Ignored]


def decode(content: bytes) -> str:
    """Read a text file as Windows and Linux write it; raises ValidationError for what is no text."""
    if len(content) > LARGEST:
        raise ValidationError(_("The file is too large."))
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _decoded(content, encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(content, "cp932")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValidationError(_("The file is no text in UTF-8, UTF-16 or Shift_JIS.")) from error


def read(text: str) -> Iterator[Line | Ignored]:
    """Read the lines; empty ones are passed over."""
    for number, raw in enumerate(text.splitlines(), 1):
        if line := raw.strip().strip("\ufeff\x00"):
            yield _line(number, line[:2000])


def _line(number: int, text: str) -> Line | Ignored:
    # A name may hold an equals sign; an address never does.
    name, equals, addresses = (part.strip() for part in text.rpartition("="))
    if not equals:
        return Ignored(number, text, Phrase(NO_EQUALS))
    if not name:
        return Ignored(number, text, Phrase(NO_NAME))
    if not addresses:
        return Ignored(number, text, Phrase(NO_ADDRESS))
    found = []
    for address in (part.strip() for part in addresses.split(",")):
        if not _MAC.fullmatch(address):
            return Ignored(number, text, Phrase(WRONG_ADDRESS, {"address": address[:60] or "“”"}))
        found.append(address.replace("-", ":").lower())
    return Line(number, text, name, tuple(dict.fromkeys(found)))


def take(text: str, user: Any, actor: Actor) -> Report:
    """Put the file in force for the components that the user may change, and say what became of each line."""
    lines, ignored = _last_of_each(list(read(text)))
    components = _named(user, [line.name for line in lines])
    permitted = scoping.scope_of(user, "components")
    taken: list[Taken] = []
    for line in lines:
        found = components.get(line.name, [])
        allowed = [component for component in found if component.group_id in permitted]
        if not allowed:
            ignored.append(Ignored(line.number, line.text, _why_not(user, line.name, bool(found))))
        for component in allowed:
            port_exclusion.replace(component, line.mac_addresses, actor)
            seen = {port.mac_address for port in port_exclusion.ports_of(component)}
            not_seen = tuple(mac for mac in line.mac_addresses if mac not in seen)
            taken.append(Taken(line.number, line.text, component, line.mac_addresses, not_seen))
    return Report(taken, sorted(ignored, key=lambda one: one.number))


def _last_of_each(found: Sequence[Line | Ignored]) -> tuple[list[Line], list[Ignored]]:
    ignored = [one for one in found if isinstance(one, Ignored)]
    lines = [one for one in found if isinstance(one, Line)]
    last = {line.name: line for line in lines}
    for line in lines:
        if last[line.name] is not line:
            why = Phrase(NOT_LAST, {"line": str(last[line.name].number)})
            ignored.append(Ignored(line.number, line.text, why))
    return [line for line in lines if last[line.name] is line], ignored


def _named(user: Any, names: Sequence[str]) -> dict[str, list[Component]]:
    found: dict[str, list[Component]] = defaultdict(list)
    for start in range(0, len(names), 400):
        rows = Component.objects.visible_to(user).filter(name__in=names[start : start + 400])
        for component in rows.order_by("pk"):
            found[component.name].append(component)
    return found


def _why_not(user: Any, name: str, is_visible: bool) -> Phrase:
    if is_visible:
        return Phrase(NOT_PERMITTED)
    meant = Component.objects.visible_to(user).filter(~Q(name=name), alias=name).first()
    return Phrase(ALIAS, {"name": meant.name}) if meant is not None else Phrase(NO_COMPONENT)
