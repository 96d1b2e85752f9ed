"""The page on which is said which manager does what: of one component, and of many from the list."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.shortcuts import redirect as go
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.components.manager_forms import ManagersForm
from apps.components.models import Component
from apps.components.services import managers
from apps.core import scoping
from apps.core.actors import Actor

NAMED = 50


@require_http_methods(["GET", "HEAD", "POST"])
def managers_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask of one component; a link may suggest another manager (``?elsewhere=controller&manager=…``)."""
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "components", component.group_id):
        raise PermissionDenied
    return ask(request, [component], component.get_absolute_url(), component=component)


def ask(
    request: HttpRequest, components: Sequence[Component], back: str, component: Component | None = None
) -> HttpResponse:
    """Show the form, or do what it says and go back."""
    sent = request.method == "POST" and (component is not None or "confirmed" in request.POST)
    present = component.managed_elsewhere if component is not None else None
    form = ManagersForm(request.POST if sent else None, present=present)
    if "elsewhere" in request.GET:
        form.suggest(request.GET["elsewhere"], request.GET.get("manager", ""))
    if sent and form.is_valid():
        try:
            changed = managers.assign(components, form.wishes, Actor.of(request))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            _say(request, changed, component)
            return go(back)
    by_filter = request.POST.get("scope") == "filter"
    context = {
        "form": form,
        "components": components,
        "named": components[:NAMED],
        "more": len(components) - NAMED,
        "component": component,
        "back": back,
        "ids": [] if by_filter else [one.pk for one in components],
        "filter": request.POST.get("filter", ""),
        "scope": "filter" if by_filter else "ids",
        "url": reverse("components:managers", args=[component.pk]) if component else reverse("components:bulk"),
    }
    return render(request, "components/managers.html", context, status=400 if form.errors else 200)


def _say(request: HttpRequest, changed: int, component: Component | None) -> None:
    if component is not None:
        messages.success(request, _("%(name)s was saved.") % {"name": component})
        return
    done = ngettext("%(number)d component was changed.", "%(number)d components were changed.", changed)
    messages.success(request, done % {"number": changed})
