"""Gathers every secret that this portal could say by accident, so that the bundle can be searched for them."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.access.models import ApiToken
from apps.accounts.models import Session, User
from apps.components import credential_kinds
from apps.components.models import CredentialVersion
from apps.core import options, secrets

SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|key|credential|auth|cookie|session|private|community|dsn", re.IGNORECASE
)
PATH_NAME = re.compile(r"_(file|dir|path|sock)$|^(old)?pwd$", re.IGNORECASE)
SECRET_SETTINGS = ("SECRET_KEY", "EMAIL_HOST_PASSWORD")


def known() -> Iterator[str]:
    """Give all of them; what the database does not give, because it is away, cannot be in the bundle by way of it."""
    yield from of_environment(os.environ)
    yield from _of_settings()
    yield from _of_key_file()
    for read in (_of_credentials, _of_options, _of_sessions, _of_users):
        try:
            yield from list(read())
        except DatabaseError:
            continue


def is_secret_name(name: str) -> bool:
    """Say whether a variable of this name holds a secret, not where one is found."""
    return bool(SECRET_NAME.search(name)) and not PATH_NAME.search(name)


def of_environment(environment: Mapping[str, str]) -> Iterator[str]:
    """Give values of secret variables, and passwords inside the URLs of all."""
    for name, written in environment.items():
        value = _in_clear(written)
        if is_secret_name(name):
            yield value
        yield from of_url(value)


def _in_clear(value: str) -> str:
    try:
        return secrets.plain(value)
    except secrets.Undecipherable:  # then nobody here can say it
        return value


def of_url(text: str) -> Iterator[str]:
    """Give the passwords that a URL carries before its host or in its query."""
    if "://" not in text:
        return
    try:
        parts = urlsplit(text)
        password = parts.password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
    for name, value in parse_qsl(parts.query):
        if is_secret_name(name):
            yield value


def _of_settings() -> Iterator[str]:
    yield from (str(getattr(settings, name, "") or "") for name in SECRET_SETTINGS)
    yield from of_url(settings.REDIS_URL)
    for database in settings.DATABASES.values():
        yield str(database.get("PASSWORD") or "")
        chosen: Any = database.get("OPTIONS") or {}
        yield from (str(value) for name, value in chosen.items() if is_secret_name(name))


def _of_key_file() -> Iterator[str]:
    try:
        yield from secrets.key_file().read_text().split()
    except OSError:
        return


def _of_credentials() -> Iterator[str]:
    rows = CredentialVersion.objects.annotate(stored=Cast("fields", TextField()))  # the field itself would decrypt
    for kind_name, stored in rows.values_list("credential__kind", "stored").iterator(500):
        try:
            fields = json.loads(secrets.decrypt(stored))
        except secrets.Undecipherable:  # a key that is gone; nobody can say this secret any more
            continue
        kind = credential_kinds.KINDS.get(kind_name)
        for name, value in fields.items():
            field = kind.field(name) if kind else None
            if field is None or field.secret:
                yield str(value)


def _of_options() -> Iterator[str]:
    for option in options.all_options():
        if option.secret:
            value = options.get(option.name)
            yield from map(str, value if isinstance(value, list) else [value])


def _of_sessions() -> Iterator[str]:
    yield from Session.objects.values_list("session_key", flat=True).iterator(2000)


def _of_users() -> Iterator[str]:
    yield from User.objects.values_list("password", flat=True).iterator(500)
    yield from ApiToken.objects.values_list("digest", flat=True).iterator(500)
