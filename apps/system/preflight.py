"""Checks whether this machine suits the portal, and says what to do where it does not."""

import contextlib
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
from django.conf import settings
from django.utils.translation import gettext as _

from apps.system import ports
from apps.system.instance import Instance
from apps.system.processes import registry

GIGABYTE = 10**9
CORES = 2
MEMORY = 4 * GIGABYTE
MEMORY_TOLERANCE = 0.95  # a machine of 4 GB shows a little less
DISK = 1.5 * GIGABYTE
OPEN_FILES = 1024
GAP_WINDOW = 7 * 86400  # seconds
PROXY_EXCEPTIONS = ("localhost", "127.0.0.1")


class Outcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    outcome: Outcome
    found: str
    remedy: str = ""
    blocking: bool = False  # the portal cannot start


def run(*, of_running_portal: bool = True) -> list[Check]:
    """Run every check; without ``of_running_portal`` leave out what the start decides, and what needs the database."""
    checks: list[Callable[[], Check | list[Check]]] = [
        python, processors, memory, disk, data_folder, secret_keys, open_files, proxies, clock, ping_rights, user,
    ]  # fmt: skip
    if of_running_portal:
        checks += [listening_ports, disk_outlook, certificate, things_to_mend]
    report: list[Check] = []
    for check in checks:
        result = check()
        report += result if isinstance(result, list) else [result]
    return report


