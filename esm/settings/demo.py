"""The demonstration: a portal for this machine alone, in a folder and on ports of its own, with simulated devices."""

import os

from apps.system.demo import ground
from esm.settings import env

ground.prepare(env.BASE_DIR, os.environ)

from esm.settings.prod import *  # noqa: E402, F403

INSTALLED_APPS = [*INSTALLED_APPS, "apps.system.demo.apps.DemoConfig"]  # noqa: F405
