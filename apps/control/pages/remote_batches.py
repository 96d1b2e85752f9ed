"""The pages of remote batches: the list, one batch with what comes next and what was, its form, and what is done."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component
from apps.components.pages.listing import chosen
from apps.control.batch_forms import BatchForm, offered, shown
from apps.control.batch_views import rows_of, run_rows, state_of
from apps.control.models import RemoteBatch
from apps.control.pages.choices import choice_of
from apps.control.pages.order import Asked
from apps.control.services import batch_runs, remote_batches
from apps.control.services.remote_batches import MOST_TARGETS, PLANNING
from apps.core import rule_pages, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import row_id
from apps.core.htmx import wants_part
from apps.core.recurrence import Occurrence, Repeat, Rule, wall, zone_named
from apps.groups.models import Group

PER_PAGE = 50
UPCOMING = 5
SHOWN = ("planned", "over", "all")


@require_safe
@vary_on_headers("HX-Request")
def batch_list(request: HttpRequest) -> HttpResponse:
    """Show the remote batches that the user may see, or those that are for one component."""
    component = _component(request)
    found = RemoteBatch.objects.visible_to(request.user)
    if component is not None:
        found = found.reaching(component, Group.objects.all().tree())
    words, show = request.GET.get("q", "").replace("\x00", "").strip()[:200], request.GET.get("show", "")
    show = show if show in SHOWN else SHOWN[0]
    if words:
        found = found.filter(name__icontains=words)
    if show != "all":
        found = found.filter(next_at__isnull=show == "over")
    page = Paginator(found.select_related("group").soonest_first(), PER_PAGE).get_page(request.GET.get("page"))
    labels = [
        pgettext("remote batches", "Planned"),
        pgettext("remote batches", "Over"),
        pgettext("remote batches", "All"),
    ]
    context = {
        "page": page,
        "rows": rows_of(request.user, list(page.object_list)),
        "component": component,
        "words": words,
        "show": show,
        "tabs": [(word, label, word == show) for word, label in zip(SHOWN, labels, strict=True)],
        "may_add": scoping.may_somewhere(request.user, PLANNING),
    }
    template = "remote_batches/_list.html" if wants_part(request) else "remote_batches/list.html"
    return render(request, template, context)


def _component(request: HttpRequest) -> Component | None:
    raw = request.GET.get("component", "")
    if not raw:
        return None
    return get_object_or_404(Component.objects.visible_to(request.user), pk=row_id(raw) or 0)


@require_safe
@vary_on_headers("HX-Request")
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one batch: what it orders of whom, what comes next, and what became of each time."""
    found = _visible(request, pk)
    rule = found.rule
    (row,) = rows_of(request.user, [found])
    runs = Paginator(found.runs.select_related("job"), PER_PAGE).get_page(request.GET.get("page"))
    named = found.targets.select_related("component").filter(
        component__in=Component.objects.visible_to(request.user).values("pk")
    )
    context = {
        "batch": found,
        "row": row,
        "rule": rule,
        "state": state_of(found),
        "named": [target.component for target in named[:PER_PAGE]],
        "upcoming": rule_pages.upcoming(rule, _shown_in_zone, UPCOMING),
        "left_out": sorted(day for day in rule.exceptions if day >= timezone.localdate()),
        "page": runs,
        "runs": run_rows(request.user, list(runs.object_list)),
        "may_change": (may_change := remote_batches.may_change(request.user, found)),
        "leaves_out": may_change and found.repeat != Repeat.ONCE,
        "may_run": not remote_batches.lacking(request.user, found.permission, found.target_groups),
    }
    template = "remote_batches/_batch.html" if wants_part(request) else "remote_batches/batch.html"
    return render(request, template, context)


def _shown_in_zone(one: Occurrence, rule: Rule) -> dict[str, Any]:
    """Give a time with what the clock on the wall of its own zone shows."""
    return {"start": one.start, "wall": wall(one.start, zone_named(rule.zone)), "day": one.day}


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Plan a batch: of the components that were chosen in their list or are named in a link, or like another one."""
    if not scoping.may_somewhere(request.user, PLANNING):
        raise PermissionDenied
    source = _visible(request, row_id(request.GET["copy"]) or 0) if request.GET.get("copy") else None
    sent = request.method == "POST" and "starts_at" in request.POST
    if source is not None:
        initial = shown(source)
    else:
        rows = chosen(request.user, request.POST if request.method == "POST" else request.GET)
        initial = offered(list(rows.order_by("name", "pk").values_list("pk", flat=True)[: MOST_TARGETS + 1]))
        initial["order"] = request.GET.get("order", "")
    form = BatchForm(request.POST if sent else None, user=request.user, named=initial["components"], initial=initial)

    def save() -> RemoteBatch:
        made = remote_batches.create(form.plan, Actor.of(request))
        if (counterpart := form.counterpart) is not None:
            other = remote_batches.create(counterpart, Actor.of(request))
            messages.success(request, _("%(name)s was planned, too.") % {"name": other.name})
        return made

    return _answer(request, form, save, {"title": _("Plan a remote batch")}, sent=sent)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a batch; it runs on behalf of whoever saves it."""
    found = _changeable(request, pk)
    initial, sent = shown(found), request.method == "POST"
    form = BatchForm(
        request.POST if sent else None, user=request.user, named=initial["components"], batch=found, initial=initial
    )

    def save() -> RemoteBatch:
        return remote_batches.change(found, form.plan, Actor.of(request))

    context = {"title": _("Change the remote batch %(name)s") % {"name": found.name}, "batch": found}
    return _answer(request, form, save, context, sent=sent)


