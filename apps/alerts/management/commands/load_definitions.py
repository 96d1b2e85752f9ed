"""Loads the alert definitions that come with the portal."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.alerts.services.loading import BadDefinition, load


class Command(BaseCommand):
    """Bring the definitions of fixtures/alert_definitions into the database; may be repeated at every start."""

    help = "Load the alert definitions that come with the portal; what was switched off stays off."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say what changed."""
        try:
            counts = load(settings.FIXTURES_DIR / "alert_definitions")
        except BadDefinition as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write(", ".join(f"{name}: {number}" for name, number in counts.items()))
