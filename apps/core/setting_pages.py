"""The environment settings: every option by its section, set and reset one by one, with who changed it and when."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.core import audit_words, options, scoping
from apps.core.actors import Actor
from apps.core.htmx import wants_part
from apps.core.models import OptionValue
from apps.core.option_forms import OptionForm
from apps.core.options import Option

MOST_ACTS = 100  # of the history of one option


@dataclass(frozen=True, slots=True)
class Row:
    """An option as its line shows it."""

    option: Option
    form: OptionForm
    default: str
    stored: OptionValue | None
    warning: str
    hidden: bool  # a secret that is set, and not shown unless somebody asks
    done: str = ""  # what has just become of it

    @property
    def can_reset(self) -> bool:
        """Say whether there is a value to take back."""
        return self.stored is not None and not self.option.read_only


@dataclass(frozen=True, slots=True)
class Section:
    """Options that belong together, as far as they are asked for."""

    key: str
    label: str
    rows: list[Row]


@require_safe
@vary_on_headers("HX-Request")
def setting_list(request: HttpRequest) -> HttpResponse:
    """Show the options that are asked for."""
    _require_settings(request)
    return render(request, "settings/list.html", _list(request))


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def setting(request: HttpRequest, name: str) -> HttpResponse:
    """Show one option, a secret one with its value; or set it. Whatever is typed elsewhere on the page stays."""
    option = _found(request, name)
    if request.method != "POST":
        options.note_reading([option], Actor.of(request))
        return _answer(request, _row(option, options.stored(), asked_for=True))
    form = OptionForm(option, request.POST)
    if not form.save(Actor.of(request)):
        return _answer(request, _row(option, options.stored(), form), status=400)
    return _done(request, option, _("Saved."))


@require_POST
def reset(request: HttpRequest, name: str) -> HttpResponse:
    """Set one option back to its default."""
    option = _found(request, name)
    form = OptionForm(option, {"value": options.shown(option.default)})
    if not form.reset(Actor.of(request)):
        return _answer(request, _row(option, options.stored(), form), status=400)
    return _done(request, option, _("Set back to the default."))


@require_safe
@vary_on_headers("HX-Request")
def history(request: HttpRequest, name: str) -> HttpResponse:
    """Show who set an option when, and to what; by its own address with the list behind it."""
    option = _found(request, name)
    acts = [
        (entry, audit_words.act(entry.action), _value_of(entry.before), _value_of(entry.after))
        for entry in options.history(option)[: MOST_ACTS + 1]
    ]
    context = {
        "option": option,
        "acts": acts[:MOST_ACTS],
        "more": len(acts) > MOST_ACTS,
        "object_type": OptionValue._meta.label_lower,
        "may_audit": scoping.may(request.user, "audit"),
    }
    if wants_part(request):
        return render(request, "settings/_history.html", context)
    return render(request, "settings/list.html", {**_list(request), **context})


def _require_settings(request: HttpRequest) -> None:
    if not scoping.may(request.user, "settings"):
        raise PermissionDenied


def _found(request: HttpRequest, name: str) -> Option:
    _require_settings(request)
    try:
        return options.find(name)
    except KeyError as error:
        raise Http404 from error


def _done(request: HttpRequest, option: Option, done: str) -> HttpResponse:
    if wants_part(request):
        return render(request, "settings/_option.html", {"row": _row(option, options.stored(), done=done)})
    messages.success(request, done)
    return HttpResponseRedirect(f"{reverse('settings:list')}#{option.name}")


def _answer(request: HttpRequest, row: Row, status: int = 200) -> HttpResponse:
    if wants_part(request):
        return render(request, "settings/_option.html", {"row": row}, status=status)
    return render(request, "settings/list.html", _list(request, row), status=status)


def _list(request: HttpRequest, instead: Row | None = None) -> dict[str, Any]:
    """Give the page; ``instead`` is a line that is already known."""
    words = request.GET.get("q", "")[:200]
    changed_only = request.GET.get("changed") == "true"
    stored = options.stored()
    found = []
    for number, (label, declared) in enumerate(options.sections().items(), start=1):
        kept = [one for one in declared if _matches(one, words) and (not changed_only or one.name in stored)]
        known = {instead.option.name: instead} if instead is not None else {}
        if rows := [known.get(one.name) or _row(one, stored) for one in kept]:
            found.append(Section(f"section-{number}", label, rows))
    return {
        "sections": found,
        "words": words,
        "changed_only": changed_only,
        "changed": sum(one.name in stored for one in options.all_options()),
        "number": sum(len(one.rows) for one in found),
    }


def _row(
    option: Option,
    stored: dict[str, OptionValue],
    form: OptionForm | None = None,
    *,
    asked_for: bool = False,
    done: str = "",
) -> Row:
    value = options.get(option.name)
    hidden = option.secret and value != option.default and not asked_for and form is None
    return Row(
        option,
        form or OptionForm(option, hidden=hidden),
        _in_words(option.default),
        stored.get(option.name),
        option.warning(value),
        hidden,
        done,
    )


def _matches(option: Option, words: str) -> bool:
    told = " ".join(map(str, (option.name, option.label, option.help, option.section, option.environment))).casefold()
    return all(word in told for word in words.casefold().split())


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return options.shown(value) or _("empty")


def _value_of(facts: Any) -> str:
    return _in_words(facts["value"]) if isinstance(facts, dict) and "value" in facts else "–"
