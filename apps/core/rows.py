"""Reads and writes many rows by few statements, without an object for each: where thousands a second come.

Values are as the database takes them: a time goes through ``moment``, a phrase through ``dumps``, JSON is text.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL

Row = Sequence[Any]
MomentWriter = Callable[[datetime | None], Any]

_JSON = frozenset({"json", "jsonb"})


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> int:
    """Insert rows; ``conflict`` is an ON CONFLICT clause of our own. Gives how many were written."""
    if not rows:
        return 0
    head = f"INSERT INTO {model._meta.db_table} ({', '.join(_quoted(columns))})"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(f"{head} VALUES ({_places(len(columns))}) {conflict}", rows)
        else:
            source, values, told = _given("new", _types(model, columns), rows)
            cursor.execute(f"{head} SELECT {', '.join(values)} FROM {source} {conflict}", [told])  # noqa: S608
        return int(cursor.rowcount)


def add(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> Sequence[int]:
    """Insert rows and give their new ids, ascending in the same order; inside a write transaction."""
    if not rows:
        return ()
    table, names = model._meta.db_table, ", ".join(_quoted(columns))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({_places(len(columns))})", rows)  # noqa: S608
            cursor.execute("SELECT last_insert_rowid()")  # nobody else writes meanwhile: they follow each other
            (last,) = cursor.fetchone()
            return range(last - len(rows) + 1, last + 1)
        cursor.execute(
            "SELECT array_agg(nextval(sequence)) FROM generate_series(1, %s),"
            " (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence OFFSET 0) AS named",
            [len(rows), table],
        )
        ids: list[int] = cursor.fetchone()[0]
        with connection.wrap_database_errors, cursor.copy(f"COPY {table} (id, {names}) FROM STDIN") as copy:
            for pk, row in zip(ids, rows, strict=True):
                copy.write_row((pk, *row))
        return ids


def update(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Change these columns of rows; each row holds their values in this order, then the row's id."""
    if not rows:
        return
    table, names = model._meta.db_table, _quoted(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            changes = ", ".join(f"{name} = %s" for name in names)
            cursor.executemany(f"UPDATE {table} SET {changes} WHERE id = %s", rows)  # noqa: S608
            return
        source, values, told = _given("new", _types(model, (*columns, "id")), rows)
        changes = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=False))
        cursor.execute(f"UPDATE {table} SET {changes} FROM {source} WHERE {table}.id = new.id", [told])  # noqa: S608


def delete(model: type[models.Model], kinds: Mapping[str, str], rows: Sequence[Row]) -> int:
    """Delete the rows of which these expressions (→ SQL type) have the values of a row; gives how many there were."""
    if not rows:
        return 0
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            wanted = " AND ".join(f"{expression} = %s" for expression in kinds)
            cursor.executemany(f"DELETE FROM {table} WHERE {wanted}", rows)  # noqa: S608
        else:
            named = {f"value{place}": kind for place, kind in enumerate(kinds.values())}
            source, values, told = _given("old", named, rows)
            wanted = " AND ".join(f"{one} = {value}" for one, value in zip(kinds, values, strict=True))
            cursor.execute(f"DELETE FROM {table} USING {source} WHERE {wanted}", [told])  # noqa: S608
        return int(cursor.rowcount)


def table(name: str, kinds: Mapping[str, str], rows: Collection[Row]) -> tuple[str, list[Any]]:
    """Give rows as a table to read from or join with: its SQL and its parameters. ``kinds``: column → SQL type."""
    if not rows:
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in kinds.items())
        return f"(SELECT {nothing} WHERE 1 = 0) AS {name}", []
    if connection.vendor == "sqlite":
        columns = ", ".join(f"column{place} AS {column}" for place, column in enumerate(kinds, 1))
        places = ", ".join([f"({_places(len(kinds))})"] * len(rows))
        return f"(SELECT {columns} FROM (VALUES {places})) AS {name}", [value for row in rows for value in row]  # noqa: S608
    source, _values, told = _given(name, kinds, rows)
    return source, [told]


def among(ids: Iterable[int]) -> RawSQL:
    """Give ids for ``filter(pk__in=…)``: as one parameter, where there are hundreds of them."""
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(ids))])
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


def execute_many(statement: str, rows: Sequence[Row]) -> int:
    """Run one statement of our own with each of these rows; gives how many rows of the table it wrote."""
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)


def moment(value: datetime | None) -> Any:
    """Give a time as this database takes it."""
    return moment_writer()(value)


def moment_writer() -> MomentWriter:
    """Give ``moment`` for this connection, for many of them."""
    return _as_text if connection.vendor == "sqlite" else _as_it_is


def _as_text(value: datetime | None) -> str | None:
    """Write a time as Django writes it for SQLite, in UTC without its zone."""
    if value is None:
        return None
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")[:-6]


def _as_it_is(value: datetime | None) -> datetime | None:
    return value


def when(value: Any) -> Any:
    """Give a time that was read as it is in UTC; SQLite gives it without its zone."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _places(number: int) -> str:
    return ", ".join(["%s"] * number)


def _quoted(names: Iterable[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in names]


def _given(name: str, kinds: Mapping[str, str], rows: Collection[Row]) -> tuple[str, list[str], str]:
    """Give rows as a table of PostgreSQL: where to read it, its values in their order, and the one parameter.

    As JSON they cost a third of what arrays, or a place for each value, do.
    """
    quoted = dict(zip(kinds, _quoted(kinds), strict=True))
    columns = ", ".join(f"{quoted[column]} {'text' if kind in _JSON else kind}" for column, kind in kinds.items())
    values = [f"{name}.{quoted[column]}{f'::{kind}' if kind in _JSON else ''}" for column, kind in kinds.items()]
    told = json.dumps([dict(zip(kinds, row, strict=True)) for row in rows], default=_as_json, allow_nan=False)
    return f"json_to_recordset(%s::json) AS {name}({columns})", values, told


def _as_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    raise TypeError(f"{type(value).__name__} is nothing that a row holds")


def _types(model: type[models.Model], columns: Iterable[str]) -> dict[str, str]:
    """Give the types that PostgreSQL has for columns."""
    known = {field.column: field for field in model._meta.concrete_fields}
    types = {}
    for column in columns:
        field = known[column]
        types[column] = str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
    return types
