"""Serves pages, API and classic mode."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from apps.system import ports, web


class Command(BaseCommand):
    """Run the web process by itself, for a service manager."""

    help = "Serve pages and API on ESM_HTTP_PORT and classic mode on ESM_CLASSIC_PORT."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        try:
            web.serve()
        except ports.PortTaken as error:
            sys.exit(f"web: {error}")
