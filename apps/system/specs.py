"""The portal's own processes, in the order in which they start."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.utils.translation import gettext_lazy as _

from apps.control.consoles import frames
from apps.system import broker, ports
from apps.system.processes import PULSE_LINE, Port, ProcessRegistry, ProcessSpec, Pulse
from apps.system.tls import probing

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))
BASE = ("broker", "prepare")
READY_ASKED_EVERY = 0.2  # seconds


def register(registry: ProcessRegistry) -> None:
    """Register all of them."""
    registry.register("broker", broker_process)
    registry.register("prepare", prepare_process)
    registry.register("worker-poll", poll_worker_process)
    registry.register("worker", worker_process)
    registry.register("beat", beat_process)
    registry.register("receiver", receiver_process)
    registry.register("console", console_process)
    registry.register("web", web_process)


def broker_process() -> ProcessSpec:
    """Give the private server, or the step that waits for the one that REDIS_URL names."""
    if settings.REDIS_URL:
        return ProcessSpec("broker", (*MANAGE, "wait_for_broker"), run=broker.wait_for_server, once=True)
    return ProcessSpec(
        "broker",
        broker.server_command(),
        ready=broker.answers,
        role=_("Passes work and news between the processes, and keeps what is asked for often"),
        pulse=Pulse(str(settings.BROKER_SOCKET), b"PING\r\n"),
    )


def prepare_process() -> ProcessSpec:
    """Give the step that brings database, static files and the first administrator up to date."""
    from apps.system.preparation import prepare

    return ProcessSpec("prepare", (*MANAGE, "prepare"), run=prepare, needs=("broker",), once=True, foreground=True)


def poll_processes() -> int:
    """Give the number of processes that poll: ESM_WORKERS, else two (a liveness sweep must not hold up a poll)."""
    value = os.environ.get("ESM_WORKERS") or "2"
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 256):
        raise ValueError(f"ESM_WORKERS must be a number from 1 to 256, not {value!r}")
    return int(value)


def poll_worker_process() -> ProcessSpec:
    """Give the worker that polls: processes, because polling takes the processor."""
    return _worker("worker-poll", "--polling", _("Asks the devices: state, values, inventory"))


def worker_process() -> ProcessSpec:
    """Give the worker for everything else, apart, so that control never waits behind polls."""
    return _worker("worker", "--other", _("Carries out jobs, sends messages, tidies up"))


def _worker(name: str, share: str, role: "StrOrPromise") -> ProcessSpec:
    argv = (*MANAGE, "run_worker", share)
    run = partial(call_command, "run_worker", share)
    return ProcessSpec(name, argv, run=run, needs=BASE, raw_ping=True, role=role)


def beat_process() -> ProcessSpec:
    """Give the clock."""
    from apps.system.worker import keep_time

    role = _("The clock: starts what is due")
    return ProcessSpec("beat", (*MANAGE, "run_beat"), run=keep_time, needs=BASE, role=role)


def receiver_process() -> ProcessSpec:
    """Give the process that receives alerts."""
    return ProcessSpec(
        "receiver",
        (*MANAGE, "receive_alerts"),
        run=lambda: call_command("receive_alerts"),
        needs=BASE,
        ports=tuple(receivers()),
        role=_("Receives the alerts of devices and stores them"),
    )


def console_process() -> ProcessSpec:
    """Give the process that holds the consoles of machines."""
    return ProcessSpec(
        "console",
        (*MANAGE, "serve_consoles"),
        run=lambda: call_command("serve_consoles"),
        needs=BASE,
        role=_("Holds the consoles of machines that are open in a browser"),
        pulse=Pulse(str(settings.CONSOLE_SOCKET), frames.pack({"do": "hello"})),
    )


def receivers() -> Iterator[Port]:
    """Give the ports on which alerts are received; each can be switched off by an option of its own."""
    yield Port(
        _("SNMP traps"),
        "udp",
        settings.TRAP_PORT,
        "ESM_TRAP_PORT",
        "ESM_TRAP_FDS",
        option="trap_port",
        switch="trap_reception",
    )
    yield Port(
        _("Redfish events"),
        "tcp",
        settings.EVENT_PORT,
        "ESM_EVENT_PORT",
        "ESM_EVENT_FDS",
        option="event_port",
        switch="event_reception",
    )


def web_process() -> ProcessSpec:
    """Give the process that serves pages and API."""
    from apps.system.web import serve, web_ports

    return ProcessSpec(
        "web",
        (*MANAGE, "serve_web"),
        run=serve,
        needs=BASE,
        ports=web_ports(),
        role=_("Serves pages, API and classic mode"),
        pulse=Pulse((probe_address(), settings.HTTP_PORT), PULSE_LINE + b"Host: localhost\r\n\r\n"),
    )


def ready_step(done: Callable[[], None]) -> ProcessSpec:
    """Give the step that ends when a browser would get the sign-in page; ``done`` says so."""
    argv = (*MANAGE, "wait_for_web")
    return ProcessSpec("ready", argv, run=wait_for_sign_in, needs=("web",), once=True, done=done)


def probe_address() -> str:
    """Give an address of this machine at which the web process listens."""
    first = ports.addresses(settings.BIND)[0]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(first, first)


def browser_url(port: int, scheme: str = "http") -> str:
    """Give the address to type into a browser on this machine."""
    address = probe_address()
    return f"{scheme}://[{address}]:{port}/" if ":" in address else f"{scheme}://{address}:{port}/"


def wait_for_sign_in() -> None:
    """Ask for the sign-in page until it is given."""
    while probing.ask(probe_address(), settings.HTTP_PORT)[1] != HTTPStatus.OK:
        time.sleep(READY_ASKED_EVERY)
