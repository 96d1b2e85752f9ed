"""The console of a component in the browser, its transcripts, and the way to its controller's own page.

``attach`` is where a page's WebSocket comes in: the relay asks it by an ordinary request, so that whoever opens a
console goes through everything that a page goes through, and asks again while it is open.
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from apps.components.models import Component, ManagementInterface
from apps.control.consoles.relay import RELAYED
from apps.control.models import ConsoleSession
from apps.control.services import consoles, own_pages, targets
from apps.core import audit, options, scoping
from apps.core.actors import Actor
from apps.core.sent_file import file_response
from apps.core.writes import turn
from apps.drivers.contract import Capability

PERMISSION = consoles.OPENING
SHOWN = 12  # transcripts beside the terminal


@dataclass(frozen=True, slots=True)
class Way:
    """One interface by which the component has a console."""

    interface: ManagementInterface
    chosen: bool


@require_safe
def console(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the terminal."""
    component = _component(request, pk)
    ways = _ways(component)
    if not ways:
        raise Http404
    interface = _chosen(request, ways)
    sessions = ConsoleSession.objects.visible_to(request.user).filter(component=component)
    context = {
        "component": component,
        "interface": interface,
        "ways": [Way(one, one == interface) for one in ways] if len(ways) > 1 else [],
        "sessions": sessions.order_by("-opened_at", "-pk")[:SHOWN],
        "kept_days": options.get("console_transcript_days"),
        "keeps": options.get("console_transcript_size") > 0,
        "own_page": own_pages.of(component),
        "texts": _texts(),
    }
    return render(request, "control/console.html", context)


def _texts() -> dict[str, str]:
    """Give the sentences that the page's script says, in the reader's language."""
    return {
        "opening": _("Connecting"),
        "open": _("Connected"),
        "watching": _("Connected, watching"),
        "ended": _("Not connected"),
        "free": _("Nobody has the keyboard."),
        "takeFree": _("Take the keyboard"),
        "held": _("%(name)s has the keyboard. You are watching."),
        "take": _("Take over"),
        "takeSure": _("%(name)s is typing here. Taking over tells %(name)s, and it is recorded."),
        "taken": _("%(name)s has taken over the keyboard."),
        "mayNot": _("Only an administrator may take over the keyboard from %(name)s."),
        "tooFast": _("Too much waits to be sent; what was typed or pasted last was left out."),
        "off": _("The machine takes no characters at the moment; it may be off."),
        "inUse": _("Another program has this console open."),
        "takeOther": _("Take it from the other program"),
        "takeOtherSure": _("What the other program has open is ended without a question, and it is recorded."),
        "closed": _("The console was closed."),
        "left": _("The console was closed because everybody had left."),
        "idle": _("The console was closed because nobody typed for some time."),
        "failed": _("The console could not be opened."),
        "lost": _("The connection to the controller was lost."),
        "stopped": _("The portal was stopped."),
        "away": _("The connection to the portal was lost."),
        "refused": _("The portal does not let you open this console."),
        "idleSoon": _("Closes in %(seconds)s s unless somebody types"),
        "you": _("you"),
        "holder": pgettext("console", "Holder"),
        "watches": _("watching"),
        "typed": _("typed at %(time)s"),
        "since": _("since %(time)s"),
        "full": _("The transcript has reached its largest size; nothing more is recorded."),
        "copied": _("Copied"),
        "nothingMarked": _("Mark something in the terminal first."),
        "bits": _("%(speed)s bit/s"),
    }


@require_safe
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody's WebSocket in, or not; by any other way there is nothing here."""
    if not getattr(request, "scope", {}).get(RELAYED):
        raise Http404
    component = _component(request, pk)
    if request.headers.get("Origin") != f"{request.scheme}://{request.get_host()}":
        audit.record_refusal(Actor.of(request), "console.open", name=str(component))
        raise PermissionDenied
    ways = _ways(component)
    if not ways:
        raise Http404
    user: Any = request.user
    return JsonResponse(
        {
            "interface": _chosen(request, ways).pk,
            "language": translation.get_language(),
            "person": {
                "user_id": user.pk,
                "name": user.get_username(),
                "address": request.META.get("REMOTE_ADDR"),
                "request": f"WebSocket {request.path}"[:200],
                "may_force": scoping.may(user, "force", component.group_id),
                "may_take_over": scoping.may(user, consoles.TAKING_OVER, component.group_id),
            },
        }
    )


@require_safe
def transcript(request: HttpRequest, console: int) -> HttpResponseBase:
    """Give what a machine said on its console, as a file; who took it is written down."""
    session = get_object_or_404(ConsoleSession.objects.visible_to(request.user).select_related("component"), pk=console)
    if not scoping.may(request.user, PERMISSION, session.component.group_id):
        raise PermissionDenied
    found = consoles.fetch_transcript(session, Actor.of(request))
    if found is None:
        raise Http404
    return file_response(request, found.name, found.kind, found.parts)


@require_safe
def own_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the controller's own page, and write down who went there."""
    component = _component(request, pk)
    address = own_pages.of(component)
    if address is None:
        raise Http404
    with turn():
        audit.record(Actor.of(request), "console.own_page", component, after={"address": address})
    return HttpResponseRedirect(address, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _component(request: HttpRequest, pk: int) -> Component:
    """Give the component, to who may open its console."""
    component = get_object_or_404(Component.objects.visible_to(request.user).select_related("group"), pk=pk)
    if not scoping.may(request.user, PERMISSION, component.group_id):
        raise PermissionDenied(_("You may not open consoles here."))
    return component


def _ways(component: Component) -> list[ManagementInterface]:
    """Give its interfaces that have a console, the first one first."""
    drivers = targets.drivers_with(Capability.CONSOLE)
    return list(component.interfaces.filter(enabled=True, driver__in=drivers).order_by("pk"))


def _chosen(request: HttpRequest, ways: list[ManagementInterface]) -> ManagementInterface:
    wanted = request.GET.get("interface", "")
    return next((one for one in ways if str(one.pk) == wanted), ways[0])
