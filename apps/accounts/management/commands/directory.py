"""Lists directories, and asks one of them about a user, step by step."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Directory
from apps.accounts.services.directories import testing
from apps.accounts.services.directories.testing import Report


class Command(BaseCommand):
    """``directory list``, ``directory test NAME USER [--password]``."""

    help = "Lists directories, and tests what one of them says of a user."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="show every directory in its order")
        test = verbs.add_parser("test", help="ask a directory about a user, step by step; nothing is kept")
        test.add_argument("name", help="the name of the directory")
        test.add_argument("user", help="the name that the user signs in with")
        test.add_argument(
            "--password", action="store_true", help="ask for the password, or read it from standard input, and try it"
        )

    def handle(
        self, *args: Any, verb: str, name: str = "", user: str = "", password: bool = False, **about: Any
    ) -> None:
        """Do what was asked."""
        if verb == "list":
            for row in Directory.objects.all():
                state = "in use" if row.enabled else "off"
                self.stdout.write(f"{row.position}. {row.name} ({row.kind}, {state}): {', '.join(row.servers)}")
            return
        directory = Directory.objects.filter(name__iexact=name).first()
        if directory is None:
            raise CommandError(f"There is no directory {name!r}; see: manage.py directory list")
        self._show(testing.test(directory, user, _read_password() if password else None))

    def _show(self, report: Report) -> None:
        for step in report.steps:
            words = f" [{step.words}]" if step.words else ""
            self.stdout.write(
                f"{step.state:8} {step.stage:8} {step.milliseconds:6} ms  {step.server}  {step.text}{words}"
            )
        if not report.lets_in:
            raise CommandError(str(report.verdict))
        self.stdout.write(str(report.verdict))


def _read_password() -> str:
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
