"""What the portal stores: sizes, growth, the day of the full disk, and a calculator for a fleet one has in mind."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component
from apps.core import options, scoping
from apps.core.htmx import wants_part
from apps.system.capacity import estimate, measuring, planning, timeline
from apps.system.capacity.estimate import GUIDE_POWER_VALUES, Weights
from apps.system.capacity.kinds import ALERT, BY_NAME
from apps.system.models import CapacityMeasurement

TYPICAL_VALUES, TYPICAL_COMPONENTS = 50, 100


class PlanForm(forms.Form):
    """The fleet that is reckoned for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for limit in planning.LIMITS:
            widget = forms.NumberInput(attrs={"inputmode": "numeric"})
            self.fields[limit.name] = forms.IntegerField(
                label=str(limit.label), min_value=limit.low, max_value=limit.high, widget=widget
            )


@dataclass(frozen=True, slots=True)
class Row:
    """One kind as the table shows it."""

    name: str
    label: Promise | str
    rows: int
    each: float | None
    bytes: int
    per_day: float | None
    kept_for: int | None
    kept_at_most: int | None
    steady: bool  # something of it is written every day

    @property
    def bytes_per_day(self) -> float | None:
        """Give what is written a day."""
        return None if self.per_day is None or self.each is None else self.per_day * self.each


@require_safe
@vary_on_headers("HX-Request")
def capacity(request: HttpRequest) -> HttpResponse:
    """Show what was measured last, and reckon for the fleet that is asked for."""
    if not scoping.may(request.user, "settings"):
        raise PermissionDenied
    last = measuring.latest()
    facts = last.facts if last else None
    asked = any(limit.name in request.GET for limit in planning.LIMITS)
    form = PlanForm(request.GET if asked else None, initial=_present(facts))
    weights = measuring.weights(facts)
    context: dict[str, Any] = {"form": form, "measurement": last}
    if not asked or form.is_valid():
        fleet = estimate.Fleet(**(form.cleaned_data if asked else _present(facts)))
        context["plan"] = planning.plan(fleet, measuring.kept(), weights)
        context["fleet"] = fleet
    status = 400 if asked and not form.is_valid() else 200
    if wants_part(request):
        return render(request, "portal/_plan.html", context, status=status)
    context |= _figures(last) | {"comparison": _comparison(weights), "typical": not weights.measured}
    return render(request, "portal/capacity.html", context, status=status)


def _figures(last: CapacityMeasurement | None) -> dict[str, Any]:
    if last is None:
        return {}
    facts = last.facts
    disk = facts["disk"] or None
    days, limit = facts["days"], options.get(measuring.WARNING_DAYS)
    return {
        "facts": facts,
        "disk": disk,
        "used": facts["database"]["total"] - (facts["database"]["free"] or 0),
        "rows": [
            Row(
                kind["name"],
                BY_NAME[kind["name"]].label,
                kind["rows"],
                kind["each"],
                kind["bytes"],
                kind["per_day"],
                kind["kept_for"],
                kind["kept_at_most"],
                bool(BY_NAME[kind["name"]].at or BY_NAME[kind["name"]].where),
            )
            for kind in sorted(facts["kinds"], key=lambda kind: -kind["bytes"])
            if kind["name"] in BY_NAME
        ],
        "days": days,
        "state": "warning" if last.warned else "unknown" if facts["outlook"] == measuring.UNKNOWN else "normal",
        "limit": limit,
    }


def _present(facts: dict[str, Any] | None) -> dict[str, int]:
    """Give the fleet that is watched now, as far as it was measured."""
    kinds = {kind["name"]: kind for kind in facts["kinds"]} if facts else {}
    components = Component.objects.count()
    values = facts["values"] if facts else None
    alerts = kinds.get(ALERT, {}).get("per_day")
    return {
        "components": components or TYPICAL_COMPONENTS,
        "values": round(values) if values else TYPICAL_VALUES,
        "interval": options.get("MONITORING_INTERVAL"),
        "alerts": round(alerts or 0),
    }


def _comparison(weights: Weights) -> list[tuple[str, str, float, bool]]:
    """Put what things take here beside the guide's words: label, guide, here, whether it was measured here."""
    measured = weights.measured
    return [
        (_("The portal itself"), "10 MB", weights.base, "base" in measured),
        (_("A component, without its sensors"), "10 KB", weights.component, "component" in measured),
        (_("An alert"), "1 KB", weights.alert, "alert" in measured),
        (
            _("Power of a component, every minute for an hour"),
            "3 KB",
            GUIDE_POWER_VALUES * weights.sample(1),
            "sample_value" in measured,
        ),
    ]


@require_safe
def history(request: HttpRequest) -> JsonResponse:
    """Give the size of the database over time, as the script that draws charts wants it."""
    if not scoping.may(request.user, "settings"):
        raise PermissionDenied
    course = timeline.sizes_over_time()
    points = [[at.timestamp(), *sizes] for at, *sizes in course["points"]]
    name, step = _("Size of the database"), course["step"]
    line = {"name": name, "step": step, "points": points, "measured": None}
    about = {"name": name, "unit": course["unit"], "lines": [line], "before": [], "limits": None}
    first = points[0][0] if points else timezone.now().timestamp()
    return JsonResponse({**about, "from": first, "to": timezone.now().timestamp()})
