"""How many bytes each table takes with its indexes, in either database, without holding anybody up.

A small SQLite database is counted page by page (``dbstat``). A large one, or one whose SQLite lacks that, is weighed by
rows taken from all over each table and scaled to the pages that the file really uses. PostgreSQL keeps book itself.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection

COUNTED_UP_TO = 256 * 2**20  # bytes of a SQLite database that is counted; beyond, counting would fill the page cache
ROWS_COUNTED_UP_TO = 100_000  # numbers that a table spans; beyond, rows are counted in windows
WINDOWS, WINDOW = 64, 32  # windows, and numbers in each
ROW_OVERHEAD, ENTRY_OVERHEAD, FILLED = 14, 10, 0.85  # bytes of a row, of an index entry; how full index pages are


@dataclass(frozen=True, slots=True)
class Sizes:
    """The tables of the database in bytes, indexes included; ``free`` are bytes inside the file that are used again."""

    tables: dict[str, int]
    total: int
    free: int | None  # None: not measured
    log: int | None  # the write-ahead log beside the file
    counted: bool  # False: weighed by samples


def sizes() -> Sizes:
    """Measure now."""
    return _postgresql() if connection.vendor == "postgresql" else _sqlite()


def rows(table: str, column: str = "id", *, low: int | None = None, where: str = "1 = 1") -> int:
    """Give how many rows a table has, from a number on where one is given; of large ones, an estimate by windows.

    ``where`` is a condition of our own.
    """
    numbers = _span(table, column)
    if numbers is None:
        return 0
    first, last = max(numbers[0], low if low is not None else numbers[0]), numbers[1]
    if last < first:
        return 0
    place = _quoted(column)
    count = f"SELECT COUNT(*) FROM {_quoted(table)} WHERE {where} AND {place} >= %s AND {place} < %s"  # noqa: S608
    if last - first < ROWS_COUNTED_UP_TO:
        return int(_one(count, [first, last + 1])[0])
    found = covered = 0
    for start, end in windows(first, last):
        found += _one(count, [start, end])[0]
        covered += end - start
    return round(found / covered * (last - first + 1))


def windows(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Give windows of numbers, spread evenly from the first to the last."""
    step = (last - first + 1) / WINDOWS
    for place in range(WINDOWS):
        start = first + round(place * step)
        yield start, min(start + WINDOW, last + 1)


def _span(table: str, column: str) -> tuple[int, int] | None:
    low, high = _one(f"SELECT MIN({_quoted(column)}), MAX({_quoted(column)}) FROM {_quoted(table)}")  # noqa: S608
    return None if low is None or not isinstance(low, int) else (low, high)


def _one(statement: str, values: list[Any] | None = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _all(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


def _postgresql() -> Sizes:
    found = _all(
        "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c"
        " WHERE c.relkind IN ('r', 'm') AND c.relnamespace = current_schema()::regnamespace"
    )
    (total,) = _one("SELECT pg_database_size(current_database())")
    return Sizes({name: int(size) for name, size in found}, int(total), None, None, True)


# --- SQLite --------------------------------------------------------------------------------------------------------


def _sqlite() -> Sizes:
    page, pages, unused = (_one(f"PRAGMA {word}")[0] for word in ("page_size", "page_count", "freelist_count"))
    used = (pages - unused) * page
    measured = _counted() if used <= COUNTED_UP_TO else None
    tables = measured if measured is not None else _weighed(used, page)
    return Sizes(tables, pages * page, unused * page, _log_size(), measured is not None)


def _counted() -> dict[str, int] | None:
    """Count by ``dbstat``; None where this SQLite has none."""
    try:
        found = _all("SELECT name, SUM(pgsize) FROM dbstat WHERE aggregate = TRUE GROUP BY name")
    except DatabaseError:
        return None
    owners = dict(_all("SELECT name, tbl_name FROM sqlite_master"))
    tables: dict[str, int] = defaultdict(int)
    for name, size in found:
        tables[owners.get(name, name)] += size
    return dict(tables)


def _weighed(used: int, page: int) -> dict[str, int]:
    """Weigh rows of each table and scale the sum to the bytes that are used."""
    names = _all("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'")
    weights = {name: _weight(name, page) for (name,) in names}
    total = sum(weights.values())
    return {name: round(weight * used / total) for name, weight in weights.items()} if total else {}


def _weight(table: str, page: int) -> float:
    """Weigh the rows of a table and the entries of its indexes; each of these trees takes a page at least."""
    columns = [(row[1], row[5]) for row in _all(f"PRAGMA table_info({_quoted(table)})")]
    key = next((name for name, place in columns if place), columns[0][0])
    indexes = [row[1] for row in _all(f"PRAGMA index_list({_quoted(table)})")]
    keys = {name: [row[2] for row in _all(f"PRAGMA index_info({_quoted(name)})")] for name in indexes}
    numbers = _span(table, key)
    if numbers is None:
        # A key of text: such tables are small, and are read whole.
        parts, count = [""], _one(f"SELECT COUNT(*) FROM {_quoted(table)}")[0]  # noqa: S608
    else:
        whole = numbers[1] - numbers[0] < WINDOWS * WINDOW
        spans = [(numbers[0], numbers[1] + 1)] if whole else windows(*numbers)
        parts = [f"WHERE {_quoted(key)} >= {start} AND {_quoted(key)} < {end}" for start, end in spans]
        count = rows(table, key)

    def mean(names: list[str]) -> float:
        length = " + ".join(map(_length, names)) or "0"
        found = [_one(f"SELECT COUNT(*), COALESCE(SUM({length}), 0) FROM {_quoted(table)} {part}") for part in parts]  # noqa: S608
        taken = sum(row[0] for row in found)
        return sum(row[1] for row in found) / taken if taken else 0.0

    row = mean([name for name, _place in columns if name != key]) + ROW_OVERHEAD
    entries = (mean([name for name in names if name is not None]) + ENTRY_OVERHEAD for names in keys.values())
    return max(count * row, page) + sum(max(count * entry / FILLED, page) for entry in entries)


def _length(column: str) -> str:
    """Give the bytes of a value as SQL: whole numbers are stored in about half of their digits."""
    name = _quoted(column)
    return (
        f"CASE TYPEOF({name}) WHEN 'integer' THEN (LENGTH({name}) + 1) / 2 WHEN 'real' THEN 8"
        f" ELSE COALESCE(LENGTH(CAST({name} AS BLOB)), 0) END"
    )


def _log_size() -> int | None:
    try:
        return Path(f"{connection.settings_dict['NAME']}-wal").stat().st_size
    except OSError:
        return None
