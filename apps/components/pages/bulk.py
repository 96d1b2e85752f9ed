"""What is done to many components at once, from the list: check, collect, suspend, resume, move, managers, remove."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from apps.components import suspend_moves
from apps.components.models import Component
from apps.components.pages import managers, suspend_now
from apps.components.pages.listing import chosen
from apps.components.services import checks, registration
from apps.core.actors import Actor
from apps.core.forms import row_id
from apps.groups.models import Group


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Do one thing to the ticked components, or to all that match the filter."""
    action = BULK.get(request.POST.get("action", ""))
    if action is None:
        messages.error(request, _("Choose what to do."))
        return redirect(_back(request))
    permission, act = action
    wanted = chosen(request.user, request.POST)
    allowed = wanted.visible_to(request.user, permission)
    left_out = wanted.count() - allowed.count()
    if left_out:
        messages.error(
            request,
            ngettext(
                "%(number)d of the components may not be changed by you; nothing was done.",
                "%(number)d of the components may not be changed by you; nothing was done.",
                left_out,
            )
            % {"number": left_out},
        )
        return redirect(_back(request))
    components = list(allowed)
    if not components:
        messages.error(request, _("Tick at least one component."))
        return redirect(_back(request))
    return act(request, components)


def _back(request: HttpRequest) -> str:
    query = request.POST.get("filter", "")
    return reverse("components:list") + (f"?{query}" if query else "")


def _check(request: HttpRequest, components: list[Component]) -> HttpResponse:
    return redirect(checks.check(components, Actor.of(request)))


def _collect(request: HttpRequest, components: list[Component]) -> HttpResponse:
    return redirect(checks.refresh(components, Actor.of(request)))


def _remove(request: HttpRequest, components: list[Component]) -> HttpResponse:
    """Ask first: the page names what goes; only its own button removes."""
    if request.POST.get("confirmed") != "yes":
        context = {"components": components, "filter": request.POST.get("filter", "")}
        return render(request, "components/remove_many.html", context)
    registration.remove(components, Actor.of(request))
    messages.success(
        request,
        ngettext("%(number)d component was removed.", "%(number)d components were removed.", len(components))
        % {"number": len(components)},
    )
    return redirect(_back(request))


def _move(request: HttpRequest, components: list[Component]) -> HttpResponse:
    groups = Group.objects.visible_to(request.user, "components")
    group = groups.filter(pk=row_id(request.POST.get("group", ""))).first()
    if group is None:
        messages.error(request, _("Choose a group that you may change."))
        return redirect(_back(request))
    effects = suspend_moves.effects(components, group, request.user)
    registration.move(components, group, Actor.of(request))
    messages.success(request, _("Moved to %(group)s.") % {"group": group})
    for sentence in effects:
        messages.info(request, sentence)
    return redirect(_back(request))


def _suspend(request: HttpRequest, components: list[Component]) -> HttpResponse:
    return suspend_now.ask(request, components, _back(request))


def _managers(request: HttpRequest, components: list[Component]) -> HttpResponse:
    return managers.ask(request, components, _back(request))


def _resume(request: HttpRequest, components: list[Component]) -> HttpResponse:
    suspend_now.resume_many(request, components)
    return redirect(_back(request))


BULK: Mapping[str, tuple[str, Callable[[HttpRequest, list[Component]], HttpResponse]]] = {
    "check": ("check", _check),
    "collect": ("check", _collect),
    "suspend": ("suspend", _suspend),
    "resume": ("suspend", _resume),
    "move": ("components", _move),
    "managers": ("components", _managers),
    "remove": ("components", _remove),
}
