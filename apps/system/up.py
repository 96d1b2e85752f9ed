"""``manage.py up``: opens the ports, then hands over to the supervisor."""

import gc
import importlib
import json
import os
import pwd
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

from apps.system import broker, children, chosen, ports, preflight, specs
from apps.system.control import Control
from apps.system.instance import AlreadyRunning, Clock, Instance
from apps.system.journal import Journal
from apps.system.processes import registry
from apps.system.sockets import Sockets
from apps.system.steering import Steering
from apps.system.supervisor import Child, Supervisor
from apps.system.tls import probing

OBJECTS_UNTIL_COLLECTED = 10_000  # Python's own 700 costs a busy process some hundredths of its time
OPEN_FILES = 65_536  # what the soft limit is raised to, as far as the hard one allows
HANDED_OVER = "ESM_UP_STATE"  # what survives a new start of this process: it holds the folder and the sockets
SHARED_MODULES = (  # loaded by name somewhere on the way
    "apps.core.cache",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "django_celery_beat.schedulers",
    "hiredis",
    "kombu.transport.redis",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.auto",
)


class CannotStart(Exception):
    """The portal cannot start; each line of the message says why and what to do."""


def say(text: str) -> None:
    """Print one line; a terminal that went away must not end the portal."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def raise_limit_of_open_files() -> None:
    """Let this process and its children open as many files and sockets as the machine allows them, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wished = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wished:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wished, hard))


