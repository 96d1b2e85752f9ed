"""Widens the cards of a page so that no row of the twelve-column grid ends in a hole."""

from collections.abc import Sequence

COLUMNS = 12


def filled(widths: Sequence[str]) -> list[str]:
    """Give the classes of cards (``c4 x-c12``) with the widths that fill their rows; those of small screens stay."""
    rows: list[list[int]] = []
    for word in widths:
        width = int(word.split()[0].removeprefix("c"))
        if not rows or sum(rows[-1]) + width > COLUMNS:
            rows.append([])
        rows[-1].append(width)
    for row in rows:
        while sum(row) < COLUMNS:
            row[row.index(min(row))] += 1
    found = [width for row in rows for width in row]
    return [" ".join([f"c{width}", *word.split()[1:]]) for width, word in zip(found, widths, strict=True)]
