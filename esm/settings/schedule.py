"""What the clock starts, and how often; a run that was not begun before the next one is due is dropped."""

from datetime import timedelta
from typing import Any


def every(task: str, period: timedelta) -> dict[str, Any]:
    """Run a task in a period; it expires just before the next run (the name is that of the database scheduler)."""
    seconds = period.total_seconds()
    return {"task": task, "schedule": period, "options": {"expire_seconds": max(1, int(seconds * 0.9))}}


SCHEDULE: dict[str, dict[str, Any]] = {
    "seal-audit": every("apps.core.tasks.seal_audit", timedelta(seconds=5)),
    "check-audit": every("apps.core.tasks.check_audit", timedelta(minutes=1)),
    "remove-old-audit": every("apps.core.tasks.remove_old_audit", timedelta(hours=1)),
    "watch-jobs": every("apps.core.tasks.watch_jobs", timedelta(seconds=30)),
    "remove-old-jobs": every("apps.core.tasks.remove_old_jobs", timedelta(days=1)),
    "follow-suspend-periods": every("apps.components.tasks.follow_suspend_periods", timedelta(seconds=5)),
    "settle-suspensions": every("apps.components.tasks.settle_suspensions", timedelta(minutes=1)),
    "join-same-machines": every("apps.components.tasks.join_same_machines", timedelta(minutes=5)),
    "follow-remote-batches": every("apps.control.tasks.follow_remote_batches", timedelta(seconds=5)),
    "remove-old-batch-runs": every("apps.control.tasks.remove_old_batch_runs", timedelta(days=1)),
    "remove-old-status-changes": every("apps.components.tasks.remove_old_status_changes", timedelta(days=1)),
    "tell-held-incidents": every("apps.alerts.tasks.tell_held", timedelta(seconds=15)),
    "reopen-overdue-incidents": every("apps.alerts.tasks.reopen_overdue", timedelta(minutes=1)),
    "age-incidents": every("apps.alerts.tasks.age_incidents", timedelta(minutes=5)),
    "remove-old-alerts": every("apps.alerts.tasks.remove_old_alerts", timedelta(hours=1)),
    "follow-event-subscriptions": every("apps.alerts.tasks.follow_event_subscriptions", timedelta(minutes=1)),
    "remove-ended-sessions": every("apps.accounts.tasks.remove_ended_sessions", timedelta(days=1)),
    "remove-expired-tokens": every("apps.access.tasks.remove_expired_tokens", timedelta(hours=6)),
    "forget-old-failures": every("apps.accounts.tasks.forget_old_failures", timedelta(minutes=1)),
    "look-after-directories": every("apps.accounts.tasks.look_after_directories", timedelta(minutes=1)),
    "poll-tick": every("apps.monitoring.tasks.tick", timedelta(seconds=5)),
    "forget-proposed-settings": every("apps.control.tasks.forget_proposals", timedelta(minutes=10)),
    "sweep-liveness": every("apps.monitoring.tasks.sweep", timedelta(minutes=1)),
    "sample-fleet": every("apps.monitoring.tasks.sample_fleet", timedelta(minutes=5)),
    "roll-up-history": every("apps.monitoring.tasks.roll_up", timedelta(minutes=10)),
    "forget-old-history": every("apps.monitoring.tasks.forget_old", timedelta(hours=1)),
    "remove-old-consoles": every("apps.control.tasks.remove_old_consoles", timedelta(hours=1)),
    "measure-capacity": every("apps.system.tasks.measure_capacity", timedelta(hours=1)),
    "watch-certificate": every("apps.system.tasks.watch_certificate", timedelta(hours=1)),
    "remove-old-bundles": every("apps.system.tasks.remove_old_bundles", timedelta(hours=1)),
}
