"""How alerts and incidents are narrowed down by the API."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.alerts.models import (
    Alert,
    AlertQuerySet,
    Incident,
    IncidentQuerySet,
    IncidentState,
    Severity,
)
from apps.alerts.models.alert import Quiet
from apps.alerts.models.incident import OfComponents
from apps.components.services import names
from apps.core.api_filters import AddressFilter, WordsFilter
from apps.groups.models import Group

LARGEST_ID = 2**63 - 1
UNMATCHED = (("false", _("No")), ("true", _("Only")), ("all", _("Both")))


class IdFilter(django_filters.NumberFilter):
    """The id of a row."""

    field_class = forms.IntegerField


class Narrowed(django_filters.FilterSet):
    """What both may be asked for."""

    group = IdFilter(min_value=1, max_value=LARGEST_ID, method="by_group")

    def by_group(self, queryset: OfComponents, name: str, value: Any) -> OfComponents:
        """Keep what belongs to components in a group or below it; of nothing, when no such group is seen."""
        tree = Group.objects.visible_to(self.request.user).tree()
        return queryset.of_groups(tree.subtree(int(value)))


class AlertFilter(Narrowed):
    """Which alerts. Without ``unmatched`` those that no definition explains are left out."""

    id = IdFilter(min_value=1, max_value=LARGEST_ID)
    severity = WordsFilter(choices=Severity.choices)
    state = WordsFilter(choices=IncidentState.choices, method="by_state")
    component = IdFilter(field_name="component_id", min_value=1, max_value=LARGEST_ID)
    component_name = django_filters.CharFilter(method="by_component_name")
    address = AddressFilter()
    quiet = WordsFilter(choices=Quiet.choices, method="by_quiet")
    source = django_filters.CharFilter()
    alert_type = django_filters.CharFilter()
    incident = IdFilter(field_name="incident_id", min_value=1, max_value=LARGEST_ID)
    received_after = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gt")
    received_before = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="lt")
    unmatched = django_filters.ChoiceFilter(choices=UNMATCHED, method="by_match")

    class Meta:
        model = Alert
        fields = ()

    def by_match(self, queryset: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
        """Nothing here: the default has to be applied also when nobody asks."""
        return queryset

    def by_state(self, queryset: AlertQuerySet, name: str, value: list[str]) -> AlertQuerySet:
        """Keep those whose incident is in one of these states."""
        return queryset.in_states(value) if value else queryset

    def by_quiet(self, queryset: AlertQuerySet, name: str, value: list[str]) -> AlertQuerySet:
        """Keep those that nobody was told of for one of these reasons."""
        return queryset.silenced(value) if value else queryset

    def by_component_name(self, queryset: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
        """Keep those that keep this name, which their component may have lost since; it may be gone, too."""
        gone = Q(component=None) & ~Q(component_name="") & Q(component_name=value)
        kept = Q(component__in=names.ever_called(value)) & Q(component_name=value)
        return queryset.filter(kept | gone if Alert.objects.filter(gone).exists() else kept)

    def filter_queryset(self, queryset: AlertQuerySet) -> AlertQuerySet:
        """Apply the filters, and show matched alerts alone unless somebody asks for others."""
        found: AlertQuerySet = super().filter_queryset(queryset)
        asked = self.form.cleaned_data.get("unmatched") or "false"
        return found if asked == "all" else found.filter(matched=asked == "false")


class IncidentFilter(Narrowed):
    """Which incidents."""

    id = IdFilter(min_value=1, max_value=LARGEST_ID)
    state = WordsFilter(choices=IncidentState.choices, method="by_state")
    severity = WordsFilter(choices=Severity.choices)
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

    def by_state(self, queryset: IncidentQuerySet, name: str, value: list[str]) -> IncidentQuerySet:
        """Keep those in one of these states; nearly all have ended, so for those the others are left out on the way."""
        if not value:
            return queryset
        if IncidentState.CLOSED in value:
            return queryset.exclude(state__in=[state for state in IncidentState.values if state not in value])
        return queryset.filter(state__in=value)
