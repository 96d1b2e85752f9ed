"""The dialog of an order: whom it reaches, how they are, what else it touches; nothing begins before its own button."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from apps.components import ownership
from apps.components.models import Component, PowerSwitch
from apps.components.pages.listing import chosen
from apps.control.operations import BOOT_DEVICES, HIGHEST_CAP, LOWEST_CAP, OPERATIONS, POWER
from apps.control.pages.choices import CHOICES, Choice
from apps.control.services import targets
from apps.control.services.consequences import consequences
from apps.control.services.ordering import forces_many, operate
from apps.core import options, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import row_id
from apps.core.htmx import wants_part
from apps.core.models import Job
from apps.core.phrases import Phrase
from apps.drivers.contract import BootDevice

NAMED = 50

STATES: dict[str, Promise | str] = {
    PowerSwitch.ON.value: pgettext_lazy("power", "on"),
    PowerSwitch.OFF.value: pgettext_lazy("power", "off"),
    "": pgettext_lazy("power", "not known"),
}


class BootForm(forms.Form):
    """From what to start, and how often."""

    device = forms.ChoiceField(
        label=gettext_lazy("Start from"),
        initial=BootDevice.PXE.value,
        help_text=gettext_lazy(
            "A server without serial-over-LAN that was started into its diagnostics must not go on to Windows or Linux."
        ),
    )
    once = forms.ChoiceField(
        label=gettext_lazy("How often"),
        choices=[("once", gettext_lazy("The next time")), ("always", gettext_lazy("Always"))],
    )
    firmware = forms.ChoiceField(
        label=gettext_lazy("Firmware"),
        required=False,
        choices=[("", gettext_lazy("As it is")), ("uefi", "UEFI"), ("legacy", gettext_lazy("Legacy BIOS"))],
    )

    def __init__(self, *args: Any, elsewhere: Phrase | None = None, **options: Any) -> None:
        """Offer nothing lasting where that is refused of all targets."""
        super().__init__(*args, **options)
        if elsewhere is not None:
            once = self.fields["once"]
            once.choices, once.help_text = [("once", _("The next time"))], str(elsewhere)  # type: ignore[attr-defined]
        devices = [(device.value, _(words)) for device, words in BOOT_DEVICES.items()]
        self.fields["device"].choices = devices  # type: ignore[attr-defined]  # of a ChoiceField

    @property
    def arguments(self) -> dict[str, Any]:
        """Give what a valid form says."""
        given = self.cleaned_data
        uefi = {"uefi": True, "legacy": False}.get(given["firmware"])
        return {"device": given["device"], "once": given["once"] == "once", "uefi": uefi}


class CapForm(forms.Form):
    """How much each machine may draw."""

    watts = forms.IntegerField(label=gettext_lazy("Power cap of each (W)"), min_value=LOWEST_CAP, max_value=HIGHEST_CAP)

    def __init__(self, *args: Any, elsewhere: Phrase | None = None, **options: Any) -> None:
        """Take what every form of an order takes; where all is refused the form is not shown."""
        super().__init__(*args, **options)

    @property
    def arguments(self) -> dict[str, Any]:
        """Give what a valid form says."""
        return {"watts": self.cleaned_data["watts"]}


FORMS: dict[str, type[BootForm] | type[CapForm]] = {"boot": BootForm, "cap": CapForm}


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target as the dialog names it."""

    component: Component
    state: Promise | str
    seen_at: datetime | None


@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest) -> HttpResponse:
    """Ask, or order what was asked and go to its job."""
    sent = request.POST if request.method == "POST" else request.GET
    name = sent.get("order", "")
    if name not in CHOICES:
        raise Http404
    choice = CHOICES[name]
    components = _components(request)
    confirmed = request.method == "POST" and "confirmed" in request.POST
    form = None
    if choice.asks:
        reasons = ownership.refusals([one.pk for one in components], ownership.CONTROLLER)
        elsewhere = next(iter(reasons.values())) if len(reasons) == len(components) and reasons else None
        form = FORMS[name](request.POST if confirmed else None, elsewhere=elsewhere)
    asked = Asked(request, choice, components, name=name, form=form)
    if form is not None and confirmed and not form.is_valid():
        return asked.page(status=400)
    arguments = form.arguments if form is not None and confirmed else choice.arguments
    expect = row_id(request.POST.get("expect", ""))
    return asked.answer(lambda: operate(choice.operation, arguments, components, Actor.of(request), expect=expect))