def _answer(
    request: HttpRequest, form: BatchForm, save: Callable[[], RemoteBatch], context: dict[str, Any], *, sent: bool
) -> HttpResponse:
    status = 200
    if sent and form.is_valid():
        try:
            saved = save()
        except ValidationError as error:
            form.refuse(error)
        except PermissionDenied as error:
            form.add_error(None, str(error))
            status = 403
        else:
            messages.success(request, _("The remote batch was saved."))
            return redirect(saved)
    if form.errors and status == 200:
        status = 400
    return render(request, "remote_batches/form.html", {"form": form, **context}, status=status)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Show what comes next by what stands in the form at the moment."""
    if not scoping.may_somewhere(request.user, PLANNING):
        raise PermissionDenied
    form = BatchForm(request.POST, user=request.user)
    for name in ("name", "order"):
        form.fields[name].required = False
    form.is_valid()
    faults = [sentence for name in form.errors if name in WHEN for sentence in form.errors[name]]
    context = rule_pages.preview(form, faults, _shown_in_zone, lasts=False, most=UPCOMING)
    return render(request, "remote_batches/_preview.html", context)


WHEN = frozenset(
    {
        *("starts_at", "time_zone", "repeat", "every", "weekdays", "monthly", "month_day", "nth", "weekday"),
        *("last_day", "exceptions"),
    }
)


@require_http_methods(["GET", "HEAD", "POST"])
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether to run it now, with what that touches; then order it and go to its job."""
    found = _visible(request, pk)
    if not scoping.may_somewhere(request.user, PLANNING):
        raise PermissionDenied
    asked = Asked(
        request,
        choice_of(found.operation, found.arguments),
        [one for one in remote_batches.targets_of(found)],
        where=reverse("remote_batches:run", args=[found.pk]),
        of=found,
    )
    expect = row_id(request.POST.get("expect", ""))
    return asked.answer(lambda: batch_runs.run_now(found, Actor.of(request), expect))


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Order nothing from now on."""
    found = _changeable(request, pk)
    return _acted(request, found, remote_batches.pause, _("It is paused: nothing is ordered until it is resumed."))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on."""
    found = _changeable(request, pk)
    return _acted(request, found, remote_batches.resume, _("It goes on with what comes next."))


@require_POST
def leave_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave out the run of one day."""
    found, day = _changeable(request, pk), rule_pages.posted_day(request)
    done = _("It is left out on %(day)s.") % {"day": day.isoformat()}
    return _acted(request, found, lambda batch, actor: remote_batches.leave_out(batch, day, actor), done)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the run of one day be again."""
    found, day = _changeable(request, pk), rule_pages.posted_day(request)
    done = _("It is as planned on %(day)s.") % {"day": day.isoformat()}
    return _acted(request, found, lambda batch, actor: remote_batches.take_back(batch, day, actor), done)


def _acted(
    request: HttpRequest, found: RemoteBatch, act: Callable[[RemoteBatch, Actor], Any], done: str
) -> HttpResponse:
    try:
        act(found, Actor.of(request))
        messages.success(request, done)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(found)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a batch."""
    found = _changeable(request, pk)
    remote_batches.remove(found, Actor.of(request))
    messages.success(request, _("The remote batch %(name)s was removed.") % {"name": found.name})
    return redirect("remote_batches:list")


def _visible(request: HttpRequest, pk: int) -> RemoteBatch:
    rows = RemoteBatch.objects.visible_to(request.user).select_related("group", "owner")
    return get_object_or_404(rows, pk=pk)


def _changeable(request: HttpRequest, pk: int) -> RemoteBatch:
    found = _visible(request, pk)
    if not remote_batches.may_change(request.user, found):
        raise PermissionDenied
    return found
