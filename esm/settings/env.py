"""Reads the environment once, checked; a bad value names its variable instead of failing somewhere later."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from apps.system import chosen

BASE_DIR = Path(__file__).resolve().parent.parent.parent


ENCRYPTED = "{ENC}"


def text(name: str, default: str = "") -> str:
    """Give a variable, or the default when it is unset or empty; ``{ENC}…`` is decrypted."""
    value = os.environ.get(name) or default
    return _plain(name, value) if value.startswith(ENCRYPTED) else value


def url(name: str) -> str:
    """Give a URL, which may be ``{ENC}…`` as a whole or have such a password."""
    value = text(name)
    scheme, separator, rest = value.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, password = login.partition(":")
    if not password.startswith(ENCRYPTED):
        return value
    return f"{scheme}{separator}{user}{colon}{quote(_plain(name, password), safe='')}{at}{place}"


def _plain(name: str, value: str) -> str:
    from apps.core import secrets

    folder = data_dir() / "keys" / "secrets.key"
    try:
        return secrets.plain(value, Path(os.environ.get("ESM_SECRETS_KEY_FILE") or folder))
    except secrets.Undecipherable as error:
        raise ImproperlyConfigured(f"{name} cannot be decrypted: {error}") from None


def flag(name: str, default: bool = False) -> bool:
    """Give a yes/no variable."""
    value = text(name).lower()
    if value not in {"", "0", "1", "true", "false", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}")
    return value in {"1", "true", "yes"} if value else default


def port(name: str, default: int) -> int:
    """Give a port number from 0 (let the system choose) to 65535: of the environment, else as set by an option."""
    value = text(name, str(chosen.read(data_dir()).ports.get(name, default)))
    if not (value.isascii() and value.isdigit() and int(value) <= 65535):
        raise ImproperlyConfigured(f"{name} must be a port from 0 to 65535, not {value!r}")
    return int(value)


def words(name: str) -> list[str]:
    """Give a comma-separated variable as a list."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def data_dir() -> Path:
    """Give the folder that holds everything the portal writes."""
    return Path(text("ESM_DATA_DIR", str(BASE_DIR / "var"))).resolve()


def database() -> dict[str, object]:
    """Give Django's database settings: SQLite in the data folder, or the PostgreSQL server that DATABASE_URL names."""
    given = url("DATABASE_URL")
    if not given:
        return sqlite(data_dir() / "portal.sqlite3")
    parts = urlsplit(given)
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path)))
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite:///")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or options.pop("host", ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {**options, "pool": {"min_size": 1, "max_size": 8, "timeout": 20}},
    }


def sqlite(path: Path) -> dict[str, object]:
    """Give Django's settings for one SQLite file: write-ahead log, immediate transactions."""
    pragmas = "journal_mode=WAL synchronous=NORMAL mmap_size=134217728 journal_size_limit=27103364 cache_size=-4000"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "".join(f"PRAGMA {pragma};" for pragma in pragmas.split()),
        },
    }


def broker_socket() -> Path:
    """Give the bundled broker's Unix socket; a path too long for the kernel (107 bytes) moves to /tmp."""
    path = data_dir() / "broker.sock"
    if len(os.fsencode(path)) <= 100:
        return path
    import hashlib
    import tempfile

    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"esm-{os.getuid()}-{name}" / "broker.sock"
