"""Reports whether this machine suits the portal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from apps.system import preflight


class Command(BaseCommand):
    """Print one line per check; exit code 1 when one failed."""

    help = "Check processors, memory, disk, rights, ports, clock, proxy and ping."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report."""
        report = preflight.run()
        width = max(len(check.name) for check in report)
        for check in report:
            self.stdout.write(f"{check.outcome:<4}  {check.name:<{width}}  {check.found}")
            if check.remedy:
                self.stdout.write(f"      {'':<{width}}  → {check.remedy}")
        if any(check.outcome is preflight.Outcome.FAIL for check in report):
            sys.exit(1)
