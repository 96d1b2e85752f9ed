"""Settings of the test run: a data folder of its own per test process, quick password hashes, no manifest."""

import atexit
import os
import shutil
import tempfile

if "ESM_TEST_DATA_DIR" not in os.environ:
    os.environ["ESM_TEST_DATA_DIR"] = tempfile.mkdtemp(prefix="esm-test-")
    atexit.register(shutil.rmtree, os.environ["ESM_TEST_DATA_DIR"], ignore_errors=True)
if os.environ.get("PYTEST_XDIST_WORKER", "") != os.environ.get("ESM_TEST_WORKER", ""):
    # One of several test processes: it has inherited the folder of the one that started it.
    os.environ["ESM_TEST_WORKER"] = os.environ["PYTEST_XDIST_WORKER"]
    os.environ["ESM_TEST_DATA_DIR"] = os.path.join(os.environ["ESM_TEST_DATA_DIR"], os.environ["ESM_TEST_WORKER"])
os.environ["ESM_DATA_DIR"] = os.environ["ESM_TEST_DATA_DIR"]
os.environ.pop("DATABASE_URL", None)
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from esm.settings.base import *  # noqa: F403

DATABASES["default"]["TEST"] = {  # noqa: F405
    "NAME": None if "DATABASE_URL" in os.environ else str(DATA_DIR / "test.sqlite3"),  # noqa: F405
    "TEMPLATE": os.environ.get("TEST_DATABASE_TEMPLATE"),  # of PostgreSQL: a database that is migrated already
}
SECRET_KEY = "only-for-tests-and-never-used-elsewhere-0123456789"  # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - else WhiteNoise warns in every test
