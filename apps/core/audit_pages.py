"""The pages of the audit: the list with its filters, one entry in the drawer, the chain's badge, the export."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.core import audit_words, scoping
from apps.core.actors import Actor, ActorKind
from apps.core.audit import badge, export, listing
from apps.core.audit.differences import differences
from apps.core.audit_forms import AuditListForm
from apps.core.htmx import wants_part
from apps.core.models import AuditEntry, Outcome
from apps.core.objects import link_to

PER_PAGE = 50
STATES = {Outcome.SUCCESS: "done", Outcome.REFUSED: "warning", Outcome.FAILED: "failed"}
KIND_ICONS = {
    ActorKind.USER: "user",
    ActorKind.TOKEN: "key",
    ActorKind.COMMAND: "terminal-2",
    ActorKind.SCHEDULE: "clock",
    ActorKind.SYSTEM: "settings",
}


@require_safe
@vary_on_headers("HX-Request")
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show what was done, newest first."""
    template = "audit/_entries.html" if wants_part(request) else "audit/list.html"
    return render(request, template, _list(request))


@require_safe
@vary_on_headers("HX-Request")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one entry in the drawer; by its own address with the list behind it."""
    _may_read(request)
    context = _details(request, get_object_or_404(AuditEntry.objects.visible_to(request.user), pk=pk))
    if wants_part(request):
        return render(request, "audit/_entry.html", context)
    return render(request, "audit/list.html", {**_list(request), **context})


@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """Say how the chain is, for a page that waits for a check."""
    _may_read(request)
    return render(request, "audit/_chain.html", {"chain": badge.of_chain()})


@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Have the whole chain walked through, from the beginning."""
    if not scoping.may(request.user, "audit"):
        raise PermissionDenied
    badge.look_now()
    if wants_part(request):
        return render(request, "audit/_chain.html", {"chain": badge.of_chain()})
    return HttpResponseRedirect(reverse("audit:list"))


@require_safe
def export_file(request: HttpRequest) -> StreamingHttpResponse:
    """Give the entries that the list shows with these filters, all of its pages."""
    _may_read(request)
    kind = request.GET.get("format", export.CSV)
    if kind not in export.KINDS:
        raise Http404
    asked = _changed(request.GET, format=None, before=None)
    return export.answer(request, request.user, AuditListForm(request.GET).wanted, kind, Actor.of(request), asked)


def _may_read(request: HttpRequest) -> None:
    if not scoping.may_somewhere(request.user, "audit"):
        raise PermissionDenied


def _list(request: HttpRequest) -> dict[str, Any]:
    _may_read(request)
    wanted = AuditListForm(request.GET).wanted
    before = wanted.get("before")
    piece = listing.stretch(request.user, wanted, before, PER_PAGE)
    here = _changed(request.GET)
    return {
        "rows": [_row(one) for one in piece.entries],
        "older": _changed(request.GET, before=piece.older) if piece.older is not None else "",
        "searched_to": piece.searched_to,
        "newest": before is None,
        "here": here,
        "query": _changed(request.GET, before=None),
        "wanted": wanted,
        "chips": _chips(request.GET, wanted),
        "families": _choices(audit_words.family_words(), wanted.get("family")),
        "acts": sorted(_choices(audit_words.act_words(), wanted.get("action")), key=lambda one: one[1]),
        "periods": [(name, one[0], name == wanted.get("period")) for name, one in listing.PERIODS.items()],
        "kinds": [(value, label, value in wanted.get("kind", ())) for value, label in ActorKind.choices],
        "outcomes": [(value, label, value in wanted.get("outcome", ())) for value, label in Outcome.choices],
        "chain": badge.of_chain() if not wants_part(request) else None,
        "may_verify": scoping.may(request.user, "audit"),
    }


def _row(one: AuditEntry) -> dict[str, Any]:
    return {
        "entry": one,
        "state": STATES[Outcome(one.outcome)],
        "act": audit_words.act(one.action),
        "icon": audit_words.icon_of(one.family),
        "object_kind": audit_words.kind_of_object(one.object_type) if one.object_type else "",
        "kind_icon": KIND_ICONS.get(ActorKind(one.actor_kind), "user"),
        "differs": bool(one.before and one.after),
        "told": bool(one.before or one.after),
    }


def _details(request: HttpRequest, found: AuditEntry) -> dict[str, Any]:
    facts = {"before": found.before, "after": found.after}
    before = AuditEntry.objects.filter(sequence=(found.sequence or 0) - 1).values_list("digest", flat=True).first()
    return {
        **_row(found),
        "differences": differences(found.before, found.after),
        "raw": json.dumps(facts, ensure_ascii=False, indent=2),
        "object_link": link_to(found.object_type, found.object_id, request.user),
        "user_link": link_to("accounts.user", found.user_id, request.user),
        "group_link": link_to("groups.group", found.group, request.user),
        "former_group_link": link_to("groups.group", found.former_group, request.user),
        "previous": before,
        "same_object": _changed(QueryDict(mutable=True), object_type=found.object_type, object_id=found.object_id),
        "same_who": _changed(QueryDict(mutable=True), who=found.login),
        "here": _changed(request.GET),
    }


def _chips(query: QueryDict, wanted: listing.Wanted) -> list[tuple[str, str]]:
    """Give the label of each filter in force, and the query that has all but it."""
    found: list[tuple[str, str]] = []

    def add(name: str, label: str, *also: str) -> None:
        found.append((label, _changed(query, **dict.fromkeys((name, *also, "before")))))

    if "q" in wanted:
        add("q", _("Words: %(words)s") % {"words": wanted["q"]})
    if "who" in wanted:
        add("who", _("Who: %(name)s") % {"name": wanted["who"]})
    if "kind" in wanted:
        add("kind", ", ".join(str(ActorKind(one).label) for one in wanted["kind"]))
    if "family" in wanted:
        add("family", audit_words.family(wanted["family"]))
    if "action" in wanted:
        add("action", audit_words.act(wanted["action"]))
    if "object_type" in wanted or "object_id" in wanted:
        kind = audit_words.kind_of_object(wanted.get("object_type", ""))
        add("object_type", _("Object: %(object)s") % {"object": f"{kind} {wanted.get('object_id', '')}"}, "object_id")
    if "outcome" in wanted:
        add("outcome", ", ".join(str(Outcome(one).label) for one in wanted["outcome"]))
    if "address" in wanted:
        add("address", _("Address: %(address)s") % {"address": wanted["address"]})
    if "period" in wanted:
        add("period", str(listing.PERIODS[wanted["period"]][0]))
        return found
    for name, sentence in (("from", _("From %(time)s")), ("to", _("Until %(time)s"))):
        if name in wanted:
            add(name, sentence % {"time": f"{timezone.localtime(wanted[name]):%Y-%m-%d %H:%M}"})
    return found


def _choices(words: Any, chosen: Any) -> list[tuple[str, str, bool]]:
    return [(value, str(label), value == chosen) for value, label in words.items()]


def _changed(query: QueryDict, **values: Any) -> str:
    """Write a query in which some values are others; None takes them out."""
    changed = query.copy()
    for name, value in values.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
    return changed.urlencode()
