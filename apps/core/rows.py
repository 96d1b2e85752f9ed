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


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> int:
    """Insert rows; ``conflict`` is an ON CONFLICT clause of our own. Gives how many were written."""
    if not rows:
        return 0
    places = f"({', '.join(['%s'] * len(columns))})"
    head = f"INSERT INTO {model._meta.db_table} ({', '.join(_quoted(columns))}) VALUES "  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(f"{head}{places} {conflict}", rows)
        else:
            # One round trip for many rows.
            statement = f"{head}{', '.join([places] * len(rows))} {conflict}"
            cursor.execute(statement, [value for row in rows for value in row])
        return int(cursor.rowcount)


def add(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> Sequence[int]:
    """Insert rows and give their new ids, ascending in the same order; inside a write transaction."""
    if not rows:
        return ()
    table, names = model._meta.db_table, ", ".join(_quoted(columns))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608
            cursor.execute("SELECT last_insert_rowid()")  # nobody else writes meanwhile: they follow each other
            (last,) = cursor.fetchone()
            return range(last - len(rows) + 1, last + 1)
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, len(rows)]
        )
        ids = [pk for (pk,) in cursor.fetchall()]
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
        # One statement for all of them; arrays tell the server the types.
        types = [_type(model, name) for name in (*columns, "id")]
        arrays = ", ".join(f"%s::{kind}[]" for kind in types)
        changes = ", ".join(f"{name} = new.{name}" for name in names)
        cursor.execute(
            f"UPDATE {table} SET {changes} FROM unnest({arrays}) AS new ({', '.join([*names, 'id'])})"  # noqa: S608
            f" WHERE {table}.id = new.id",
            [list(values) for values in zip(*rows, strict=True)],
        )


def table(name: str, kinds: Mapping[str, str], rows: Collection[Row]) -> tuple[str, list[Any]]:
    """Give rows as a table to read from or join with: its SQL and its parameters. ``kinds``: column → SQL type."""
    if not rows:
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in kinds.items())
        return f"(SELECT {nothing} WHERE 1 = 0) AS {name}", []
    if connection.vendor == "sqlite":
        columns = ", ".join(f"column{place} AS {column}" for place, column in enumerate(kinds, 1))
        places = ", ".join([f"({', '.join(['%s'] * len(kinds))})"] * len(rows))
        return f"(SELECT {columns} FROM (VALUES {places})) AS {name}", [value for row in rows for value in row]  # noqa: S608
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds.values())
    return f"unnest({arrays}) AS {name}({', '.join(kinds)})", [list(values) for values in zip(*rows, strict=True)]


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
    return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))


def _as_it_is(value: datetime | None) -> datetime | None:
    return value


def when(value: Any) -> Any:
    """Give a time that was read as it is in UTC; SQLite gives it without its zone."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _quoted(names: Iterable[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in names]


def _type(model: type[models.Model], column: str) -> str:
    (field,) = [field for field in model._meta.concrete_fields if field.column == column]
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
