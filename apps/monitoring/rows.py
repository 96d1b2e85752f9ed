"""Writes many rows by few statements, without an object for each: for the writer of the polls only."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

Row = Sequence[Any]


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> None:
    """Insert rows; ``conflict`` is an ON CONFLICT clause of our own. Values are as the database takes them."""
    if not rows:
        return
    places = f"({', '.join(['%s'] * len(columns))})"
    head = f"INSERT INTO {model._meta.db_table} ({', '.join(_quoted(columns))}) VALUES "  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(f"{head}{places} {conflict}", rows)
        else:
            # One round trip for many rows.
            statement = f"{head}{', '.join([places] * len(rows))} {conflict}"
            cursor.execute(statement, [value for row in rows for value in row])


def execute_many(statement: str, rows: Sequence[Row]) -> None:
    """Run one statement of our own with each of these rows."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def moment(value: Any) -> Any:
    """Give a time as this database takes it."""
    return connection.ops.adapt_datetimefield_value(value)


def _quoted(names: Iterable[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in names]
