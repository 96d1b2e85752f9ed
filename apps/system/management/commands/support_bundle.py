"""Makes a support bundle."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from apps.core import audit
from apps.core.actors import COMMAND
from apps.core.writes import turn
from apps.system.bundle import building


class Command(BaseCommand):
    """Write one file for whoever helps; it works also while the portal or its database does not."""

    help = "Write a support bundle (zip): versions, options, processes, recent errors, sizes; no secret is in it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Describe the arguments."""
        parser.add_argument("--output", type=Path, help="the file to write; default: support-<time>.zip here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        path: Path = options["output"] or Path(building.name())
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise CommandError(f"{path} exists already.") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(building.build())
        try:
            with turn():
                audit.record(COMMAND, "support-bundle.write", name=path.name)
        except DatabaseError:
            self.stderr.write("The database is away: nobody will find in the audit that this was written.")
        self.stdout.write(str(path))
