"""A change of the tables that takes as long as a test wants."""

from typing import Any

from django.conf import settings
from django.db import migrations

from tests.system.waiting import until


def wait(apps: Any, schema_editor: Any) -> None:
    """Wait for the test."""
    until((settings.DATA_DIR / "go").exists, "the test says so", 60)


class Migration(migrations.Migration):
    """See the module."""

    atomic = False
    operations = [migrations.RunPython(wait)]
