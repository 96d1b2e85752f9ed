"""Empties the database after a test that really commits, and leaves it as a new portal finds its own.

Django's ``flush`` empties every table, also those that hold nothing, and makes content types and permissions anew: most
of what such a test costs. Those stay here, for no test changes them.
"""

from collections.abc import Callable

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

from apps.access.apps import make_built_in_roles
from apps.groups.apps import plant

KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def empty(case: TransactionTestCase) -> None:
    """Take the place of ``TransactionTestCase._fixture_teardown``."""
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            for table in _that_hold_something(cursor, sorted(tables), connection.ops.quote_name):
                # What refers to what is looked at when the transaction ends.
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
            plant(using=alias)
            make_built_in_roles(using=alias)


def _that_hold_something(cursor: CursorWrapper, tables: list[str], quote: Callable[[str], str]) -> list[str]:
    asked = " UNION ALL ".join(f"SELECT '{one}' WHERE EXISTS (SELECT 1 FROM {quote(one)})" for one in tables)
    cursor.execute(asked)
    return [name for (name,) in cursor.fetchall()]
