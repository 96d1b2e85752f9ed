"""Holds the consoles of machines until it is stopped."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from apps.control.consoles.server import serve


class Command(BaseCommand):
    """Hold serial lines, and hand them to the web process on a Unix socket."""

    help = "Hold the consoles of machines until a signal ends it; the web process relays browsers to it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve."""
        asyncio.run(serve())
