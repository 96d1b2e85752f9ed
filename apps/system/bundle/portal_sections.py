"""What the bundle tells of the portal's own rows: numbers and states, never what devices or people are called."""

from dataclasses import asdict
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Max, Min
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from apps.accounts.models import Session, User
from apps.alerts.models import Alert, Counter, Incident
from apps.alerts.services.reception import reception_state
from apps.components.models import Component, ManagementInterface
from apps.core import options
from apps.core.models import AuditEntry, Job
from apps.groups.models import Group
from apps.monitoring.models import RollUpProgress
from apps.system.capacity import measuring, tables


def all_options() -> dict[str, Any]:
    """Tell every option; of a secret one only whether it is set."""
    stored = options.stored()
    return {
        option.name: {
            "value": _value(option),
            "changed": option.name in stored,
            "environment decides": option.read_only,
        }
        for option in options.all_options()
    }


def _value(option: options.Option) -> Any:
    value = options.get(option.name)
    if option.secret:
        return "(set)" if value != option.default else "(not set)"
    return value


def migrations() -> dict[str, Any]:
    """Tell which changes of the tables were made, and which were not."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    rows = MigrationRecorder(connection).migration_qs.order_by("id").values_list("app", "name", "applied")
    return {
        "not applied": [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan],
        "applied": [f"{app}.{name} {applied:%Y-%m-%d %H:%M:%S}" for app, name, applied in rows],
    }


def database() -> dict[str, Any]:
    """Tell the size of each table."""
    sizes = tables.sizes()
    return {
        "vendor": connection.vendor,
        "total": sizes.total,
        "free": sizes.free,
        "log": sizes.log,
        "counted": sizes.counted,
        "tables": dict(sorted(sizes.tables.items(), key=lambda each: -each[1])),
    }


def capacity() -> Any:
    """Tell what was measured last."""
    last = measuring.latest()
    return {"at": last.at, **last.facts} if last else "not measured yet"


def counters() -> dict[str, Any]:
    """Tell how many there are of what, and how the clockwork stands."""
    now = timezone.now()
    managed = ManagementInterface.objects.managed()
    return {
        "components by status": _by(Component.objects.all(), "status"),
        "components by category": _by(Component.objects.all(), "category"),
        "interfaces by driver": _by(ManagementInterface.objects.all(), "driver"),
        "interfaces by last error": _by(ManagementInterface.objects.all(), "last_error_code"),
        "interfaces due": managed.due(now).count(),
        "polls": managed.aggregate(oldest=Min("last_polled_at"), newest=Max("last_polled_at")),
        "rolled up until": {row.span: row.until for row in RollUpProgress.objects.all()},
        "groups": Group.objects.count(),
        "incidents by state": _by(Incident.objects.all(), "state"),
        "newest alert": Alert.objects.order_by("-pk").values_list("received_at", flat=True).first(),
        "reception": _reception(),
        "jobs by state": _by(Job.objects.all(), "state"),
        "jobs by kind": _by(Job.objects.all(), "kind"),
        "users": User.objects.filter(is_active=True).count(),
        "sessions": Session.objects.alive().count(),
        "audit": AuditEntry.objects.aggregate(newest=Max("at"), sealed=Max("sequence"), last=Max("pk")),
        "clockwork": {
            row.name: {"enabled": row.enabled, "last run": row.last_run_at, "runs": row.total_run_count}
            for row in PeriodicTask.objects.order_by("name")
        },
    }


def _reception() -> dict[str, Any]:
    state = reception_state()
    return asdict(state) if state else {"state": "the receiver gives no sign of life", "counts": Counter.values()}


def _by(rows: Any, field: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(field).annotate(number=Count("pk")))