def python() -> Check:
    """Check the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return Check(_("Python"), _outcome(good), version, "" if good else _("Install Python 3.11 or later."))


def processors() -> Check:
    """Check the processors (at least 2)."""
    count = len(os.sched_getaffinity(0))
    remedy = _("Give the machine at least %(count)s processors.") % {"count": CORES}
    return _at_least(_("Processors"), count, CORES, str(count), remedy)


def memory() -> Check:
    """Check the memory (at least 4 GB), also that of a container."""
    total = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    remedy = _("Give the machine at least %(size)s of memory.") % {"size": "4 GB"}
    return _at_least(_("Memory"), total, MEMORY * MEMORY_TOLERANCE, f"{total / GIGABYTE:.1f} GB", remedy)


def disk() -> Check:
    """Check the free space of the data folder (at least 1.5 GB)."""
    folder = next(each for each in (settings.DATA_DIR, *settings.DATA_DIR.parents) if each.is_dir())
    free = shutil.disk_usage(folder).free
    remedy = _("Free %(size)s where %(folder)s is, or set ESM_DATA_DIR.") % {"size": "1.5 GB", "folder": folder}
    return _at_least(_("Free disk space"), free, DISK, f"{free / GIGABYTE:.1f} GB", remedy)


def disk_outlook() -> Check:
    """Check when the disk will be full, by what was measured last."""
    from django.db import DatabaseError

    from apps.core import options
    from apps.system.capacity import measuring

    name = _("Days until the disk is full")
    if _has_no_database():
        return Check(name, Outcome.PASS, _("not measured yet"))
    try:
        last, limit = measuring.latest(), options.get(measuring.WARNING_DAYS)
    except DatabaseError:
        return Check(name, Outcome.PASS, _("not measured yet"))
    if last is None or last.facts["outlook"] == measuring.UNKNOWN:
        return Check(name, Outcome.PASS, _("not measured yet"))
    days = last.facts["days"]
    if days is None:
        return Check(name, Outcome.PASS, _("not within ten years"))
    few = days < limit
    remedy = _("Give the disk more room, or keep history for fewer days. The page Capacity shows what takes how much.")
    return Check(name, Outcome.WARN if few else Outcome.PASS, str(int(days)), remedy if few else "")


def certificate() -> list[Check]:
    """Check the certificate of HTTPS, where that is on."""
    from django.db import DatabaseError

    from apps.system.tls import checking

    if _has_no_database():
        return []
    try:
        findings = checking.findings()
    except DatabaseError:
        return []
    outcomes = {checking.FORBIDDEN: Outcome.FAIL, checking.DOUBTFUL: Outcome.WARN, checking.WELL: Outcome.PASS}
    return [Check(_("HTTPS"), outcomes[each.grade], each.found, each.remedy) for each in findings]


def things_to_mend() -> list[Check]:
    """Check that no default secret and no unwise option is in use."""
    from django.db import DatabaseError

    from apps.core import cautions

    name = _("Secrets and options")
    if _has_no_database():
        return [Check(name, Outcome.PASS, _("no database yet"))]
    try:
        found = cautions.find()
    except DatabaseError:
        return [Check(name, Outcome.PASS, _("no database yet"))]
    remedy = _("Mend it on the page that About this portal names.")
    mended = [Check(name, Outcome.PASS, _("no default secret and no unwise option"))]
    return [Check(name, Outcome.WARN, caution.text, remedy) for caution in found] or mended


def _has_no_database() -> bool:
    """Say whether asking would make the file."""
    from django.db import connection

    return connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists()


def data_folder() -> Check:
    """Check that the data folder belongs to us and to nobody else (0700)."""
    name, folder = _("Data folder"), settings.DATA_DIR
    if not folder.exists():
        return Check(name, Outcome.PASS, _("%(folder)s will be made") % {"folder": folder})
    status = folder.stat()
    found = f"{folder} {stat.filemode(status.st_mode)}"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        remedy = _("Give it to the user that runs the portal: chown %(folder)s") % {"folder": folder}
        return Check(name, Outcome.FAIL, found, remedy, blocking=True)
    if status.st_uid not in _owners():
        return Check(name, Outcome.WARN, found, _("It belongs to another user than the portal runs as."))
    if status.st_mode & 0o077:
        return Check(name, Outcome.FAIL, found, f"chmod 700 {folder}")
    return Check(name, Outcome.PASS, found)


def secret_keys() -> Check:
    """Check that only we can read the keys (0600)."""
    name, key = _("Secret keys"), Path(settings.SECRETS_KEY_FILE)
    if not key.exists():
        return Check(name, Outcome.PASS, _("will be made"))
    status = key.stat()
    found = f"{key} {stat.filemode(status.st_mode)}"
    if status.st_mode & 0o077:
        remedy = _("chmod 600 %(file)s, then manage.py rotate_secrets") % {"file": key}
        return Check(name, Outcome.FAIL, found, remedy, blocking=True)
    if status.st_uid not in _owners():
        return Check(name, Outcome.WARN, found, _("It belongs to another user than the portal runs as."))
    return Check(name, Outcome.PASS, found)


def open_files() -> Check:
    """Check the limit of open files (a socket per contacted device)."""
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    good = soft >= OPEN_FILES or soft == resource.RLIM_INFINITY
    outcome = Outcome.PASS if good else Outcome.WARN
    return Check(_("Open files"), outcome, str(soft), "" if good else _("Raise the limit: ulimit -n 4096"))


def proxies() -> Check:
    """Check that a proxy is not used for this machine itself."""
    name = _("Proxy")
    named = [word for word in ("HTTP_PROXY", "HTTPS_PROXY") if os.environ.get(word) or os.environ.get(word.lower())]
    if not named:
        return Check(name, Outcome.PASS, _("none"))
    exceptions = (os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "").split(",")
    missing = set(PROXY_EXCEPTIONS) - {word.strip() for word in exceptions}
    if not missing or "*" in exceptions:
        return Check(name, Outcome.PASS, ", ".join(named))
    remedy = _("Set NO_PROXY=%(words)s and start again.") % {"words": ",".join(PROXY_EXCEPTIONS)}
    return Check(name, Outcome.FAIL, ", ".join(named), remedy)


def clock() -> Check:
    """Check whether the machine slept or its clock jumped while the portal ran in the last seven days."""
    gaps = Instance(settings.DATA_DIR).gaps(time.time() - GAP_WINDOW)
    if not gaps:
        return Check(_("Clock"), Outcome.PASS, _("no gap in seven days"))
    found = _("%(count)s gaps in seven days, the longest %(seconds)s s") % {
        "count": len(gaps),
        "seconds": round(max(abs(gap["seconds"]) for gap in gaps)),
    }
    remedy = _("Turn power saving off (nothing is watched while the machine sleeps) and keep the clock by NTP.")
    return Check(_("Clock"), Outcome.WARN, found, remedy)


def ping_rights() -> Check:
    """Check whether devices can be pinged."""
    from apps.protocols import ping

    rights = ping.rights()
    if rights is None:
        remedy = _(
            "Start the portal as root with ESM_USER set, or as root: sysctl -w net.ipv4.ping_group_range='0 65535'"
        )
        return Check(_("Ping"), Outcome.WARN, _("not permitted"), remedy)
    return Check(_("Ping"), Outcome.PASS, _("raw sockets") if rights == "raw" else _("unprivileged sockets"))


def user() -> Check:
    """Check that the portal does not run as root when it need not."""
    name = _("User")
    if os.geteuid() != 0 or settings.RUN_AS:
        return Check(name, Outcome.PASS, settings.RUN_AS or str(os.geteuid()))
    return Check(
        name, Outcome.WARN, "root", _("Set ESM_USER: ports are opened as root, the processes run as that user.")
    )


def listening_ports() -> list[Check]:
    """Check that the ports are free, or held by the portal that runs on this data folder."""
    instance = Instance(settings.DATA_DIR)
    ours = set(instance.ports().values()) if instance.running_pid() else set()
    report = []
    for spec in registry.build():
        for port in spec.ports:
            name = _("Port %(port)s (%(process)s)") % {"port": f"{port.number}/{port.protocol}", "process": spec.name}
            if port.number in ours:
                report.append(Check(name, Outcome.PASS, _("held by the running portal")))
                continue
            try:
                number, opened = ports.open_port(port, ports.addresses(settings.BIND))
            except ports.PortTaken as error:
                report.append(Check(name, Outcome.FAIL, str(error)))
            else:
                ports.close(opened)
                report.append(Check(name, Outcome.PASS, _("free") if port.number == number else _("chosen at start")))
    return report


def _outcome(good: bool) -> Outcome:
    return Outcome.PASS if good else Outcome.FAIL


def _at_least(name: str, value: float, least: float, found: str, remedy: str) -> Check:
    good = value >= least
    return Check(name, _outcome(good), found, "" if good else remedy)


def _owners() -> set[int]:
    """Give the users that may own the portal's files: we, and ESM_USER where root starts it."""
    import pwd

    owners = {os.geteuid()}
    if settings.RUN_AS:
        try:
            owners.add(pwd.getpwnam(settings.RUN_AS).pw_uid)
        except KeyError:
            return owners
    return owners
