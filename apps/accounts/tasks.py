"""The clockwork of accounts."""

from celery import shared_task

from apps.accounts.models import Directory
from apps.accounts.services import lockouts, sessions
from apps.accounts.services.directories import refreshing


@shared_task(soft_time_limit=50, time_limit=60)
def remove_ended_sessions() -> None:
    """Remove the rows of sessions that have ended."""
    sessions.remove_ended()


@shared_task(soft_time_limit=50, time_limit=60)
def forget_old_failures() -> None:
    """Remove the counts of sign-ins that failed long ago."""
    lockouts.prune()


@shared_task(soft_time_limit=50, time_limit=60)
def look_after_directories() -> None:
    """Have the people of each directory looked after that is due, and sign out those of directories not in use."""
    refreshing.bar_where_not_in_use()
    for pk in refreshing.claim_due():
        look_after_directory.apply_async((pk,), expires=240)


@shared_task(soft_time_limit=260, time_limit=280)
def look_after_directory(pk: int) -> None:
    """Bring the accounts of one directory up to date."""
    directory = Directory.objects.in_use().filter(pk=pk).first()
    if directory is not None:
        refreshing.refresh(directory)
