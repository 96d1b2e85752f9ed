"""Rows for tests, made as the services would leave them; plain functions, each argument has a sensible default."""

import itertools
import json
from datetime import time, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Field, JSONField
from django.utils import timezone

from apps.access.models import Grant, Role
from apps.accounts.models import User
from apps.alerts.models import AlertDefinition
from apps.alerts.services import catalogue
from apps.alerts.services.loading import load
from apps.components.models import Component, Credential, CredentialVersion, ManagementInterface, SuspendPeriod
from apps.control.models import RemoteBatch, RemoteBatchTarget
from apps.core import rows
from apps.groups.models import Group

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def root_group() -> Group:
    """Give the root of the tree."""
    return Group.objects.get(parent=None)


def make_group(name: str = "", parent: Group | None = None) -> Group:
    """Make a group below the root or another one."""
    return Group.objects.create(name=name or f"Group {next(_numbers)}", parent=parent or root_group())


def make_user(role: str | None = "viewer", group: Group | None = None, **fields: Any) -> User:
    """Make a user with a role on a group, the root by default; no role means no grant."""
    name = fields.pop("username", f"user{next(_numbers)}")
    user = User.objects.create_user(name, password=fields.pop("password", PASSWORD), **fields)
    if role is not None:
        Grant.objects.create(user=user, role=Role.objects.get(name=role), group=group or root_group())
    return user


def make_credential(kind: str = "snmp-community", group: Group | None = None, **fields: str) -> Credential:
    """Make a credential of a kind with its first version."""
    credential = Credential.objects.create(
        name=fields.pop("name", f"Credential {next(_numbers)}"), kind=kind, group=group or root_group()
    )
    defaults = {
        "snmp-community": {"version": "2c", "community": "public"},
        "snmp-v3": {
            "username": "watcher",
            "auth_protocol": "SHA-256",
            "auth_password": "auth-secret",
            "priv_protocol": "AES-128",
            "priv_password": "priv-secret",
            "context": "",
        },
        "password": {"username": "admin", "password": "s3cret-word"},
    }
    CredentialVersion.objects.create(credential=credential, number=1, fields={**defaults.get(kind, {}), **fields})
    return credential


def make_component(name: str = "", group: Group | None = None, **fields: Any) -> Component:
    """Make a component without interfaces."""
    name = name or f"component{next(_numbers)}"
    words = " ".join([name, fields.get("alias", "")]).casefold()
    return Component.objects.create(name=name, group=group or root_group(), search_text=words, **fields)


def make_interface(component: Component | None = None, polled: bool = True, **fields: Any) -> ManagementInterface:
    """Make an interface of a component, its own when none is given; one that was polled before by default."""
    number = next(_numbers)
    fields.setdefault("driver", "snmp_agent")
    fields.setdefault("address", f"198.18.{number // 250 % 250}.{number % 250 + 1}")
    fields.setdefault("last_polled_at", timezone.now() if polled else None)
    return ManagementInterface.objects.create(component=component or make_component(), **fields)


def make_suspend_period(component: Component | None = None, group: Group | None = None, **fields: Any) -> SuspendPeriod:
    """Make a period of every day, from one to three, of a component of its own when no target is given."""
    target = {"component": component or make_component()} if group is None else {"group": group}
    defaults = {"name": f"Period {next(_numbers)}", "time_zone": "UTC", "repeat": "daily", "begins": time(1)}
    today = timezone.now().date()
    period = SuspendPeriod(**target, first_day=today, length=timedelta(hours=2), **{**defaults, **fields})
    period.place(timezone.now())
    for name, value in fields.items():
        setattr(period, name, value)
    period.save()
    return period


def make_remote_batch(component: Component | None = None, **fields: Any) -> RemoteBatch:
    """Make a batch that lights the lamp of a component every day at one; of one of its own when none is given."""
    defaults = {"name": f"Batch {next(_numbers)}", "time_zone": "UTC", "repeat": "daily", "begins": time(1)}
    order = {"operation": "lamp", "arguments": {"lit": True, "seconds": None}, "length": timedelta(0)}
    batch = RemoteBatch(first_day=timezone.now().date(), **{**defaults, **order, **fields})
    batch.place(timezone.now())
    batch.save()
    RemoteBatchTarget.objects.create(batch=batch, component=component or make_component())
    return batch


def ship_definitions() -> None:
    """Have the alert definitions that come with the portal, as each start loads them into an empty table."""
    rows.insert(AlertDefinition, *_shipped())
    catalogue.forget()


@cache
def _shipped() -> tuple[list[str], list[list[Any]]]:
    """Load them once in a process, and give their columns and rows; the table is left empty."""
    load(settings.FIXTURES_DIR / "alert_definitions")
    fields = [field for field in AlertDefinition._meta.concrete_fields if not field.primary_key]
    found = AlertDefinition.objects.order_by("pk")
    told = [[_as_stored(field, getattr(row, field.attname)) for field in fields] for row in found]
    AlertDefinition.objects.all().delete()
    return [str(field.column) for field in fields], told


def _as_stored(field: "Field[Any, Any]", value: Any) -> Any:
    return json.dumps(value) if isinstance(field, JSONField) else field.get_db_prep_save(value, connection)
