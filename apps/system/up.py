"""``manage.py up``: opens the ports, then hands over to the supervisor."""

import gc
import importlib
import json
import os
import pwd
import sys
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connections

from apps.system import broker, children, ports, preflight, specs
from apps.system.instance import AlreadyRunning, Clock, Instance, ProcessState
from apps.system.journal import Journal
from apps.system.processes import registry
from apps.system.supervisor import Child, Supervisor
from apps.system.tls import probing

OBJECTS_UNTIL_COLLECTED = 10_000  # Python's own 700 costs a busy process some hundredths of its time
HANDED_OVER = "ESM_UP_STATE"  # what survives the new start that follows when the system chose a port
SHARED_MODULES = (  # loaded by name somewhere on the way
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "django.core.cache.backends.redis",
    "django_celery_beat.schedulers",
    "hiredis",
    "kombu.transport.redis",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.auto",
)
Descriptors = dict[str, dict[str, tuple[int, ...]]]


class CannotStart(Exception):
    """The portal cannot start; each line of the message says why and what to do."""


def say(text: str) -> None:
    """Print one line; a terminal that went away must not end the portal."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Launch:
    """One start of the portal."""

    def __init__(self) -> None:
        self.instance = Instance(settings.DATA_DIR)
        self.specs = registry.build()
        self.numbers: dict[str, int] = {}
        self.descriptors: Descriptors = {}
        self.lock = -1
        self.user = settings.RUN_AS if os.geteuid() == 0 else ""
        self.owner = self._owner()
        self.journal = Journal(settings.DATA_DIR, self.owner)

    def run(self) -> int:
        """Start everything and watch it until told to stop. Raises CannotStart."""
        os.umask(0o077)
        if HANDED_OVER in os.environ:
            self._take_over()
        else:
            self._claim_folder()
            self._check()
            self._open_ports()
        self._own_folder()
        if self._port_was_chosen():
            self._start_over()
        if not settings.REDIS_URL:
            broker.make_folders(self.owner)
        self._open_ping_sockets()
        self._load_everything()
        clock = Clock(self.instance)
        supervisor = Supervisor(
            [*self.specs, specs.ready_step(self._announce)],
            descriptors=self.descriptors,
            user=self.user,
            say=self._say,
            changed=self._publish,
            each_second=lambda: self._compare(clock),
        )
        return supervisor.run()

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
                f"The data folder {folder} cannot be used: {error.strerror}. Set ESM_DATA_DIR."
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

    def _open_ports(self) -> None:
        conflicts = []
        binds = ports.addresses(settings.BIND)
        for spec in self.specs:
            for port in spec.ports:
                try:
                    number, opened = ports.open_port(port, binds)
                except ports.PortTaken as error:
                    conflicts.append(f"{spec.name}: {error}")
                    continue
                self.numbers[port.variable] = number
                own = self.descriptors.setdefault(spec.name, {})
                own[port.descriptors] = own.get(port.descriptors, ()) + opened
        if conflicts:
            raise CannotStart("\n".join(conflicts))

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

    # --- the system chose a port: every process must know the number from its first line on ----------------------
    def _port_was_chosen(self) -> bool:
        asked = {port.variable: port.number for spec in self.specs for port in spec.ports}
        return any(asked[variable] != number for variable, number in self.numbers.items())

    def _start_over(self) -> None:
        state = {"lock": self.lock, "numbers": self.numbers, "descriptors": self.descriptors}
        os.environ[HANDED_OVER] = json.dumps(state)
        os.environ.update({variable: str(number) for variable, number in self.numbers.items()})
        for descriptor in (
            self.lock,
            *(fd for own in self.descriptors.values() for each in own.values() for fd in each),
        ):
            os.set_inheritable(descriptor, True)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - ourselves

    def _take_over(self) -> None:
        state = json.loads(os.environ.pop(HANDED_OVER))
        self.lock, self.numbers = state["lock"], state["numbers"]
        self.descriptors = {
            name: {variable: tuple(fds) for variable, fds in own.items()} for name, own in state["descriptors"].items()
        }
        for descriptor in (
            self.lock,
            *(fd for own in self.descriptors.values() for each in own.values() for fd in each),
        ):
            os.set_inheritable(descriptor, False)

    # --- what the children get ----------------------------------------------------------------------------------
    def _open_ping_sockets(self) -> None:
        """Open raw sockets for each process that pings; a pair of its own, or two would read each other's answers."""
        for spec in self.specs:
            if spec.raw_ping:
                pair = ports.open_ping_sockets()
                if max(pair) >= 0:
                    self.descriptors.setdefault(spec.name, {})["ESM_PING_FDS"] = pair

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
        states = [
            ProcessState(child.spec.name, child.state.value, child.pid, child.started_at, child.restarts)
            for child in processes
            if not child.spec.once
        ]
        self.instance.write(states, self.numbers, self.owner)

    def _compare(self, clock: Clock) -> None:
        gap = clock.compare()
        if gap is not None:
            kind, seconds = gap
            slept = kind == "slept"
            self._say(f"The machine slept {seconds:.0f} s." if slept else f"The clock was set by {seconds:+.0f} s.")

    def _announce(self) -> None:
        scheme, _status = probing.ask(specs.probe_address(), settings.HTTP_PORT)
        self._say(f"Portal ready: {specs.browser_url(settings.HTTP_PORT, scheme)}")
        self._say(f"Classic mode: {specs.browser_url(settings.CLASSIC_PORT, scheme)}")
        trap = self.numbers.get("ESM_TRAP_PORT")
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
