"""Settings for developing pages: errors in the browser, static files without their hashes."""

from esm.settings.prod import *  # noqa: F403

DEBUG = True
HIDDEN_DRIVERS_OFFERED = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
