"""Prepares database, static files and the first administrator."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.system.preparation import prepare


class Command(BaseCommand):
    """Do once what every start of ``up`` does first, for a service manager."""

    help = "Wait for the database, migrate, collect static files, make the first administrator."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare everything."""
        prepare()
