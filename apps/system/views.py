"""Health for load balancers, metrics for Prometheus, support bundles to keep."""

import functools
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from apps.access.authentication import TokenAuthentication
from apps.components.models import ManagementInterface
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.models import Job
from apps.system import beat, broker
from apps.system.bundle import orders
from apps.system.instance import Instance
from apps.system.models import SupportBundle

View = Callable[[HttpRequest], HttpResponse]


def for_machine_or_token(view: View) -> View:
    """Answer only the machine itself, and requests with a token that sees the whole fleet: all of it is counted."""

    @functools.wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not _is_loopback(request) and not _has_token(request):
            return HttpResponse("401 A token is needed from another machine.\n", status=401, content_type="text/plain")
        return view(request)

    return checked


def _is_loopback(request: HttpRequest) -> bool:
    """REMOTE_ADDR is the client's: the address middleware has looked behind the proxies already."""
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    try:
        found = TokenAuthentication().authenticate(Request(request))
    except APIException:
        return False
    return found is not None and scoping.may(found[0], "view")


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the web process answers, and nothing about what stands behind it."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
@for_machine_or_token
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether database, broker and clock work; 503 when one does not."""
    parts = {"database": database_answers(), "broker": broker.answers()}
    age = beat.heartbeat_age() if parts["broker"] else None
    parts["beat"] = age is not None and age < beat.HEARTBEAT_LOST
    lines = [f"{name} {'ok' if good else 'failed'}" for name, good in parts.items()]
    return HttpResponse("\n".join(lines) + "\n", status=200 if all(parts.values()) else 503, content_type="text/plain")


def attached(bundle: SupportBundle, actor: Actor) -> HttpResponse:
    """Answer with a support bundle for a browser or program to keep."""
    answer = HttpResponse(orders.fetch(bundle, actor), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{bundle.name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def database_answers() -> bool:
    """Ask the database for nothing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseError:
        return False


@never_cache
@require_safe
@for_machine_or_token
def metrics(request: HttpRequest) -> HttpResponse:
    """Give figures about the portal itself in Prometheus' text format."""
    processes = Instance(settings.DATA_DIR).processes()
    age = beat.heartbeat_age()
    lines = [
        *_metric("process_running", "gauge", "1 while the process runs", _each(processes, "state")),
        *_metric(
            "process_restarts_total", "counter", "new starts since the portal started", _each(processes, "restarts")
        ),
        *_metric("interfaces_due", "gauge", "interfaces whose poll is due", [("", due_interfaces())]),
        *_metric("jobs", "gauge", "jobs by state", _jobs()),
        *_metric(
            "beat_heartbeat_age_seconds", "gauge", "since the clock's last beat", [("", age)] if age is not None else []
        ),
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def due_interfaces() -> int:
    """Count the interfaces that wait for their poll."""
    return ManagementInterface.objects.managed().due(timezone.now()).count()


def _jobs() -> list[tuple[str, float]]:
    counted = Job.objects.order_by().values_list("state").annotate(count=Count("pk"))
    return [(f'{{state="{state}"}}', count) for state, count in counted]


def _each(processes: Iterable, what: str) -> list[tuple[str, float]]:
    values = [(process.name, getattr(process, what)) for process in processes]
    return [
        (f'{{process="{name}"}}', float(value == "running") if what == "state" else value) for name, value in values
    ]


def _metric(name: str, kind: str, text: str, values: Iterable[tuple[str, float]]) -> list[str]:
    head = [f"# HELP esm_{name} {text}", f"# TYPE esm_{name} {kind}"]
    return head + [f"esm_{name}{labels} {value:g}" for labels, value in values]
