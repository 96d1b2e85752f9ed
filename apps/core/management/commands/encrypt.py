"""Encrypts a secret for a configuration file."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from apps.core import secrets


class Command(BaseCommand):
    """``manage.py encrypt``: asks for the secret, or reads it from standard input; it never is an argument."""

    help = (
        "Encrypt a secret under the portal's key file and print {ENC}…, which every ESM_ variable takes in the place "
        "of the secret itself, DATABASE_URL and REDIS_URL also as a password. Whoever has the key file can read it."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask and print."""
        if sys.stdin.isatty():
            secret = getpass.getpass("Secret: ")
            if secret != getpass.getpass("Secret again: "):
                raise CommandError("The two differ.")
        else:
            secret = sys.stdin.read().removesuffix("\n").removesuffix("\r")
        if not secret:
            raise CommandError("There is nothing to encrypt.")
        if secret.startswith(secrets.MARK):
            raise CommandError(f"This begins with {secrets.MARK}: it is encrypted already.")
        try:
            self.stdout.write(secrets.written(secret))
        except (ImproperlyConfigured, OSError) as error:
            raise CommandError(str(error)) from error
