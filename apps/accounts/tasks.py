"""The clockwork of accounts."""

from celery import shared_task

from apps.accounts.services import lockouts, sessions


@shared_task(soft_time_limit=50, time_limit=60)
def remove_ended_sessions() -> None:
    """Remove the rows of sessions that have ended."""
    sessions.remove_ended()


@shared_task(soft_time_limit=50, time_limit=60)
def forget_old_failures() -> None:
    """Remove the counts of sign-ins that failed long ago."""
    lockouts.prune()
