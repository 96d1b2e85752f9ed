"""Finds what a reader of a page sees or hears, and says which of it was left in English."""

import re
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
UNSEEN = frozenset({"script", "style", "template", "noscript", "code", "kbd", "samp", "pre", "textarea"})
SPOKEN = ("title", "aria-label", "alt", "placeholder", "data-empty", "data-failed", "data-done", "data-pattern",
          "data-close", "data-on", "data-polling", "data-lost")  # fmt: skip
BUTTONS = frozenset({"submit", "button", "reset"})

# Names that are the same in every language.
PROPER_NAMES = (
    "Fleet Portal",
    "ESMPRO/ServerAgent",
    "HOST-RESOURCES-MIB",
    "Baseboard Management Controller",
    "Integrated Lights-Out",
    "Intel Active Management Technology",
    "Serial over LAN",
    "Wake On Directed Packet",
    "Web Service Management",
    "ESM_DATA_DIR",
    "IPv4",
    "IPv6",
    "SNMP",
    "OpenSSH",
    "PEM",
    "UUID",
    "MAC",
    "JSON",
    "API",
    "English",
)
_RUN = re.compile(r"[A-Za-z][A-Za-z'’]+(?:[\s,;:—–-]+[A-Za-z][A-Za-z'’]*){2,}")
# Hardware addresses and UUIDs, some of which look like words.
_NUMBER = re.compile(
    r"\b(?:[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5,7}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\b"
)
_SPACE = re.compile(r"\s+")


class _Reader(HTMLParser):
    """Collects text nodes and spoken attributes; what stands in another language by its ``lang`` is left out."""

    def __init__(self, language: str) -> None:
        super().__init__(convert_charrefs=True)
        self._language = language
        self._open: list[tuple[str, bool]] = []  # tag, whether it and what it holds is read
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        seen = self._seen and tag not in UNSEEN and about.get("lang", self._language) == self._language
        if seen:
            self.found += [value for name, value in about.items() if name in SPOKEN and value]
            if tag == "input" and about.get("type") in BUTTONS and about.get("value"):
                self.found.append(about["value"])
        if tag not in VOID:
            self._open.append((tag, seen))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        if self._seen:
            self.found.append(data)

    @property
    def _seen(self) -> bool:
        return not self._open or self._open[-1][1]


def visible(page: str, language: str = "ja") -> Iterator[str]:
    """Give every text of a page that is seen or spoken, with its white space folded."""
    reader = _Reader(language)
    reader.feed(page)
    reader.close()
    for text in reader.found:
        if folded := _SPACE.sub(" ", text).strip():
            yield folded


def left_in_english(page: str, catalogue: Mapping[str, str], data: Collection[str] = ()) -> list[str]:
    """Give the texts that have another form in the catalogue, or hold three English words in a row.

    ``data`` is what devices and people named; it is taken out before words are counted.
    """
    names = sorted((*PROPER_NAMES, *data), key=len, reverse=True)
    found = []
    for text in visible(page):
        if text in data or text in PROPER_NAMES:
            continue
        if catalogue.get(text, text) != text:
            found.append(text)
            continue
        rest = _NUMBER.sub("¤", text)
        for name in names:
            rest = rest.replace(name, "¤")
        if _RUN.search(rest):
            found.append(text)
    return found
