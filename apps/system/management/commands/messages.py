"""``manage.py messages``: brings the message catalogue up to date with what the code, pages and fixtures say."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.system import extraction


class Command(BaseCommand):
    """Collects the sentences and names those that have no translation."""

    help = "Collect all sentences into the message catalogue and name those that have no translation yet."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail when the catalogue is not complete"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                missing, gone = extraction.compare()
            else:
                missing, gone = extraction.renew()
        except extraction.ExtractionFailed as error:
            raise CommandError(str(error)) from error
        for message, files in missing.items():
            self.stdout.write(f"untranslated: {message.text} ({', '.join(sorted(files))})")
        for text in gone:
            self.stdout.write(f"gone: {text}")
        if options["check"] and (missing or gone):
            raise CommandError("the catalogue is not complete: run manage.py messages and translate what is empty")
        self.stdout.write(f"{len(missing)} untranslated, {len(gone)} gone")