def _components(request: HttpRequest) -> Sequence[Component]:
    """Give the components that were chosen: ticked in the list, all that its filter matches, or named in a link."""
    rows = chosen(request.user, request.POST if request.method == "POST" else request.GET)
    return list(rows.select_related("group", "suspension").order_by("name", "pk"))


class Asked:
    """One order that somebody is about to give, and how it is shown; ``where`` is its address, and ``of`` its batch."""

    def __init__(
        self,
        request: HttpRequest,
        choice: Choice,
        components: Sequence[Component],
        *,
        name: str = "",
        form: BootForm | CapForm | None = None,
        where: str = "",
        of: Any = None,
    ) -> None:
        self.request = request
        self.name = name
        self.choice = choice
        self.components = components
        self.form = form
        self.where = where or reverse("control:order")
        self.of = of
        forces = bool(choice.typed) and forces_many(choice.operation, choice.arguments, len(components))
        self.phrase = f"{choice.typed} {len(components)}" if forces else ""

    @property
    def label(self) -> str:
        """Give what is ordered; of a batch, with the boot device that was chosen."""
        return str(self.of.title) if self.of is not None else self.choice.label

    def page(self, error: str = "", status: int = 200) -> HttpResponse:
        """Show it."""
        part = wants_part(self.request)
        template = "control/_order.html" if part else "control/order.html"
        return render(self.request, template, {**self._facts(), "error": error}, status=status)

    def answer(self, order: Callable[[], Job]) -> HttpResponse:
        """Ask; or, once that was confirmed, order and go to the job."""
        request = self.request
        if request.method != "POST" or "confirmed" not in request.POST:
            return self.page()
        if self.phrase and request.POST.get("typed", "").strip() != self.phrase:
            return self.page(_("Type %(words)s to confirm.") % {"words": self.phrase}, 400)
        try:
            job = order()
        except (PermissionDenied, Conflict) as error:
            return self.page(str(error), 409 if isinstance(error, Conflict) else 403)
        except ValidationError as error:
            return self.page(" ".join(error.messages), 400)
        return HttpResponseClientRedirect(job.get_absolute_url()) if wants_part(request) else redirect(job)

    def _facts(self) -> dict[str, Any]:
        user, choice, components = self.request.user, self.choice, self.components
        operation = OPERATIONS[choice.operation]
        able = targets.able(components, operation, choice.arguments)
        refused = targets.refused([one.pk for one in components], operation, choice.arguments)
        elsewhere = [one for one in components if one.pk in refused]
        unable = [one for one in components if one.pk not in able and one.pk not in refused]
        forbidden = [one for one in components if not scoping.may(user, choice.permission, one.group_id)]
        single = components[0] if len(components) == 1 else None
        states = Counter(one.power_state for one in components)
        ids = ",".join(str(one.pk) for one in components)
        return {
            "choice": choice,
            "label": self.label,
            "name": self.name,
            "where": self.where,
            "of": self.of,
            "single": single,
            "total": len(components),
            "ids": ids,
            "named": [TargetView(one, STATES[one.power_state], one.power_seen_at) for one in components[:NAMED]],
            "more": len(components) - NAMED,
            "counts": [(STATES[state], states[state]) for state in STATES if states[state]],
            "unable": [str(one) for one in unable[:NAMED]],
            "unable_total": len(unable),
            "elsewhere": [str(one) for one in elsewhere[:NAMED]],
            "elsewhere_total": len(elsewhere),
            "elsewhere_why": refused[elsewhere[0].pk] if len(elsewhere) == len(components) == 1 else "",
            "forbidden": [str(one) for one in forbidden[:NAMED]],
            "forbidden_total": len(forbidden),
            "touched": consequences(
                [one for one in components if one.pk not in refused],
                user,
                choice.arguments if choice.operation == POWER else None,
            ),
            "phrase": self.phrase,
            "form": self.form,
            "at_once": options.get("operation_concurrency"),
            "possible": bool(able) and not forbidden,
        }
