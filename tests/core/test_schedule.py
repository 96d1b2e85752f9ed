"""The clock: every entry names a task that exists, and a run that is late is dropped before the next one."""

import importlib

import pytest
from celery import Task
from django.conf import settings


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_each_entry_is_a_task_that_expires_before_the_next_run(name):
    entry = settings.CELERY_BEAT_SCHEDULE[name]
    module, _dot, function = entry["task"].rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), function), Task)
    assert 0 < entry["options"]["expire_seconds"] < entry["schedule"].total_seconds()
