"""The search for words in alerts and incidents.

No index helps to find words inside of texts, and one that does would cost every alert that arrives more than all others
together. So a search looks at so many rows, the newest first, and says how far it came; it goes on from there.
"""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext

from apps.alerts.services import catalogue
from apps.components.models import Component

SEARCHED = 15_000  # rows that one search looks at
WORDS = 8  # more words are not looked at
SUGGESTED = 3


def split(words: str) -> list[str]:
    """Give the words of a search."""
    return words.replace("\x00", "").split()[:WORDS]


def in_alert(word: str) -> Q:
    """Keep alerts that have a word in what their row and drawer show."""
    return (
        Q(title__icontains=word)
        | Q(detail__icontains=word)
        | Q(component_name__icontains=word)
        | Q(address__icontains=word)
        | Q(trap_oid__icontains=word)
        | Q(alert_type__icontains=word)
        | _called(word)
        | _explained(word)
    )


def in_incident(word: str) -> Q:
    """Keep incidents that have a word in what their row shows."""
    return (
        Q(title__icontains=word)
        | Q(component_name__icontains=word)
        | Q(address__icontains=word)
        | Q(object__icontains=word)
        | Q(note__icontains=word)
        | _called(word)
        | _explained(word)
    )


def suggested(user: Any, words: str) -> list[Component]:
    """Give a few visible components that a search may mean: all alerts of one are found at once."""
    found = Component.objects.visible_to(user).search(words.replace("\x00", "")).order_by("name")
    return list(found.only("pk", "name", "alias")[:SUGGESTED])


def _called(word: str) -> Q:
    """Find those whose component has the word in its alias: rows keep the name alone."""
    return Q(component__in=Component.objects.filter(alias__icontains=word).order_by().values("pk"))


def _explained(word: str) -> Q:
    """Find what the reader sees in his language: sentences are stored in English."""
    sought = word.casefold()
    ids = [
        entry.pk
        for entry in catalogue.current().definitions
        if any(sought in gettext(text).casefold() for text in (entry.name, entry.title, entry.detail) if text)
    ]
    return Q(definition__in=ids)
