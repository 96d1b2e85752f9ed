"""The clockwork of alerts: acknowledged problems come back, held ones are told, old ones and old alerts go."""

from datetime import timedelta

from celery import shared_task

from apps.alerts.services import incidents, reapplying, retention, telling
from apps.alerts.subscriptions import keeping, trying
from apps.core import options

EXPIRES = 600  # seconds after which the watchdog has ended a job that nobody took


@shared_task(soft_time_limit=50, time_limit=55)
def reopen_overdue() -> None:
    """Open the acknowledged incidents whose time is up."""
    while incidents.reopen_overdue():
        pass


@shared_task(soft_time_limit=250, time_limit=280)
def age_incidents() -> None:
    """Close the incidents that no alert can end and of which nothing was heard for long."""
    while incidents.age(timedelta(hours=options.get("alert_status_age"))) == incidents.AT_ONCE:
        pass


@shared_task(soft_time_limit=250, time_limit=280)
def remove_old_alerts() -> None:
    """Forget the alerts that are too old or too many, and the problems that ended with them."""
    retention.remove_old()


@shared_task(soft_time_limit=7200, time_limit=7230)
def run_reapply(job_id: int) -> None:
    """Do a job that applies a definition to stored alerts."""
    reapplying.run(job_id)


def start_reapply(job_id: int) -> None:
    """Queue such a job."""
    run_reapply.apply_async((job_id,), queue="default", expires=EXPIRES)


@shared_task(soft_time_limit=50, time_limit=55)
def tell_held() -> None:
    """Tell the problems that began in a silence which is over."""
    while telling.tell_held():
        pass


@shared_task(soft_time_limit=500, time_limit=540)
def follow_event_subscriptions() -> None:
    """Have devices send their events here, and those that shall not, send no more."""
    keeping.follow()


@shared_task(soft_time_limit=250, time_limit=280)
def run_event_test(job_id: int) -> None:
    """Do a job that has devices send a test event."""
    trying.run(job_id)


def start_event_test(job_id: int) -> None:
    """Queue such a job."""
    run_event_test.apply_async((job_id,), queue="control", expires=EXPIRES)
