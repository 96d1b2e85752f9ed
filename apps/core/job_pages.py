"""The pages of jobs: the list, one job with the result of every target, and cancelling it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.core import jobs, scoping
from apps.core.actors import Actor
from apps.core.htmx import wants_part
from apps.core.models import OPEN_JOBS, Job, JobState, JobStep, StepState

PER_PAGE = 50
TABS: tuple[tuple[str, Promise | str, tuple[str, ...]], ...] = (
    ("", gettext_lazy("All"), ()),
    ("open", gettext_lazy("In progress"), OPEN_JOBS),
    ("failed", gettext_lazy("Failed"), (JobState.FAILED,)),
    ("done", gettext_lazy("Done"), (JobState.DONE,)),
    ("cancelled", gettext_lazy("Cancelled"), (JobState.CANCELLED,)),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One saved filter above a list."""

    value: str
    label: Promise | str
    count: int
    current: bool


def kind_label(kind: str) -> str:
    """Write the kind of a job in the reader's language; a kind that no longer exists stays its word."""
    return str(jobs.kinds.get(kind).label) if kind in jobs.kinds else kind


@require_safe
@vary_on_headers("HX-Request")
def job_list(request: HttpRequest) -> HttpResponse:
    """Show the jobs that the user may see, newest first."""
    visible = Job.objects.visible_to(request.user)
    shown = request.GET.get("state", "")
    states = next((states for value, _label, states in TABS if value == shown), ())
    kind = request.GET.get("kind", "")
    found = visible.filter(**({"state__in": states} if states else {}), **({"kind": kind} if kind else {}))
    page = Paginator(found.select_related(None), PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = jobs.as_seen(page.object_list, request.user)
    for row in page.object_list:
        row.kind_label = kind_label(row.kind)  # type: ignore[attr-defined]  # for the page
    context = {
        "page": page,
        "tabs": _tabs(visible, shown),
        "kinds": [(name, kind_entry.label, name == kind) for name, kind_entry in jobs.kinds.items()],
        "filtered": bool(states or kind),
    }
    template = "jobs/_jobs.html" if wants_part(request) else "jobs/list.html"
    return render(request, template, context)


def _tabs(visible: "QuerySet[Job]", shown: str) -> list[Tab]:
    counts = dict(visible.order_by().values_list("state").annotate(number=Count("pk")))
    return [
        Tab(value, label, sum(n for state, n in counts.items() if not states or state in states), value == shown)
        for value, label, states in TABS
    ]


@require_safe
@vary_on_headers("HX-Request")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one job: how far it is, and how it went on every target that the user may see."""
    (found,) = jobs.as_seen([get_object_or_404(Job.objects.visible_to(request.user), pk=pk)], request.user)
    steps = _steps_of(found, request.user)
    shown = request.GET.get("state", "")
    counts = dict(steps.order_by().values_list("state").annotate(number=Count("pk")))
    tabs = [Tab("", _("All"), sum(counts.values()), not shown)] + [
        Tab(state.value, state.label, counts[state.value], state.value == shown)
        for state in StepState
        if counts.get(state.value)
    ]
    listed = steps.filter(state=shown) if shown in StepState.values else steps
    worst_first = Case(
        When(state=StepState.FAILED, then=Value(0)),
        When(state=StepState.RUNNING, then=Value(1)),
        When(state=StepState.WAITING, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    context = {
        "job": found,
        "kind_label": kind_label(found.kind),
        "tabs": tabs,
        "page": Paginator(listed.order_by(worst_first, "pk"), PER_PAGE).get_page(request.GET.get("page")),
        "bar": _bar(counts),
        "may_cancel": found.state in (JobState.WAITING, JobState.RUNNING) and jobs.may_cancel(request.user, found),
    }
    template = "jobs/_job.html" if wants_part(request) else "jobs/job.html"
    return render(request, template, context)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a job."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    if not jobs.may_cancel(request.user, found):
        messages.error(request, _("Only who started a job, or an administrator of all its targets, may cancel it."))
    elif jobs.cancel(found, Actor.of(request)):
        messages.success(request, _("What has not begun was cancelled; what runs will end by itself."))
    else:
        messages.info(request, _("The job had ended already."))
    return redirect(found)


def _steps_of(found: Job, user: Any) -> "QuerySet[JobStep]":
    """Give the steps that a user may see: all of his own job, else those of his groups."""
    return found.steps.all() if found.created_by_id in scoping.owners(user) else found.steps.visible_to(user)


def _bar(counts: dict[str, int]) -> list[tuple[str, int]]:
    order = (
        StepState.DONE,
        StepState.SKIPPED,
        StepState.FAILED,
        StepState.CANCELLED,
        StepState.RUNNING,
        StepState.WAITING,
    )
    return [(state.value, counts[state.value]) for state in order if counts.get(state.value)]
