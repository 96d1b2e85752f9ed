"""How alerts and incidents are narrowed down, by the API and by pages."""

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.alerts.models import Alert, Incident, IncidentState, Severity
from apps.alerts.models.alert import Quiet
from apps.core.api_filters import AddressFilter

LARGEST_ID = 2**63 - 1
UNMATCHED = (("false", _("No")), ("true", _("Only")), ("all", _("Both")))


class IdFilter(django_filters.NumberFilter):
    """The id of a row."""

    field_class = forms.IntegerField


class AlertFilter(django_filters.FilterSet):
    """Which alerts. Without ``unmatched`` those that no definition explains are left out."""

    id = IdFilter(min_value=1, max_value=LARGEST_ID)
    severity = django_filters.MultipleChoiceFilter(choices=Severity.choices)
    state = django_filters.MultipleChoiceFilter(field_name="incident__state", choices=IncidentState.choices)
    component = IdFilter(field_name="component_id", min_value=1, max_value=LARGEST_ID)
    component_name = django_filters.CharFilter()
    address = AddressFilter()
    quiet = django_filters.MultipleChoiceFilter(choices=Quiet.choices)
    source = django_filters.CharFilter()
    alert_type = django_filters.CharFilter()
    incident = IdFilter(field_name="incident_id", min_value=1, max_value=LARGEST_ID)
    received_after = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gt")
    unmatched = django_filters.ChoiceFilter(choices=UNMATCHED, method="by_match")

    class Meta:
        model = Alert
        fields = ()

    def by_match(self, queryset: "QuerySet[Alert]", name: str, value: str) -> "QuerySet[Alert]":
        """Nothing here: the default has to be applied also when nobody asks."""
        return queryset

    def filter_queryset(self, queryset: "QuerySet[Alert]") -> "QuerySet[Alert]":
        """Apply the filters, and show matched alerts alone unless somebody asks for others."""
        found: QuerySet[Alert] = super().filter_queryset(queryset)
        asked = self.form.cleaned_data.get("unmatched") or "false"
        return found if asked == "all" else found.filter(matched=asked == "false")


class IncidentFilter(django_filters.FilterSet):
    """Which incidents."""

    id = IdFilter(min_value=1, max_value=LARGEST_ID)
    state = django_filters.MultipleChoiceFilter(choices=IncidentState.choices)
    severity = django_filters.MultipleChoiceFilter(choices=Severity.choices)
    component = IdFilter(field_name="component_id", min_value=1, max_value=LARGEST_ID)
    component_name = django_filters.CharFilter()
    address = AddressFilter()
    object = django_filters.CharFilter()
    acknowledged_by = django_filters.CharFilter(field_name="acknowledged_by_name")
    closed_by = django_filters.CharFilter(field_name="closed_by_name")
    definition = django_filters.CharFilter(field_name="definition__key")

    class Meta:
        model = Incident
        fields = ()
