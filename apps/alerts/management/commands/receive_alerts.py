"""Receives alerts until it is stopped."""

import os
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.alerts.receivers.datagrams import handed_down, open_port, open_sockets
from apps.alerts.receivers.engine import start_engine
from apps.alerts.receivers.process import serve


class Command(BaseCommand):
    """Receive SNMP notifications and Redfish events on the sockets handed down, else on ESM_BIND and its ports.

    What is handed down stands in ESM_TRAP_FDS and ESM_EVENT_FDS.
    """

    help = "Receive SNMP traps, informs and Redfish events until a signal ends it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Open the sockets and serve."""
        try:
            sockets = open_sockets(os.environ.get("ESM_TRAP_FDS"), settings.BIND, settings.TRAP_PORT)
        except OSError as error:
            raise CommandError(f"Port {settings.TRAP_PORT}/udp cannot be opened: {error.strerror}.") from error
        try:
            handed = os.environ.get("ESM_EVENT_FDS")
            if handed is None:
                events = open_port(settings.BIND, settings.EVENT_PORT, socket.SOCK_STREAM)
            else:
                events = handed_down(handed)
        except OSError as error:
            raise CommandError(f"Port {settings.EVENT_PORT}/tcp cannot be opened: {error.strerror}.") from error
        serve(sockets, events, start_engine(settings.DATA_DIR))
