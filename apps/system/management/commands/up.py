"""Starts and watches the whole portal in one terminal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run until SIGTERM, SIGINT or SIGHUP."""

    help = "Start the portal: broker, database, workers, clock, receiver, web; watch them; stop them on Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the portal and end with its exit code."""
        from apps.system.up import up

        sys.exit(up())
