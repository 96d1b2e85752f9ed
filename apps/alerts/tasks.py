"""The clockwork of alerts: acknowledged problems come back, problems without an end age, old alerts go."""

from datetime import timedelta

from celery import shared_task

from apps.alerts.services import incidents, retention
from apps.core import options


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
