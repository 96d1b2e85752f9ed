"""The core's clockwork: seal the audit, watch the jobs, remove what is old."""

from celery import shared_task

from apps.core import audit, jobs, options


@shared_task(soft_time_limit=20, time_limit=30)
def seal_audit() -> None:
    """Chain new audit entries."""
    while audit.seal() == audit.SEALED_AT_ONCE:
        pass


@shared_task(soft_time_limit=50, time_limit=60)
def watch_jobs() -> None:
    """End what nobody ends."""
    jobs.watch()


@shared_task(soft_time_limit=50, time_limit=60)
def remove_old_jobs() -> None:
    """Forget jobs that ended long ago."""
    while jobs.remove_old(options.get("job_retention")):
        pass
