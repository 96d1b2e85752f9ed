"""The pages of suspend periods: the list, one period with what comes next, its form, and what can be done with it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component, SuspendPeriod
from apps.components.services import suspend_periods
from apps.components.services.suspend_periods import Saved
from apps.components.suspend_forms import PeriodForm, offered, shown
from apps.components.suspend_views import applying_to, rows_of
from apps.core import rule_pages, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import row_id
from apps.core.htmx import wants_part
from apps.core.recurrence import Occurrence, Rule, wall, zone_named
from apps.groups.models import Group
from apps.groups.services import topmost_group

PER_PAGE = 50
NAMED = 5
SHOWN = ("lasting", "over", "all")


@require_safe
@vary_on_headers("HX-Request")
def period_list(request: HttpRequest) -> HttpResponse:
    """Show the suspend periods that the user may see, or all that reach one component or group."""
    component, group = _asked(request, Component, "component"), _asked(request, Group, "group")
    target = component or group
    found = applying_to(target) if target is not None else SuspendPeriod.objects.visible_to(request.user)
    words, show = request.GET.get("q", "").replace("\x00", "").strip()[:200], request.GET.get("show", "")
    show = show if show in SHOWN else SHOWN[0]
    if words:
        found = found.filter(name__icontains=words)
    if show != "all":
        found = found.filter(upcoming_from__isnull=show == "over")
    page = Paginator(found.select_related("component", "group").soonest_first(), PER_PAGE).get_page(
        request.GET.get("page")
    )
    tree = Group.objects.visible_to(request.user).tree()
    context = {
        "page": page,
        "rows": rows_of(request.user, list(page.object_list), tree),
        "component": component,
        "group": group,
        "target": tree.path_name(group.pk) if group is not None else component,
        "words": words,
        "show": show,
        "tabs": [(word, label, word == show) for word, label in zip(SHOWN, _tab_labels(), strict=True)],
        "may_add": _may(request.user, target),
    }
    template = "suspend_periods/_list.html" if wants_part(request) else "suspend_periods/list.html"
    return render(request, template, context)


def _tab_labels() -> list[str]:
    return [
        pgettext("suspend periods", "Current and planned"),
        pgettext("suspend periods", "Over"),
        pgettext("suspend periods", "All"),
    ]


def _asked(request: HttpRequest, model: type[Any], name: str) -> Any:
    """Give the component or group that the address names; 404 when it is not visible."""
    raw = request.GET.get(name, "")
    if not raw:
        return None
    return get_object_or_404(model.objects.visible_to(request.user), pk=row_id(raw) or 0)


def _may(user: Any, target: Component | Group | None) -> bool:
    if target is None:
        return scoping.may_somewhere(user, "suspend")
    return scoping.may(user, "suspend", target.group_id if isinstance(target, Component) else target.pk)


@require_safe
@vary_on_headers("HX-Request")
def period(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one period: when, whom it reaches, what comes next and what was left out."""
    found = _visible(request, pk)
    rule, now, tree = found.rule, timezone.now(), Group.objects.visible_to(request.user).tree()
    reached = Component.objects.visible_to(request.user)
    if found.component_id is not None:
        reached = reached.filter(pk=found.component_id)
    else:
        reached = reached.filter(group__in=Group.objects.all().tree().subtree(found.group_id or 0))
    (row,) = rows_of(request.user, [found], tree)
    context = {
        "period": found,
        "row": row,
        "rule": rule,
        "upcoming": rule_pages.upcoming(rule, _shown_in_zone),
        "chosen": _day(request.GET.get("day", "")),
        "left_out": [(day, rule.cut.get(day)) for day in sorted(rule.exceptions | rule.cut.keys(), reverse=True)],
        "reached": reached.count(),
        "now": now,
        "may_change": scoping.may(request.user, "suspend", found.group_in_charge),
    }
    template = "suspend_periods/_period.html" if wants_part(request) else "suspend_periods/period.html"
    return render(request, template, context)


def _shown_in_zone(one: Occurrence, rule: Rule) -> dict[str, Any]:
    """Give an occurrence with what the clock on the wall of its own zone shows."""
    zone = zone_named(rule.zone)
    return {
        "day": one.day,
        "start": one.start,
        "end": one.end,
        "lasts": one.end - one.start if one.end is not None else None,
        "wall_start": wall(one.start, zone),
        "wall_end": wall(one.end, zone) if one.end is not None else None,
    }


