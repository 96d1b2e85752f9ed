"""Writes “stands in one of these groups” into statements.

Every page asks it several times of some hundred groups: Django takes longer to bind them, and to put the query of
another model inside of a query, than the database takes to answer.
"""

from collections.abc import Iterable
from functools import lru_cache

from django.db import models
from django.db.models.expressions import RawSQL


def within(groups: Iterable[int]) -> RawSQL | tuple[()]:
    """Give groups for ``filter(group__in=…)``, written into the statement; of none, what needs no statement."""
    numbers = _written(frozenset(groups))
    return RawSQL(numbers, ()) if numbers else ()  # noqa: S611 - whole numbers


def standing_in(model: type[models.Model], groups: Iterable[int]) -> RawSQL | tuple[()]:
    """Give the rows of a model that stand in some groups for ``filter(component__in=…)``; of none as ``within``."""
    numbers = _written(frozenset(groups))
    pk, group = _quoted(model, "id"), _quoted(model, "group")
    sql = f'SELECT {pk} FROM "{model._meta.db_table}" WHERE {group} IN ({numbers})'  # noqa: S608 - whole numbers
    return RawSQL(sql, ()) if numbers else ()  # noqa: S611


class AnyIn(models.Func):
    """Says whether one of the rows of a model whose field names this one stands in some groups; as ``Exists``."""

    template = 'EXISTS(SELECT 1 FROM "%(table)s" WHERE %(named)s = %(expressions)s AND %(group)s IN (%(numbers)s))'
    output_field = models.BooleanField()

    def __init__(self, model: type[models.Model], field: str, groups: Iterable[int], this: str = "pk") -> None:
        super().__init__(
            this,
            table=model._meta.db_table,
            named=_quoted(model, field),
            group=_quoted(model, "group"),
            numbers=_written(frozenset(groups)) or "NULL",  # of none, which is true of nothing
        )


def _quoted(model: type[models.Model], field: str) -> str:
    return f'"{model._meta.db_table}"."{model._meta.get_field(field).column}"'  # type: ignore[union-attr]


@lru_cache(maxsize=64)
def _written(groups: frozenset[int]) -> str:
    return ", ".join(f"{int(pk)}" for pk in sorted(groups))
