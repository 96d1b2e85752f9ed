"""Hands checks and refreshes to workers, lets suspend periods begin and end, and forgets what is old."""

from celery import shared_task

from apps.components.services import checks, joining, status_history, suspension
from apps.core import options

EXPIRES = 600  # seconds after which the watchdog has ended the job anyway


@shared_task(soft_time_limit=1800, time_limit=1830)
def run_check(job_id: int) -> None:
    """Check the interfaces of a job."""
    checks.run_check(job_id)


@shared_task(soft_time_limit=1800, time_limit=1830)
def run_refresh(job_id: int) -> None:
    """Refresh the interfaces of a job."""
    checks.run_refresh(job_id)


def start_check(job_id: int) -> None:
    """Queue a check."""
    run_check.apply_async((job_id,), queue="control", expires=EXPIRES)


def start_refresh(job_id: int) -> None:
    """Queue a refresh."""
    run_refresh.apply_async((job_id,), queue="control", expires=EXPIRES)


@shared_task(soft_time_limit=20, time_limit=30)
def follow_suspend_periods() -> None:
    """Let the suspend periods begin and end that are due."""
    suspension.follow()


@shared_task(soft_time_limit=50, time_limit=55)
def settle_suspensions() -> None:
    """Look at every component once a minute: nothing stays suspended, or watched, by an accident."""
    suspension.follow()
    suspension.settle_all()


@shared_task(soft_time_limit=100, time_limit=120)
def join_same_machines() -> None:
    """Join what is surely one machine, also what became so by a move into one group or by the option."""
    joining.join_found()


@shared_task(soft_time_limit=100, time_limit=120)
def remove_old_status_changes() -> None:
    """Forget changes of status that are too old."""
    status_history.remove_old(options.get("status_change_retention"))
