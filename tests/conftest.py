"""What all tests share."""

import gc
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from django.conf import settings

from apps.system import translations
from tests import alike, migrated


def pytest_configure(config: pytest.Config) -> None:
    """Compile the message catalogues, as every start of the portal does, before a process reads them."""
    from django.test import TransactionTestCase

    from tests import emptying

    translations.compile_stale()
    TransactionTestCase._fixture_teardown = emptying.empty
    if gone := alike.gone():
        raise pytest.UsageError(f"tests/alike.py names what is not there: {', '.join(map(str, gone))}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage meanwhile, which is a quarter of the time, and later not among what was collected."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On PostgreSQL leave out what is the same there."""
    return True if "TEST_DATABASE_URL" in os.environ and alike.is_alike(collection_path) else None


@pytest.hookimpl(trylast=True)  # when the folders have said what belongs together
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run only what depends on the database."""
    if os.environ.get("TEST_DATABASE_URL"):
        kept = [
            one for one in items if one.get_closest_marker("django_db") and not one.get_closest_marker("one_database")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Begin with the file that is there, on SQLite; it goes with its folder."""
    return "TEST_DATABASE_URL" not in os.environ


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Begin with a copy of the database that was migrated once for all processes."""
    if "TEST_DATABASE_URL" not in os.environ:
        shutil.copyfile(migrated.database(), settings.DATABASES["default"]["TEST"]["NAME"])


@pytest.fixture(autouse=True)
def _fresh_options():
    """Let no test see the options that another one read, and what it found to mend."""
    from apps.core import cautions, options

    options.forget()
    cautions.forget()
    yield
    options.forget()
    cautions.forget()


@pytest.fixture(autouse=True)
def _fresh_memory():
    """Let no test find refusals counted, or the end of the audit's chain remembered, by another one."""
    from django.core.cache import cache

    from apps.core.audit import anchor_file

    cache.clear()
    anchor_file.path().unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _fresh_language():
    """Let no test speak the language, or live in the zone, of the user who made a request in another one."""
    from django.utils import timezone, translation

    yield
    translation.deactivate()
    timezone.deactivate()
