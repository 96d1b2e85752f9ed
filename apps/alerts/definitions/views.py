"""The pages of alert definitions."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.alerts.definitions import listing
from apps.alerts.definitions.forms import FIELD_OF, ORDERS, STATES, DefinitionForm, ImportForm, ListForm
from apps.alerts.models import Alert, AlertDefinition, Severity
from apps.alerts.services import catalogue, definitions, drafting, importing, reapplying
from apps.alerts.services.files import dump
from apps.alerts.services.importing import Outcome
from apps.alerts.services.preview import Preview, preview
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import row_id
from apps.core.htmx import wants_part

WORD = "definitions"


def _require_reading(request: HttpRequest) -> None:
    if not scoping.may_somewhere(request.user, "view"):
        raise PermissionDenied


def _require_writing(request: HttpRequest) -> None:
    if not scoping.may(request.user, WORD):
        raise PermissionDenied


@require_safe
def definition_list(request: HttpRequest) -> HttpResponse:
    """Show the definitions, what was not recognised, and which stand in each other's way."""
    _require_reading(request)
    wanted = ListForm(request.GET).wanted
    rows = listing.rows_of(request.user, wanted)
    every = AlertDefinition.objects
    may_change = scoping.may(request.user, WORD)
    context = {
        "page": Paginator(rows, listing.PER_PAGE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "total": every.count(),
        "own": every.own().count(),
        "severities": Severity.choices,
        "families": listing.families(),
        "states": STATES,
        "orders": ORDERS,
        "may_change": may_change,
        "unknown": listing.unknown_to(request.user),
        "unmatched": listing.seen_by(request.user).get(None, 0),
        "doubles": definitions.doubles() if may_change else [],
    }
    template = "definitions/_table.html" if wants_part(request) else "definitions/list.html"
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
def definition(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a definition, try a draft of it on the last week, or save it."""
    _require_reading(request)
    found = get_object_or_404(AlertDefinition, pk=pk)
    if request.method == "POST":
        _require_writing(request)
    raised = not found.trap_oid
    initial = DefinitionForm.initial_of(found)
    form = DefinitionForm(request.POST or None, initial=initial, raised=raised)

    def save(fields: dict[str, Any]) -> AlertDefinition:
        return definitions.change(found, fields, Actor.of(request))

    return _answer(request, form, save, found)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make a definition, from nothing or from an alert that nothing explains."""
    _require_writing(request)
    alert = _alert_of(request)
    proposed = (
        AlertDefinition(**drafting.from_alert(alert)) if alert is not None else AlertDefinition(severity="warning")
    )
    form = DefinitionForm(request.POST or None, initial=DefinitionForm.initial_of(proposed))

    def save(fields: dict[str, Any]) -> AlertDefinition:
        return definitions.create(fields, Actor.of(request))

    return _answer(request, form, save, None, alert)


def _alert_of(request: HttpRequest) -> Alert | None:
    """Give the alert that a definition is made from; 404 when it is not visible."""
    raw = request.GET.get("alert")
    if raw is None:
        return None
    return get_object_or_404(Alert.objects.visible_to(request.user).exclude(trap_oid=""), pk=row_id(raw) or 0)


def _answer(
    request: HttpRequest,
    form: DefinitionForm,
    save: Callable[[dict[str, Any]], AlertDefinition],
    found: AlertDefinition | None,
    alert: Alert | None = None,
) -> HttpResponse:
    """Show the form, try what it holds, or save it; what the services refuse stands at its field."""
    replayed: Preview | None = None
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                if "try" in request.POST:
                    replayed = preview(drafting.draft_of(form.wanted, found), request.user)
                    status = 200
                else:
                    saved = save(form.wanted)
                    messages.success(request, _("The definition was saved. New alerts follow it within 5 seconds."))
                    return redirect(saved)
            except ValidationError as error:
                _show(form, error)
    context = _context(request, form, found, alert, replayed)
    trying = wants_part(request) and "try" in request.POST
    template = "definitions/_replay.html" if trying else "definitions/definition.html"
    return render(request, template, context, status=status)


def _show(form: DefinitionForm, error: ValidationError) -> None:
    faults = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for name, sentences in faults.items():
        shown = FIELD_OF.get(name, name)
        form.add_error(shown if shown in form.fields else None, ValidationError(sentences))


def _context(
    request: HttpRequest,
    form: DefinitionForm,
    found: AlertDefinition | None,
    alert: Alert | None,
    replayed: Preview | None,
) -> dict[str, Any]:
    others = [double for double in definitions.doubles() if found in (double.decides, *double.others)] if found else []
    return {
        "form": form,
        "definition": found,
        "alert": alert,
        "replayed": replayed,
        "may_change": scoping.may(request.user, WORD),
        "seen": listing.seen_by(request.user).get(found.pk, 0) if found else 0,
        "changed": AlertDefinition.labels(found.changes) if found else [],
        "doubles": others,
        "product_first": bool(found) and any(_is_product_first(oid) for oid in found.oids) if found else False,
        "partners": catalogue.current().ended_by(found) if found else [],
    }


def _is_product_first(oid: str) -> bool:
    return any(oid.startswith(f"{enterprise}.") for enterprise in catalogue.PRODUCT_FIRST)


@require_POST
def enabled(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a definition on or off."""
    _require_writing(request)
    found = get_object_or_404(AlertDefinition, pk=pk)
    on = request.POST.get("enabled") == "1"
    definitions.set_enabled(found, on, Actor.of(request))
    said = _("The definition is switched on.") if on else _("The definition is switched off: its alerts are not shown.")
    messages.success(request, said)
    return redirect(found)


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a shipped definition as it came."""
    _require_writing(request)
    found = get_object_or_404(AlertDefinition, pk=pk)
    _attempt(request, lambda: definitions.restore(found, Actor.of(request)), _("The definition is as it came."))
    return redirect(found)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a definition of one's own."""
    _require_writing(request)
    found = get_object_or_404(AlertDefinition, pk=pk)
    said = _("The definition %(name)s was removed.") % {"name": found}
    if _attempt(request, lambda: definitions.remove(found, Actor.of(request)), said):
        return redirect("definitions:list")
    return redirect(found)


@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the stored alerts of the last week understood anew, as a job."""
    _require_writing(request)
    found = get_object_or_404(AlertDefinition, pk=pk)
    return redirect(reapplying.order(found, Actor.of(request)))


@require_POST
def settle(request: HttpRequest) -> HttpResponse:
    """Settle two definitions of one trap: merge them, or switch one off."""
    _require_writing(request)
    ids = [row_id(request.POST.get(name, "")) or 0 for name in ("kept", "goes")]
    kept, goes = (get_object_or_404(AlertDefinition, pk=pk) for pk in ids)
    if request.POST.get("how") == "merge":
        _attempt(
            request,
            lambda: definitions.merge(kept, goes, Actor.of(request)),
            _("%(kept)s took over what %(goes)s says.") % {"kept": kept, "goes": goes},
        )
        return redirect(kept)
    definitions.set_enabled(goes, False, Actor.of(request))
    messages.success(request, _("%(goes)s is switched off, %(kept)s decides.") % {"kept": kept, "goes": goes})
    return redirect("definitions:list")


def _attempt(request: HttpRequest, act: Callable[[], Any], said: str) -> bool:
    """Do it and say so, or say why not."""
    try:
        act()
    except Conflict as conflict:
        messages.error(request, str(conflict))
        return False
    messages.success(request, said)
    return True


@require_http_methods(["GET", "POST"])
def take(request: HttpRequest) -> HttpResponse:
    """Show what would come of a file of definitions, then take it."""
    _require_writing(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    plan = None
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            source, title = form.cleaned_data["source"], form.cleaned_data["title"]
            try:
                if "take" in request.POST:
                    plan = importing.take(source, Actor.of(request), request.POST.get("title", "") or title)
                    said = _("%(new)s definitions were made, %(changed)s changed.")
                    counts = {"new": plan.count(Outcome.NEW), "changed": plan.count(Outcome.CHANGED)}
                    messages.success(request, said % counts)
                    return redirect("definitions:list")
                plan = importing.plan(source, title)
                status = 200
            except ValidationError as error:
                form.add_error(None, error)
    context: dict[str, Any] = {"form": form, "plan": plan}
    if plan is not None:
        context |= {"source": form.cleaned_data["source"], "title": form.cleaned_data["title"]}
        context["counts"] = {outcome.value: plan.count(outcome) for outcome in Outcome}
    return render(request, "definitions/import.html", context, status=status)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give definitions as a file that can be imported: all, users' own and changed ones, or one."""
    _require_reading(request)
    every = AlertDefinition.objects.order_by("key")
    key = request.GET.get("key")
    if key is not None:
        chosen = list(every.filter(key=key))
        if not chosen:
            raise Http404
        name = key
    elif request.GET.get("which") == "own":
        chosen, name = [row for row in every if row.is_own or row.changes], "own"
    else:
        chosen, name = list(every), "all"
    answer = HttpResponse(dump(chosen), content_type="application/yaml; charset=utf-8")
    day = timezone.localdate().isoformat()
    answer["Content-Disposition"] = f'attachment; filename="alert-definitions-{name}-{day}.yaml"'
    return answer
