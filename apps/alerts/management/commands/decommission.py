"""Ends all subscriptions of devices, before the portal itself goes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.alerts.subscriptions import decommissioning
from apps.core.actors import COMMAND


class Command(BaseCommand):
    """Have every device send no more events here, and say which could not be told.

    The option ``redfish_events`` is switched off by it, so that nobody subscribes anew. It may be repeated.
    """

    help = "Remove this portal's subscriptions from all devices, and list those that could not be removed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for a word, because it cannot be taken back by itself."""
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and list what is left."""
        if not options["yes"]:
            question = "All devices are told to send no more events to this portal. Type 'yes' to go on: "
            self.stdout.write(question, ending="")
            self.stdout.flush()
            if input().strip() != "yes":
                raise CommandError("Nothing was done.")
        done = decommissioning.decommission(COMMAND)
        self.stdout.write(f"Subscriptions removed: {done.removed}")
        for one in done.left:
            self.stdout.write(f"Could not be removed: {one.name}, {one.address}, {one.uri}: {one.last_error}")
        if done.left:
            raise CommandError(
                f"{len(done.left)} devices may go on sending. Remove the subscriptions on them by hand, or start this "
                "command again once they answer."
            )
