"""The settings of a portal one version on."""

from esm.settings.prod import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.system.upgrade"]  # noqa: F405
