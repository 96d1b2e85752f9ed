"""Hands orders to workers."""

from celery import shared_task

from apps.control.services import running
from apps.control.settings import running as settings_running
from apps.control.settings import services

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
    """Queue a job of settings."""
    run_settings.apply_async((job_id,), queue="control", expires=EXPIRES)
