"""A page that shows every part that pages are made of, for those who write pages and for the tests of the frame."""

from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from apps.portal.icons import in_sprite
from apps.portal.phrasing import STATES


class SampleForm(forms.Form):
    """One control of each kind."""

    name = forms.CharField(label=_("Name"), help_text=_("As it is called in this portal."), max_length=20)
    address = forms.GenericIPAddressField(label=_("Address"))
    category = forms.ChoiceField(label=_("Category"), choices=[("server", _("Server")), ("ups", _("UPS"))])
    secret = forms.CharField(label=_("Password"), widget=forms.PasswordInput, required=False)
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    verify = forms.BooleanField(label=_("Verify the certificate"), required=False, help_text=_("Recommended."))
    way = forms.ChoiceField(
        label=_("Version"), widget=forms.RadioSelect, choices=[("2c", "SNMP v2c"), ("3", "SNMP v3")], initial="3"
    )


@require_GET
def style_guide(request: HttpRequest) -> HttpResponse:
    """Show every component of the pages with sample values."""
    now = timezone.now()
    form = SampleForm({"name": "", "address": "10.0.0.300", "category": "server", "way": "3"})
    wave = [20 + (index * 7919 % 13) + index * 0.3 for index in range(24)]
    rows = [
        {"id": index, "status": word, "name": f"node-{index:02}", "seen": now - timedelta(seconds=7**index)}
        for index, word in enumerate(("critical", "warning", "information", "unknown", "suspended", "normal"), 1)
    ]
    context = {
        "states": list(STATES),
        "icons": sorted(name for name in in_sprite() if not name.startswith("st-")),
        "form": form,
        "rows": rows,
        "shares": [
            ("critical", 9),
            ("warning", 37),
            ("information", 16),
            ("unknown", 21),
            ("suspended", 34),
            ("normal", 907),
        ],
        "wave": wave,
        "gaps": [*wave[:8], None, None, *wave[10:]],
        "page": Paginator(range(318), 25).get_page(request.GET.get("page")),
        "facet": {
            "name": "status",
            "label": _("Status"),
            "options": [
                {"value": word, "label": STATES[word].word, "state": word, "count": 7 * number, "checked": number == 2}
                for number, word in enumerate(("critical", "warning", "normal"), 1)
            ],
        },
        "earlier": now - timedelta(minutes=6),
        "span": timedelta(days=84, hours=3, minutes=2),
    }
    return render(request, "portal/style_guide.html", context)


@require_GET
def sample_series(request: HttpRequest) -> HttpResponse:
    """Give a day of samples for the style guide's chart, with a gap in it."""
    start = int(timezone.now().timestamp()) // 600 * 600 - 144 * 600
    points = [
        [start + index * 600, 280 + index % 9, 286 + index % 11, 292 + index % 13]
        for index in range(144)
        if not 60 <= index < 70
    ]
    line = {"name": "Power", "step": 600, "points": points, "measured": None}
    before = {**line, "points": [[at - 144 * 600, low - 4, mean - 4, high - 4] for at, low, mean, high in points]}
    limits = {"upper_warning": 310, "upper_critical": None, "lower_warning": None, "lower_critical": None}
    about = {"name": "Power", "unit": "W", "from": start, "to": start + 144 * 600, "limits": limits}
    return JsonResponse({**about, "lines": [line], "before": [before]})
