"""What is made of a name that somebody types to sign in, in whatever form of Unicode his keyboard has it."""

import unicodedata

from apps.accounts.names import LONGEST, is_unseen, normalised


def normal(name: str) -> str:
    """Give a name in its usual form: full-width letters as plain ones, accents put together, no space around it.

    >>> normal(" \uff41\uff4e\uff4e\uff41 ")
    'anna'
    """
    return normalised(name)


def folded(name: str) -> str:
    """Give a name as failures are counted by it, where letter case makes no difference."""
    return unicodedata.normalize("NFKC", normal(name).casefold())[:LONGEST]


def has_unseen(name: str) -> bool:
    """Say whether a name holds characters that nobody sees: those that no name has, and that make two look alike."""
    return any(is_unseen(character) for character in name)
