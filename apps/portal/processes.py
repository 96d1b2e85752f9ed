"""What the portal itself consists of while it runs; its ports and receivers are set here, and it is started anew."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.core import options, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.htmx import wants_part
from apps.system import listening, running
from apps.system.processes import Port
from apps.system.running import Process, Running

RECENT = timedelta(hours=1)  # how long a new start that nobody ordered is pointed out
LOOKS: dict[str, tuple[str, Promise | str]] = {  # state of a process: state word, and how it reads
    "running": ("normal", gettext_lazy("Running")),
    "starting": ("waiting", gettext_lazy("Starting")),
    "waiting": ("waiting", gettext_lazy("Waiting")),
    "stopped": ("critical", gettext_lazy("Stopped")),
    "off": ("suspended", pgettext_lazy("process", "Switched off")),
    "unknown": ("unknown", gettext_lazy("Not known")),
}
RESTARTED = ("warning", pgettext_lazy("process", "Restarted"))


@dataclass(frozen=True, slots=True)
class Row:
    """A process as the table shows it."""

    process: Process
    state: str
    word: Promise | str

    @property
    def can_restart(self) -> bool:
        """Say whether somebody can have it started anew from here."""
        return not self.process.elsewhere and self.process.state in {"running", "starting", "waiting"}


class PortsForm(forms.Form):
    """The numbers of the portal's ports, and which receivers are on; what the environment decides is only shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ports: list[Port] = sorted(
            (port for _name, port in listening.ports() if port.option), key=lambda port: port.protocol
        )
        for port in self.ports:
            self._add_number(options.find(port.option))
        for port in self.ports:
            if port.switch:
                option = options.find(port.switch)
                self.fields[option.name] = forms.BooleanField(
                    label=str(option.label), help_text=str(option.help), required=False
                )
                self.initial[option.name] = options.get(option.name)

    def _add_number(self, option: options.Option) -> None:
        help_text = str(option.help)
        if option.read_only:
            help_text = _("%(variable)s in the environment decides this option.") % {"variable": option.environment}
        widget = forms.NumberInput(attrs={"inputmode": "numeric"})
        self.fields[option.name] = forms.IntegerField(
            label=str(option.label), help_text=help_text, disabled=option.read_only, widget=widget
        )
        self.initial[option.name] = options.get(option.name)

    def clean(self) -> dict[str, Any]:
        """Look at every number that is to be another one; a port that somebody holds names its holder."""
        cleaned = super().clean() or {}
        for name in self.changed_data:
            if name in cleaned:
                try:
                    options.find(name).clean(cleaned[name])
                except ValidationError as error:
                    self.add_error(name, error)
        return cleaned

    def save(self, actor: Actor) -> list[str]:
        """Set what was changed; gives the names of the options."""
        for name in self.changed_data:
            options.set_value(name, self.cleaned_data[name], actor)
        return self.changed_data


def require_settings(request: HttpRequest) -> None:
    """Refuse whoever may not set the portal."""
    if not scoping.may(request.user, "settings"):
        raise PermissionDenied


@require_safe
@vary_on_headers("HX-Request")
def processes(request: HttpRequest) -> HttpResponse:
    """Show every process of the portal."""
    require_settings(request)
    return _show(request)


def _show(request: HttpRequest, form: PortsForm | None = None) -> HttpResponse:
    found = running.look()
    context = {"running": found, "rows": rows(found), "tab": "processes"}
    if wants_part(request):
        return render(request, "portal/_processes.html", context)
    status = 400 if form is not None and form.errors else 200
    return render(request, "portal/processes.html", {**context, "form": form or PortsForm()}, status=status)


def rows(found: Running) -> Sequence[Row]:
    """Give the processes as tables show them."""
    return [Row(process, *_look(process)) for process in found.processes]


def _look(process: Process) -> tuple[str, Promise | str]:
    last = process.last_restart
    if process.state == "running" and last is not None and last.reason != "ordered":
        restarted = process.restarted_at
        if restarted is not None and timezone.now() - restarted < RECENT:
            return RESTARTED
    return LOOKS.get(process.state, LOOKS["unknown"])


@require_POST
def set_ports(request: HttpRequest) -> HttpResponse:
    """Set ports and switches."""
    require_settings(request)
    form = PortsForm(request.POST)
    if not form.is_valid():
        return _show(request, form)
    if form.save(Actor.of(request)):
        messages.success(request, _("Saved."))
    return redirect("portal:processes")


@require_POST
def restart(request: HttpRequest) -> HttpResponse:
    """Have one process or all started anew; the answer comes before anything stops."""
    require_settings(request)
    name = request.POST.get("name") or None
    before = time.time()
    try:
        running.restart(Actor.of(request), name)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("portal:processes")
    words = {"since": f"{before:.3f}", **({"name": name} if name else {})}
    return redirect(f"{reverse('portal:restarting')}?{urlencode(words)}")


@require_safe
def restarting(request: HttpRequest) -> HttpResponse:
    """Wait with the reader until what was ordered is done, then lead him back."""
    require_settings(request)
    name = request.GET.get("name", "")
    try:
        since = float(request.GET.get("since", ""))
    except ValueError:
        since = 0.0
    found = running.look()
    if _is_done(found, name, since):
        return redirect("portal:processes")
    return render(request, "portal/restarting.html", {"name": name, "elsewhere": _elsewhere(request, found, name)})


def _is_done(found: Running, name: str, since: float) -> bool:
    if not found.live:
        return False
    ours = [each for each in found.processes if not each.elsewhere and each.state != "off"]
    waited_for = [each for each in ours if name in {"", each.name}]
    return all(
        each.state == "running" and each.started_at is not None and each.started_at.timestamp() >= since
        for each in waited_for
    )


def _elsewhere(request: HttpRequest, found: Running, name: str) -> str:
    """Give the address of this page after a start on another port."""
    moved = next((port for port in found.pending if port.port.variable == "ESM_HTTP_PORT"), None)
    if moved is None or name:
        return ""
    host = request.get_host()
    host = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return f"{request.scheme}://{host}:{moved.next_number}{reverse('portal:processes')}"
