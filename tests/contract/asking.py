"""Asks one address as somebody, and sees to it that a refusal changes nothing and a permission is taken back."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import connection, models, transaction
from django.test import Client

from apps.access.services import addresses
from apps.alerts.services import catalogue
from apps.core import options
from apps.core.models import AuditEntry, Outcome
from tests import headers

# What is written although nothing was done: that somebody is there, and that he was refused.
UNCOUNTED = {
    "accounts_session",
    "core_auditentry",
    "core_foldedrefusals",
    "axes_accessattempt",
    "axes_accesslog",
    "axes_accessfailurelog",
}
UNCOUNTED_UPDATE = 'UPDATE "access_apitoken" SET "last_used_at"'
UNCOUNTED_COLUMNS = {"last_login", "last_used_at", "last_used_from"}
REFUSALS = frozenset({401, 403, 404, 405})


@dataclass
class Answer:
    """What came back, and what was written to the database meanwhile."""

    status: int
    location: str
    content: bytes
    bare: list[str]
    """Which of the headers that every answer carries it does not carry as it must."""
    written: list[str] = field(default_factory=list)

    @property
    def is_refusal(self) -> bool:
        """Say whether it was not let in: by its status, or by being sent to sign in."""
        return self.status in REFUSALS or (self.status == 302 and "/login/?" in self.location)


def ask(client: Client, method: str, path: str, port: str = "80") -> Answer:
    """Send one request without a body worth anything; whatever it was permitted to change is taken back."""
    written: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        verb, _space, rest = sql.partition(" ")
        known = sql.startswith(UNCOUNTED_UPDATE) or any(f'"{table}"' in rest for table in UNCOUNTED)
        if verb in {"INSERT", "UPDATE", "DELETE"} and not known:
            written.append(sql)
        return execute(sql, params, many, context)

    sends = path.startswith("/api/") and method in {"POST", "PATCH", "PUT"}
    body: dict[str, Any] = {"data": "{}", "content_type": "application/json"} if sends else {}
    cookies = deepcopy(client.cookies)  # signing out, too, is taken back
    with transaction.atomic():
        with connection.execute_wrapper(watch):
            answer = getattr(client, method.lower())(path, SERVER_PORT=port, **body)
        content = (b"" if answer.is_async else b"".join(answer)) if answer.streaming else answer.content
        found = Answer(answer.status_code, answer.headers.get("Location", ""), content, headers.faults(answer), written)
        if not found.is_refusal:
            transaction.set_rollback(True)
    client.cookies = cookies
    if written:
        forget()
    return found


def forget() -> None:
    """Have this process read again what it remembered of rows that were taken back."""
    for memory in (options, addresses, catalogue):
        memory.forget()
    cache.clear()


def digest() -> str:
    """Give what stands in all tables as one number, without what is written although nothing was done."""
    total = hashlib.sha256()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed:
            continue
        total.update(model._meta.db_table.encode())
        for row in _rows(model):
            total.update(repr(row).encode())
    return total.hexdigest()


def _rows(model: type[models.Model]) -> Iterator[tuple[Any, ...]]:
    rows = model._base_manager.order_by("pk")
    if model is AuditEntry:
        rows = rows.exclude(outcome=Outcome.REFUSED)
    elif model._meta.db_table in UNCOUNTED:
        return iter(())
    columns = [one.attname for one in model._meta.concrete_fields if one.attname not in UNCOUNTED_COLUMNS]
    return iter(rows.values_list(*columns))


@contextmanager
def nothing_changed() -> Iterator[None]:
    """See to it that all tables hold what they held."""
    before = digest()
    yield
    assert digest() == before, "a request that was refused changed something"
