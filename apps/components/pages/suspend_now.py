"""Suspending components from now on, and resuming them: of one component, and of many from the list."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from apps.components.models import Component
from apps.components.services import suspend_periods
from apps.components.suspend_forms import SuspendForm
from apps.core import scoping
from apps.core.actors import Actor

NAMED = 5


def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why and for how long, then suspend one component."""
    component = _changeable(request, pk)
    return ask(request, [component], component.get_absolute_url(), component=component)


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """End what suspends one component of its own."""
    component = _changeable(request, pk)
    resume_many(request, [component])
    return redirect(component)


def ask(
    request: HttpRequest, components: Sequence[Component], back: str, component: Component | None = None
) -> HttpResponse:
    """Show the form, or do what it says and go back."""
    sent = request.method == "POST" and (component is not None or "confirmed" in request.POST)
    form = SuspendForm(request.POST if sent else None)
    if sent and form.is_valid():
        given, zone = form.cleaned_data, str(timezone.get_current_timezone())
        try:
            suspend_periods.suspend(components, given["name"], Actor.of(request), given["ends_at"], zone)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            number = len(components)
            done = ngettext("%(number)d component is suspended.", "%(number)d components are suspended.", number)
            messages.success(request, done % {"number": number})
            return redirect(back)
    by_filter = request.POST.get("scope") == "filter"
    context = {
        "form": form,
        "components": components,
        "named": components[:50],
        "more": len(components) - 50,
        "component": component,
        "back": back,
        "ids": [] if by_filter else [one.pk for one in components],
        "filter": request.POST.get("filter", ""),
        "scope": "filter" if by_filter else "ids",
        "url": reverse("components:suspend", args=[component.pk]) if component else reverse("components:bulk"),
    }
    return render(request, "suspend_periods/suspend.html", context, status=400 if form.errors else 200)


def resume_many(request: HttpRequest, components: Sequence[Component]) -> None:
    """Resume components, and say which a group keeps suspended nevertheless."""
    still = suspend_periods.resume(components, Actor.of(request))
    number = len(components) - len(still)
    if number:
        done = ngettext(
            "%(number)d component is not suspended any more.", "%(number)d are not suspended any more.", number
        )
        messages.success(request, done % {"number": number})
    for one in still[:NAMED]:
        sentence = _("%(component)s stays suspended by its group: %(name)s.")
        messages.warning(request, sentence % {"component": one, "name": one.suspension or ""})
    more = len(still) - NAMED
    if more > 0:
        sentence = ngettext("So does %(number)d more.", "So do %(number)d more.", more)
        messages.warning(request, sentence % {"number": more})


def _changeable(request: HttpRequest, pk: int) -> Component:
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "suspend", component.group_id):
        raise PermissionDenied
    return component
