"""What the bundle tells of the machine and the processes."""

import os
import platform
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict
from importlib import metadata
from typing import Any

import psutil
import redis
from django.conf import settings
from django.db import connection

from apps.core.version import VERSION
from apps.system import beat, broker, preflight
from apps.system.bundle.secrets import is_secret_name
from apps.system.instance import Instance
from apps.system.journal import Journal
from apps.system.worker import OTHER_QUEUES, POLL_QUEUES

HARMLESS = (  # variables whose values are told
    "ESM_DATA_DIR", "ESM_BIND", "ESM_HTTP_PORT", "ESM_CLASSIC_PORT", "ESM_TRAP_PORT", "ESM_REPORT_PORT", "ESM_CIM_PORT",
    "ESM_EVENT_PORT", "ESM_USER", "ESM_WORKERS", "ESM_TRUSTED_PROXIES", "ESM_SECRETS_KEY_FILE",
    "DJANGO_SETTINGS_MODULE", "LANG", "LC_ALL", "TZ", "PYTHONUNBUFFERED",
)  # fmt: skip
LOG_LINES, ERROR_LINES = 2000, 4000
LONGEST_LINE = 2000


def versions() -> dict[str, Any]:
    """Tell what runs on what."""
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(str(settings.DATA_DIR)) if settings.DATA_DIR.exists() else None
    return {
        "portal": VERSION,
        "python": sys.version,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memory": {"total": memory.total, "available": memory.available},
        "disk": {"total": disk.total, "free": disk.free} if disk else None,
        "up for seconds": round(time.time() - psutil.boot_time()),
        "load": os.getloadavg(),
        "database": _database_version(),
        "libraries": {one.name: one.version for one in sorted(metadata.distributions(), key=lambda one: one.name)},
    }


def _database_version() -> str:
    try:
        return f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))}"
    except Exception as error:
        return f"{connection.vendor}: {type(error).__name__}"


def environment() -> dict[str, str]:
    """Tell the names of all variables, and the values of those that cannot be secret."""
    return {
        name: value if name in HARMLESS and not is_secret_name(name) else "(set)" if value else "(empty)"
        for name, value in sorted(os.environ.items())
    }


def processes() -> dict[str, Any]:
    """Tell what the supervisor runs, what each uses, and when the clock had gaps."""
    instance = Instance(settings.DATA_DIR)
    return {
        "supervisor": instance.running_pid(),
        "ports": instance.ports(),
        "processes": [asdict(state) | _uses(state.pid) for state in instance.processes()],
        "clock gaps": instance.gaps(time.time() - 7 * 86400),
    }


def _uses(pid: int | None) -> dict[str, Any]:
    try:
        main = psutil.Process(pid or -1)
        family = [main, *main.children(recursive=True)]
        return {
            "processes": len(family),
            "resident": sum(each.memory_info().rss for each in family),
            "cpu seconds": round(sum(sum(each.cpu_times()[:2]) for each in family), 1),
            "open files": sum(each.num_fds() for each in family),
            "threads": sum(each.num_threads() for each in family),
        }
    except (psutil.Error, ValueError):
        return {"processes": 0}


def checks() -> list[dict[str, Any]]:
    """Tell what preflight finds."""
    return [asdict(check) for check in preflight.run()]


def queues() -> dict[str, Any]:
    """Tell how the broker stands and what waits in it."""
    told: dict[str, Any] = {"answers": broker.answers(2), "heartbeat of the clock, seconds ago": None}
    client = broker.client(2)
    try:
        about: Any = client.info()
        told["server"] = {
            name: about.get(name)
            for name in ("redis_version", "server_name", "used_memory", "maxmemory", "connected_clients",
                         "total_commands_processed", "aof_current_size", "evicted_keys", "uptime_in_seconds")
        }  # fmt: skip
        told["waiting"] = {queue: client.llen(queue) for queue in (*POLL_QUEUES, *OTHER_QUEUES)}
        told["keys"] = client.dbsize()
        told["heartbeat of the clock, seconds ago"] = beat.heartbeat_age()
    except (redis.RedisError, OSError) as error:
        told["error"] = type(error).__name__
    finally:
        client.close()
    return told


def errors() -> str:
    """Give the last lines that tell of trouble."""
    return _last(Journal(settings.DATA_DIR).trouble(), ERROR_LINES)


def log_lines() -> str:
    """Give the last lines of all."""
    return _last(Journal(settings.DATA_DIR).lines(), LOG_LINES)


def _last(lines: Iterable[str], count: int) -> str:
    kept = [line[:LONGEST_LINE] for line in deque(lines, maxlen=count)]
    if not kept:
        return "Nothing. `manage.py up` keeps a log; where something else starts the processes, ask that."
    return "\n".join(kept)
