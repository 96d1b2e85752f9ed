"""Secrets at rest: encrypted with keys that live in a file outside the database and outside every backup.

The key file holds one Fernet key a line; the first encrypts, all decrypt (``cryptography`` MultiFernet). Import of this
module needs no Django settings, because the settings themselves ask it for the signing key of their key file.
"""

import base64
import fcntl
import hashlib
import os
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core import files

MARK = "{ENC}"  # in front of an encrypted secret where one in clear is taken as well


class Undecipherable(Exception):
    """A stored secret does not belong to any key in the key file."""


def key_file() -> Path:
    """Give the path of the key file."""
    return Path(settings.SECRETS_KEY_FILE)


def _create(path: Path) -> None:
    """Make the key file with one new key; of two processes that try at once, one wins and both use its key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(files.open_own(path.parent / ".lock", os.O_RDWR | os.O_CREAT), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _write(path, [Fernet.generate_key()])


def _write(path: Path, keys: list[bytes]) -> None:
    files.replace(path, b"\n".join(keys) + b"\n", durable=True)


def _keys(path: Path) -> tuple[bytes, ...]:
    if not path.exists():
        _create(path)
    status = path.stat()
    if status.st_mode & 0o077:
        raise ImproperlyConfigured(f"{path} can be read by others: chmod 600 it, then rotate the secrets")
    return _read(path, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> tuple[bytes, ...]:
    keys = tuple(path.read_bytes().split())
    if not keys:
        raise ImproperlyConfigured(f"{path} holds no key")
    return keys


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in _keys(key_file())])


def encrypt(text: str) -> str:
    """Encrypt a text with the newest key."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt what ``encrypt`` made, with any key of the file; raises Undecipherable."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise Undecipherable("a stored secret belongs to another key file") from error


def written(text: str) -> str:
    """Encrypt a secret for a configuration file: ``{ENC}…``."""
    return MARK + encrypt(text)


def plain(text: str, path: Path | None = None) -> str:
    """Give a secret that stands in a configuration file in clear or as ``{ENC}…``; raises Undecipherable.

    ``path`` is the key file where the settings do not say it yet; reading makes none.
    """
    if not text.startswith(MARK):
        return text
    path = path or key_file()
    if not path.exists():
        raise Undecipherable(f"there is no key file {path}")
    try:
        return MultiFernet([Fernet(key) for key in _keys(path)]).decrypt(text.removeprefix(MARK).encode()).decode()
    except (InvalidToken, ValueError) as error:
        raise Undecipherable(f"it was encrypted with another key than those of {path}, or is damaged") from error


def rotate(token: str) -> str:
    """Encrypt an encrypted text anew with the newest key."""
    try:
        return _fernet().rotate(token.encode()).decode()
    except InvalidToken as error:
        raise Undecipherable("a stored secret belongs to another key file") from error


def add_key() -> None:
    """Put a new key in front of the others."""
    path = key_file()
    _write(path, [Fernet.generate_key(), *_keys(path)])


def newest_key() -> bytes:
    """Give the key that encrypts."""
    return _keys(key_file())[0]


def is_of(token: str, key: Fernet) -> bool:
    """Say whether a stored secret was encrypted with this key."""
    try:
        key.decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def drop_old_keys(*, signing_too: bool = False) -> None:
    """Forget the keys between the newest and the oldest, when every secret was rotated.

    The oldest stays because the signing key is derived from it; with ``signing_too`` it goes as well, and cookies that
    were signed with it are worth nothing once the processes start again.
    """
    path = key_file()
    newest, *rest = _keys(path)
    _write(path, [newest, *([] if signing_too else rest[-1:])])


def signing_key(path: Path) -> str:
    """Derive Django's SECRET_KEY from the oldest key, so that rotating secrets signs nobody out."""
    return base64.urlsafe_b64encode(hashlib.sha512(b"signing" + _keys(path)[-1]).digest()).decode()
