"""The help pages: the glossary and the known limits, from ``fixtures/help``, searched in the reader's language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.core.htmx import wants_part

GLOSSARY, LIMITS = "glossary", "limits"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of either list, in English as its file says it."""

    key: str
    title: str
    text: str
    advice: str = ""
    area: str = ""
    guide: str = ""  # the guide's own word, or the chapter in which it says so
    see: tuple[str, ...] = ()

    def has(self, words: Iterable[str]) -> bool:
        """Say whether every word is in it, in the reader's language or in English."""
        mine = (self.title, self.text, self.advice, self.area)
        all_of_it = " ".join([*mine, *(_(text) for text in mine if text), self.guide]).casefold()
        return all(word in all_of_it for word in words)


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as it is shown."""

    key: str
    title: SafeString
    text: SafeString
    advice: SafeString
    area: str
    guide: str
    see: list[tuple[str, str]]


@require_safe
@vary_on_headers("HX-Request")
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the glossary or the known limits, or what of them has the words that are asked for."""
    words = request.GET.get("q", "").casefold().split()[:8]
    found = {name: [entry for entry in entries(name).values() if entry.has(words)] for name in (GLOSSARY, LIMITS)}
    chosen = LIMITS if request.GET.get("show") == LIMITS else GLOSSARY
    if not found[chosen]:
        chosen = next((name for name in found if found[name]), chosen)  # words that only the other list has
    shown = [_shown(entry) for entry in found[chosen]]
    shown.sort(key=(lambda one: one.area) if chosen == LIMITS else (lambda one: str(one.title).casefold()))
    context = {
        "q": request.GET.get("q", ""),
        "shown": chosen,
        "tabs": [
            (GLOSSARY, _("Glossary"), len(found[GLOSSARY]), chosen == GLOSSARY),
            (LIMITS, _("Known limits"), len(found[LIMITS]), chosen == LIMITS),
        ],
        "entries": shown,
    }
    return render(request, "portal/_help.html" if wants_part(request) else "portal/help.html", context)


def _shown(entry: Entry) -> Shown:
    see = [(key, _(entries(GLOSSARY)[key].title)) for key in entry.see]
    guide = entry.guide if entry.guide.casefold() != _(entry.title).casefold() else ""
    return Shown(
        entry.key,
        marked(_(entry.title)),
        marked(_(entry.text)),
        marked(_(entry.advice)) if entry.advice else SafeString(""),
        _(entry.area) if entry.area else "",
        guide,
        see,
    )


def marked(text: str) -> SafeString:
    """Show what stands in back quotes as it is typed; everything else is plain text."""
    parts = [escape(part) for part in text.split("`")]
    code = [f'<code class="mono">{part}</code>' if place % 2 else part for place, part in enumerate(parts)]
    return mark_safe("".join(code))  # noqa: S308 - every part is escaped above


@cache
def entries(name: str) -> Mapping[str, Entry]:
    """Read one list."""
    path = settings.FIXTURES_DIR / "help" / f"{name}.yaml"
    content: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows = content["terms" if name == GLOSSARY else "limits"]
    return {
        key: Entry(
            key,
            row.get("term") or row["title"],
            row["text"],
            row.get("advice", ""),
            row.get("area", ""),
            row.get("guide", ""),
            tuple(row.get("see", ())),
        )
        for key, row in rows.items()
    }
