"""Hands orders to workers, and lets remote batches run when their time has come."""

from celery import shared_task

from apps.control.services import batch_runs, consoles, running
from apps.control.settings import running as settings_running
from apps.control.settings import services
from apps.core import options

CLOSING = 30  # seconds between the end of a task's time and its being killed
EXPIRES = 600  # seconds after which the watchdog has ended the job anyway


@shared_task(soft_time_limit=5400, time_limit=5430)
def run_operation(job_id: int) -> None:
    """Carry out the steps of a job that wait; acknowledged before it begins, so that no order is given twice."""
    running.run(job_id)


def start_operation(job_id: int) -> None:
    """Queue a job."""
    run_operation.apply_async((job_id,), queue="control", expires=EXPIRES)


@shared_task(soft_time_limit=5400, time_limit=5430)
def run_settings(job_id: int) -> None:
    """Read or change settings of a job's devices; acknowledged before it begins, so that nothing is written twice."""
    settings_running.run(job_id)


@shared_task(soft_time_limit=50, time_limit=60, ignore_result=True)
def forget_proposals() -> None:
    """Forget changes of settings that nobody confirmed."""
    services.forget_proposals()


def start_settings(job_id: int) -> None:
    """Queue a job of settings; it may take as long as its tries and the waits between them."""
    limit = settings_running.longest()
    run_settings.apply_async(
        (job_id,), queue="control", expires=EXPIRES, soft_time_limit=limit, time_limit=limit + CLOSING
    )


@shared_task(soft_time_limit=100, time_limit=120)
def follow_remote_batches() -> None:
    """Begin the remote batches that are due, and tell of those that were missed."""
    batch_runs.follow()


@shared_task(soft_time_limit=100, time_limit=120)
def remove_old_batch_runs() -> None:
    """Forget runs that are too old."""
    while batch_runs.remove_old(options.get("remote_batch_retention")):
        pass


@shared_task(soft_time_limit=300, time_limit=330)
def remove_old_consoles() -> None:
    """Remove consoles that were closed long ago, with their transcripts."""
    consoles.forget()
