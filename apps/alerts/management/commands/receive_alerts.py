"""Receives alerts until it is stopped."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.alerts.receivers.datagrams import open_sockets
from apps.alerts.receivers.engine import start_engine
from apps.alerts.receivers.process import serve


class Command(BaseCommand):
    """Receive SNMP traps and informs on the sockets handed down in ESM_TRAP_FDS, else on ESM_BIND and ESM_TRAP_PORT."""

    help = "Receive SNMP traps and informs until a signal ends it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Open the sockets and serve."""
        try:
            sockets = open_sockets(os.environ.get("ESM_TRAP_FDS", ""), settings.BIND, settings.TRAP_PORT)
        except OSError as error:
            raise CommandError(f"Port {settings.TRAP_PORT}/udp cannot be opened: {error.strerror}.") from error
        serve(sockets, start_engine(settings.DATA_DIR))
