"""Gives the stored secrets a new key."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.components.services import rotation
from apps.core import secrets
from apps.core.actors import COMMAND


class Command(BaseCommand):
    """``manage.py rotate_secrets``: safe while the portal runs, safe to repeat after it was killed."""

    help = "Encrypt every stored secret with a new key, then forget the keys that nothing needs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer to change the signing key too."""
        parser.add_argument(
            "--signing-too",
            action="store_true",
            help="also replace the key that signs cookies: restart the portal afterwards; everybody signs in again",
        )

    def handle(self, *args: Any, signing_too: bool, **options: Any) -> None:
        """Rotate."""
        moved = rotation.rotate(COMMAND, signing_too=signing_too)
        self.stdout.write(f"{moved} values are encrypted with a new key.")
        lost = [name for name, value in os.environ.items() if secrets.MARK in value and not _is_readable(value)]
        if lost:
            self.stderr.write(f"Make these anew, their key is gone (manage.py encrypt): {', '.join(sorted(lost))}")


def _is_readable(value: str) -> bool:
    """Say whether what is encrypted in a variable, which may be the password in a URL, belongs to a key that stays."""
    try:
        secrets.plain(value[value.index(secrets.MARK) :].split("@")[0])
    except secrets.Undecipherable:
        return False
    return True
