"""Runs the clock."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from apps.system.worker import keep_time


class Command(BaseCommand):
    """Run Celery beat by itself, for a service manager; exactly one per portal."""

    help = "Send what is due: run exactly one per portal."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Keep time until told to stop."""
        sys.exit(keep_time())
