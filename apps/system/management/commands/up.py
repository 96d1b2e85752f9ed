"""Starts and watches the whole portal in one terminal, and speaks with the one that runs."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

TITLES = (
    *("", "process", "state", "ports", "pid", "memory", "cpu", "started"),
    *("restarts", "last restart", "role"),
)
NOT_RUNNING = 3  # exit code of --status, as service managers have it


class Command(BaseCommand):
    """Run until SIGTERM, SIGINT or SIGHUP; or ask, restart, stop the portal that runs on this data folder."""

    help = "Start the portal: broker, database, workers, clock, receiver, web; watch them; stop them on Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe what can be done with a portal that runs."""
        about = parser.add_mutually_exclusive_group()
        about.add_argument("--status", action="store_true", help="show every process of the running portal")
        about.add_argument(
            "--restart",
            nargs="?",
            const="",
            metavar="NAME",
            help="stop everything in reverse order and start it anew, with new code and settings; or one process",
        )
        about.add_argument("--stop", action="store_true", help="stop the running portal")

    def handle(self, *args: Any, status: bool, restart: str | None, stop: bool, **options: Any) -> None:
        """Do what was asked; by default run the portal and end with its exit code."""
        from apps.core.actors import COMMAND
        from apps.core.errors import Conflict
        from apps.system import running
        from apps.system.up import up

        if status:
            self._show_status()
            return
        if restart is None and not stop:
            sys.exit(up())
        try:
            names = running.stop(COMMAND) if stop else running.restart(COMMAND, restart or None)
        except Conflict as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{'Stopping' if stop else 'Restarting'}: {', '.join(reversed(names))}")

    def _show_status(self) -> None:
        from apps.system import running

        found = running.look()
        if not found.live and found.pid is None:
            when = f"; it was last seen at {found.seen_at:%Y-%m-%d %H:%M:%S} UTC" if found.seen_at else ""
            self.stdout.write(f"The portal does not run on this data folder{when}.")
            sys.exit(NOT_RUNNING)
        head = f"supervisor: process {found.pid}, {'running' if found.live else 'does not answer'}"
        self.stdout.write(f"{head}, seen {found.seen_at:%Y-%m-%d %H:%M:%S} UTC")
        rows = [_row(process) for process in found.processes]
        widths = [max(len(row[place]) for row in (TITLES, *rows)) for place in range(len(TITLES))]
        for row in (TITLES, *rows):
            self.stdout.write("  ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)).rstrip())
        for port in found.pending:
            self.stdout.write(f"{port.port.label}: port {port.next_number} takes effect after manage.py up --restart")


def _row(process: Any) -> tuple[str, ...]:
    ports = [f"{each.number}/{each.port.protocol}{' (off)' if each.is_off else ''}" for each in process.ports]
    return (
        str(process.order or ""),
        process.name if not process.elsewhere else f"{process.name}@{process.machine}",
        process.state,
        " ".join(ports) or "-",
        str(process.pid or "-"),
        "not measured" if process.memory is None else f"{process.memory / 2**20:.0f} MiB",
        "not measured" if process.cpu is None else f"{process.cpu:.1f} %",
        _at(process.started_at),
        "-" if process.restarts is None else str(process.restarts),
        f"{_at(process.restarted_at)} {process.reason}" if process.last_restart else "-",
        str(process.role),
    )


def _at(moment: datetime | None) -> str:
    return f"{moment:%m-%d %H:%M:%S}" if moment else "-"
