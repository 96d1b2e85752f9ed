"""The clockwork of accounts."""

from importlib import import_module

from celery import shared_task
from django.conf import settings

from apps.accounts.services import lockouts


@shared_task(soft_time_limit=50, time_limit=60)
def remove_ended_sessions() -> None:
    """Remove the rows of sessions that have ended."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@shared_task(soft_time_limit=50, time_limit=60)
def forget_old_failures() -> None:
    """Remove the counts of sign-ins that failed long ago."""
    lockouts.prune()
