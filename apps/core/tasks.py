"""The core's clockwork: seal the audit and look whether it holds, watch the jobs, remove what is old."""

from celery import shared_task

from apps.core import jobs, options
from apps.core.audit import refusals, retention, sealing, verifying


@shared_task(soft_time_limit=20, time_limit=30)
def seal_audit() -> None:
    """Chain new audit entries."""
    while sealing.seal() == sealing.AT_ONCE:
        pass


@shared_task(soft_time_limit=50, time_limit=60)
def check_audit() -> None:
    """Look whether the chain holds, and tell of the refusals that were only counted."""
    refusals.close_ended()
    verifying.check()


@shared_task(soft_time_limit=100, time_limit=120)
def remove_old_audit() -> None:
    """Forget audit entries that are too old."""
    retention.remove_old(options.get("audit_retention"))


@shared_task(soft_time_limit=50, time_limit=60)
def watch_jobs() -> None:
    """End what nobody ends."""
    jobs.watch()


@shared_task(soft_time_limit=50, time_limit=60)
def remove_old_jobs() -> None:
    """Forget jobs that ended long ago."""
    while jobs.remove_old(options.get("job_retention")):
        pass