class Launch:
    """One start of the portal."""

    def __init__(self) -> None:
        self.instance = Instance(settings.DATA_DIR)
        self.specs = registry.build()
        self.sockets = Sockets(self.specs, ports.addresses(settings.BIND))
        self.history: dict[str, Any] = {}
        self.lock = -1
        self.user = settings.RUN_AS if os.geteuid() == 0 else ""
        self.owner = self._owner()
        self.journal = Journal(settings.DATA_DIR, self.owner)
        self._unpublished: list[Child] | None = None  # what could not be written, such as while the disk is full
        self._trouble = ""

    def run(self) -> int:
        """Start everything and watch it until told to stop. Raises CannotStart."""
        os.umask(0o077)
        raise_limit_of_open_files()
        off = chosen.read(settings.DATA_DIR).off
        if HANDED_OVER in os.environ:
            self._take_over()
        else:
            self._claim_folder()
            self._check()
        if conflicts := self.sockets.open_all(off):
            raise CannotStart("\n".join(conflicts))
        self._own_folder()
        if self.sockets.port_was_chosen():
            self._start_over()
        if not settings.REDIS_URL:
            broker.make_folders(self.owner)
        self._load_everything()
        return self._supervise()

    def _supervise(self) -> int:
        clock = Clock(self.instance)
        steering = Steering(settings.DATA_DIR, self.sockets, self._say)
        control = Control(settings.DATA_DIR, self.owner, steering.answer)
        supervisor = Supervisor(
            [*self.specs, specs.ready_step(self._announce)],
            descriptors=self._descriptors(),
            user=self.user,
            say=self._say,
            changed=self._publish,
            each_second=lambda: self._each_second(clock, steering),
            control=control,
        )
        steering.take_over(supervisor, self.history)
        code = supervisor.run()
        control.close()
        if supervisor.again:
            steering.move_ports()
            self._start_over(steering.history())
        return code

    # --- before anything runs -----------------------------------------------------------------------------------
    def _owner(self) -> tuple[int, int] | None:
        if not self.user:
            return None
        try:
            entry = pwd.getpwnam(self.user)
        except KeyError as error:
            raise CannotStart(f"ESM_USER names {self.user!r}, which is no user of this machine.") from error
        for path in children.unreadable_for(self.user, (os.__file__, sys.executable, *sys.argv[:1])):
            raise CannotStart(f"ESM_USER: {self.user} cannot read {path}; install where that user can.")
        return entry.pw_uid, entry.pw_gid

    def _claim_folder(self) -> None:
        folder = self.instance.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock = self.instance.claim()
            if folder.stat().st_uid == os.geteuid():
                folder.chmod(0o700)
        except AlreadyRunning as error:
            raise CannotStart(
                f"The portal runs already on {folder} (process {error.pid}). Stop it first, or set ESM_DATA_DIR."
            ) from error
        except OSError as error:
            raise CannotStart(
                f"The data folder {folder} cannot be used: {error.strerror or error}. Set ESM_DATA_DIR."
            ) from error
        for name in self.instance.clear_leftovers():
            say(f"Ended a left-over process of the last run: {name}")

    def _check(self) -> None:
        found = [
            check for check in preflight.run(of_running_portal=False) if check.outcome is not preflight.Outcome.PASS
        ]
        for check in found:
            say(f"{check.outcome}: {check.name}: {check.found}. {check.remedy}".rstrip(". ") + ".")
        if any(check.blocking and check.outcome is preflight.Outcome.FAIL for check in found):
            raise CannotStart("The checks above must pass first (manage.py preflight shows all of them).")

    def _own_folder(self) -> None:
        """Make the data folder its owner's alone, and give it to ESM_USER where that changed."""
        folder = self.instance.folder
        if self.owner is None or folder.stat().st_uid == self.owner[0] == self._owner_of_keys():
            return
        say(f"Giving {folder} to the user {self.user}")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, *self.owner, follow_symlinks=False)

    def _owner_of_keys(self) -> int:
        key = Path(settings.SECRETS_KEY_FILE)
        return key.stat().st_uid if key.exists() and self.owner else (self.owner or (os.geteuid(), 0))[0]

    # --- this process starts anew: the system chose a port, which all must know, or somebody ordered it ----------
    def _start_over(self, history: dict[str, Any] | None = None) -> None:
        state = {"lock": self.lock, "sockets": self.sockets.hand_over(), "history": history or {}}
        os.environ[HANDED_OVER] = json.dumps(state)
        if history is None:
            os.environ.update({variable: str(number) for variable, number in self.sockets.numbers.items()})
        os.set_inheritable(self.lock, True)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - ourselves

    def _take_over(self) -> None:
        state = json.loads(os.environ.pop(HANDED_OVER))
        self.lock, self.history = state["lock"], state["history"]
        os.set_inheritable(self.lock, False)
        self.sockets.take_over(state["sockets"])

    # --- what the children get ----------------------------------------------------------------------------------
    def _descriptors(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Give the sockets that each process gets; the step that prepares may have to show a page on those of web.

        Each process that pings has raw sockets of its own, or two would read each other's answers.
        """
        handed_down = self.sockets.descriptors()
        handed_down["prepare"] = dict(handed_down.get("web", {}))
        for spec in self.specs:
            if spec.raw_ping:
                pair = ports.open_ping_sockets()
                if max(pair) >= 0:
                    handed_down.setdefault(spec.name, {})["ESM_PING_FDS"] = pair
        return handed_down

    def _load_everything(self) -> None:
        """Import what the children will need, so that they share the memory and start at once."""
        for module in (settings.ROOT_URLCONF, settings.CLASSIC_URLCONF, *SHARED_MODULES):
            importlib.import_module(module)
        for app in apps.get_app_configs():
            try:
                importlib.import_module(f"{app.name}.tasks")
            except ModuleNotFoundError as error:
                if error.name != f"{app.name}.tasks":
                    raise
        connections.close_all()
        gc.collect()
        gc.freeze()
        gc.set_threshold(OBJECTS_UNTIL_COLLECTED, *gc.get_threshold()[1:])

    # --- while it runs ------------------------------------------------------------------------------------------
    def _say(self, text: str) -> None:
        """Print one line and keep it. What is said before is for the terminal alone: it may hold the first password."""
        say(text)
        self.journal.write(text)

    def _publish(self, processes: list[Child]) -> None:
        states = [child.published() for child in processes if not child.spec.once]
        self._unpublished = (
            None if self._written(partial(self.instance.write, states, self.sockets.numbers)) else processes
        )

    def _each_second(self, clock: Clock, steering: Steering) -> None:
        if self._unpublished is not None:
            self._publish(self._unpublished)
        self.instance.give_sign_of_life()
        steering.follow()
        self._compare(clock)

    def _compare(self, clock: Clock) -> None:
        gap = clock.compare()
        if gap is not None:
            kind, seconds = gap
            slept = kind == "slept"
            self._say(f"The machine slept {seconds:.0f} s." if slept else f"The clock was set by {seconds:+.0f} s.")
        self._written(clock.note)

    def _written(self, write: Callable[[], None]) -> bool:
        """Write into the data folder; a full disk is said once and costs news of the processes, never the portal."""
        try:
            write()
        except OSError as error:
            if self._trouble != str(error):
                self._say(f"The data folder {self.instance.folder} cannot be written to: {error.strerror or error}.")
            self._trouble = str(error)
            return False
        return True

    def _announce(self) -> None:
        scheme, _status = probing.ask(specs.probe_address(), settings.HTTP_PORT)
        self._say(f"Portal ready: {specs.browser_url(settings.HTTP_PORT, scheme)}")
        self._say(f"Classic mode: {specs.browser_url(settings.CLASSIC_PORT, scheme)}")
        trap = self.sockets.numbers.get("ESM_TRAP_PORT")
        if trap is not None:
            low = "" if os.geteuid() == 0 or trap == 162 else "; 162 needs root, see docs/operate/install.md"
            self._say(f"SNMP traps:   udp port {trap} on {settings.BIND}{low}")


def up() -> int:
    """Run the portal; give the exit code."""
    try:
        return Launch().run()
    except (CannotStart, ports.PortTaken, broker.UnsafeFolder, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