def add(request: HttpRequest) -> HttpResponse:
    """Plan a period, of the component or group that the address names, or like another one."""
    if not scoping.may_somewhere(request.user, "suspend"):
        raise PermissionDenied
    source = _visible(request, row_id(request.GET["copy"]) or 0) if request.GET.get("copy") else None
    component = source.component if source is not None else _asked(request, Component, "component")
    if component is not None and not _may(request.user, component):
        raise PermissionDenied
    initial = shown(source) if source is not None else offered()
    if component is None and not initial.get("group"):
        initial["group"] = _asked(request, Group, "group") or topmost_group(request.user, "suspend")
    form = PeriodForm(request.POST or None, user=request.user, with_group=component is None, initial=initial)

    def save() -> Saved:
        given = form.cleaned_data
        target = component or given["group"]
        return suspend_periods.create(target, given["name"], form.rule, Actor.of(request), given["enabled"])

    return _answer(request, form, save, {"title": _("Plan a suspend period"), "component": component})


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a period; whom it suspends stays as it is."""
    found = _changeable(request, pk)
    form = PeriodForm(request.POST or None, user=request.user, with_group=False, initial=shown(found))

    def save() -> Saved:
        given = form.cleaned_data
        return suspend_periods.change(
            found, Actor.of(request), name=given["name"], rule=form.rule, enabled=given["enabled"]
        )

    context = {"title": _("Change the suspend period %(name)s") % {"name": found.name}, "period": found}
    return _answer(request, form, save, context | {"component": found.component})


def _answer(request: HttpRequest, form: PeriodForm, save: Callable[[], Saved], context: dict[str, Any]) -> HttpResponse:
    saved: list[Saved] = []
    if request.method == "POST" and form.is_valid():
        try:
            form.attempt(lambda: saved.append(save()))
        except Conflict as conflict:
            form.add_error(None, str(conflict))
    if saved:
        messages.success(request, _("The suspend period was saved."))
        _say_replaced(request, saved[0])
        return redirect(saved[0].period)
    status = 400 if form.errors else 200
    return render(request, "suspend_periods/form.html", {"form": form, **context}, status=status)


def _say_replaced(request: HttpRequest, saved: Saved) -> None:
    """Name what the group's schedule made superfluous on components."""
    for one in saved.replaced[:NAMED]:
        sentence = _("%(name)s was removed from %(component)s: its group has the same schedule now.")
        messages.info(request, sentence % {"name": one.name, "component": one.component})
    more = len(saved.replaced) - NAMED
    if more > 0:
        sentence = ngettext(
            "So was the schedule of %(number)d component more.", "So were those of %(number)d components more.", more
        )
        messages.info(request, sentence % {"number": more})


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Show what comes next by what stands in the form at the moment."""
    if not scoping.may_somewhere(request.user, "suspend"):
        raise PermissionDenied
    form = PeriodForm(request.POST, user=request.user, with_group=False)
    form.fields["name"].required = False
    form.is_valid()
    faults = [sentence for sentences in form.errors.values() for sentence in sentences]
    context = rule_pages.preview(form, faults, _shown_in_zone)
    return render(request, "suspend_periods/_preview.html", context)


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a period on or off."""
    found = _changeable(request, pk)

    def act() -> str:
        saved = suspend_periods.change(found, Actor.of(request), enabled=not found.enabled)
        _say_replaced(request, saved)
        return _("It is switched on.") if saved.period.enabled else _("It is switched off.")

    return _acted(request, found, act)


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End what is in force now."""
    found = _changeable(request, pk)

    def act() -> str:
        suspend_periods.end_early(found, Actor.of(request))
        return _("It has ended. What happens now is told again.")

    return _acted(request, found, act)


@require_POST
def leave_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave one occurrence out."""
    found, day = _changeable(request, pk), rule_pages.posted_day(request)

    def act() -> str:
        suspend_periods.leave_out(found, day, Actor.of(request))
        return _("It is left out on %(day)s.") % {"day": day.isoformat()}

    return _acted(request, found, act)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an occurrence be again that was left out or ended early."""
    found, day = _changeable(request, pk), rule_pages.posted_day(request)

    def act() -> str:
        suspend_periods.take_back(found, day, Actor.of(request))
        return _("It is as planned on %(day)s.") % {"day": day.isoformat()}

    return _acted(request, found, act)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a period."""
    found = _changeable(request, pk)
    suspend_periods.remove(found, Actor.of(request))
    messages.success(request, _("The suspend period %(name)s was removed.") % {"name": found.name})
    return redirect("suspend_periods:list")


def _acted(request: HttpRequest, found: SuspendPeriod, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(found)


def _visible(request: HttpRequest, pk: int) -> SuspendPeriod:
    rows = SuspendPeriod.objects.visible_to(request.user).select_related("component", "group")
    return get_object_or_404(rows, pk=pk)


def _changeable(request: HttpRequest, pk: int) -> SuspendPeriod:
    found = _visible(request, pk)
    if not scoping.may(request.user, "suspend", found.group_in_charge):
        raise PermissionDenied
    return found


def _day(raw: str) -> date | None:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        return None
