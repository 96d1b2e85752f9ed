"""The portal as it is run: by ``manage.py up`` on one machine, or by units of the system on several."""

from pathlib import Path

from apps.core.secrets import signing_key
from esm.settings.base import *  # noqa: F403

SECRET_KEY = signing_key(Path(SECRETS_KEY_FILE))  # noqa: F405
