"""What happens once at every start, before the processes: database, tables, facts, files, first administrator …"""

import fcntl
import getpass
import hashlib
import json
import os
import secrets
import string
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.accounts.services import sessions
from apps.core.actors import SYSTEM
from apps.system import maintenance, translations
from apps.system.tls import serving

SAY_EVERY = 5.0  # seconds between messages while the database is waited for
MIGRATION_LOCK = 21120  # the number of the advisory lock on PostgreSQL
DEFAULT_NAME = "Administrator"
UNUSED = ["rest_framework", "django_htmx", "redoc"]  # folders of files that no page of ours asks for


def prepare() -> None:
    """Do all of it, in order; the process ends with an error message when a step fails."""
    _say_when(compiled := translations.compile_stale(), f"Compiled {len(compiled)} message catalogues")
    wait_for_database()
    migrate()
    check_environment()
    call_command("load_definitions", verbosity=0)
    collect_static()
    ensure_administrator()
    ensure_certificate()


def _say_when(condition: object, text: str) -> None:
    if condition:
        print(text, flush=True)


def wait_for_database() -> None:
    """Wait until the database takes a connection, and say what is waited for."""
    next_word = time.monotonic()
    while True:
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            if time.monotonic() >= next_word:
                print(f"Waiting for the database: {str(error).strip().splitlines()[0]}", file=sys.stderr, flush=True)
                next_word = time.monotonic() + SAY_EVERY
            time.sleep(0.5)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time change the tables: of this machine, and on PostgreSQL of all machines."""
    with open(settings.DATA_DIR / "migrate.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def migrate() -> None:
    """Bring the tables to this version, one process at a time."""
    with _alone():
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            print(f"Preparing the database: {len(plan)} migrations …", flush=True)
            if not executor.loader.applied_migrations:
                call_command("migrate", interactive=False, verbosity=0)  # nobody has been here before
                return
            with maintenance.shown(serving.context_before_the_upgrade()):
                call_command("migrate", interactive=False, verbosity=0)
                end_all_sessions()


def end_all_sessions() -> None:
    """Have everybody sign in anew: a page of the version before must not speak with this one."""
    ended = sessions.end_everybodys(SYSTEM)
    _say_when(ended, f"Ended {ended} sessions: everybody signs in anew after an upgrade")


def collect_static() -> None:
    """Publish the static files again when one of them changed."""
    stamp = settings.DATA_DIR / "static.stamp"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and settings.STATIC_ROOT.is_dir():
        return
    print("Collecting the static files …", flush=True)
    call_command("collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=UNUSED)
    stamp.write_text(wanted)


def _fingerprint() -> str:
    seen = []
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            seen.append([path, status.st_size, status.st_mtime_ns])
    content = json.dumps([settings.STORAGES["staticfiles"]["BACKEND"], str(settings.STATIC_ROOT), sorted(seen)])
    return hashlib.sha256(content.encode()).hexdigest()


def check_environment() -> None:
    """End with one sentence where a variable decides an option and its value is none that the option may have."""
    from apps.core import options

    for option in options.all_options():
        if option.read_only:
            try:
                options.get(option.name)
            except ValidationError as error:
                sys.exit(f"{option.environment}: {' '.join(error.messages)}")


def ensure_certificate() -> None:
    """Make the certificate of HTTPS, where that is on and there is none yet."""
    from apps.core import options, secrets
    from apps.system.tls import services, words

    if not options.get(words.HTTPS):
        return
    try:
        made_anew = services.current() is None
        row = services.ensure()
    except secrets.Undecipherable as error:
        sys.exit(f"HTTPS: the key of the certificate cannot be read: {error}. See: manage.py tls --help")
    if made_anew:
        print(
            f"Made a certificate for {row.subject}; its authority is to be trusted: manage.py tls authority", flush=True
        )


def ensure_administrator() -> None:
    """Make the first administrator where there is no user yet: asked for, from the environment, or at random."""
    from apps.access.services import create_first_administrator
    from apps.accounts.models import User

    if User.objects.exists():
        return
    name = os.environ.get("ESM_ADMIN_NAME") or DEFAULT_NAME
    password = _given_password()
    if password:
        try:
            create_first_administrator(name, password, must_change=False)
        except ValidationError as error:
            sys.exit(f"ESM_ADMIN_NAME or ESM_ADMIN_PASSWORD is not accepted: {' '.join(error.messages)}")
        print(f"The first administrator is “{name}” with the password from ESM_ADMIN_PASSWORD.", flush=True)
    elif sys.stdin.isatty():
        _ask_for_administrator(name)
    else:
        password = random_password()
        create_first_administrator(name, password, must_change=True)
        print(f"The first administrator is “{name}”, password: {password}", flush=True)
        print("It is shown only here and has to be changed at the first sign-in.", flush=True)


def _given_password() -> str:
    from apps.core.secrets import Undecipherable, plain

    try:
        return plain(os.environ.get("ESM_ADMIN_PASSWORD", ""))
    except Undecipherable as error:
        sys.exit(f"ESM_ADMIN_PASSWORD cannot be decrypted: {error}")


def _ask_for_administrator(default: str) -> None:
    from apps.access.services import create_first_administrator

    print("There is no user yet. Choose the first administrator.", flush=True)
    while True:
        name = input(f"Name [{default}]: ").strip() or default
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Password again: "):
            print("The two passwords differ.")
            continue
        try:
            create_first_administrator(name, password, must_change=False)
            return
        except ValidationError as error:
            print(" ".join(error.messages))


def random_password() -> str:
    """Give a password that no rule of the product refuses: 20 letters and digits, some of each."""
    alphabet = string.ascii_letters + string.digits
    while True:
        password = "".join(secrets.choice(alphabet) for _ in range(20))
        if (
            any(c.islower() for c in password)
            and any(c.isupper() for c in password)
            and any(map(str.isdigit, password))
        ):
            return password
