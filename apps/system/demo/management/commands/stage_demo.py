"""Registers the simulated fleet and makes its history."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.system.demo.staging import stage


class Command(BaseCommand):
    """Do by itself what every start of a demonstration does."""

    help = "Register the simulated fleet of a running demonstration, and make its history."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stage it."""
        stage()
