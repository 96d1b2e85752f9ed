#!/usr/bin/env python3
"""The portal's command line: every administrative verb is ``manage.py <verb>``."""

import os
import sys


def main() -> None:
    """Run one management command; settings that are wrong end it with one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esm.settings.prod")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
