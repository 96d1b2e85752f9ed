"""The API resources of inventory changes: of one component, and of all."""

from typing import Any

import django_filters
from django.urls import URLPattern, path
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ScopedReadOnlyViewSet, resource
from apps.core.api_filters import IdFilter, WordsFilter
from apps.core.paging import Search
from apps.core.phrases import in_words
from apps.drivers.contract import InventoryKind
from apps.monitoring.api import ComponentPartViewSet
from apps.monitoring.models import Change, InventoryChange
from apps.monitoring.services.inventory_history import SEARCHED

CHANGES = InventoryChange.objects.select_related("interface__component").order_by("-pk")


class FactSerializer(serializers.Serializer[Any]):
    """A detail that differs, in the units that its label names; null is "not told"."""

    # Named as in the API, which hides an attribute of the base.
    label = serializers.CharField()  # type: ignore[assignment]
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class InventoryChangeSerializer(serializers.ModelSerializer[InventoryChange]):
    """What became of a part: of one that appeared all facts have no ``before``, of one that is gone no ``after``."""

    component = serializers.IntegerField(source="interface.component_id", read_only=True)
    component_name = serializers.CharField(source="interface.component.name", read_only=True)
    noticed_at = serializers.DateTimeField(source="at", read_only=True)
    facts = serializers.SerializerMethodField()

    class Meta:
        model = InventoryChange
        fields = (
            *("id", "noticed_at", "change", "component", "component_name", "interface", "kind", "key", "name", "facts"),
        )
        read_only_fields = fields

    @extend_schema_field(FactSerializer(many=True))
    def get_facts(self, row: InventoryChange) -> list[dict[str, Any]]:
        """Give the facts; what is a sentence of ours is in the caller's language."""
        return [{"label": label, "before": _said(before), "after": _said(after)} for label, before, after in row.facts]


def _said(value: Any) -> Any:
    return in_words(value) if isinstance(value, str) else value


class ChangesOfOneFilter(django_filters.FilterSet):
    """Which changes of a component."""

    change = WordsFilter(choices=Change.choices)
    kind = WordsFilter(choices=[(kind.value, kind.value) for kind in InventoryKind])
    interface = IdFilter()
    key = django_filters.CharFilter()
    noticed_after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gt")
    noticed_before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")


class ChangesFilter(ChangesOfOneFilter):
    """Which changes of all components."""

    component = IdFilter(field_name="interface__component")


class InventoryChangeViewSet(ScopedReadOnlyViewSet):
    """The changes of parts over all components, newest first."""

    queryset = CHANGES
    serializer_class = InventoryChangeSerializer
    filterset_class = ChangesFilter
    search_fields = SEARCHED


class ComponentInventoryChangeViewSet(ComponentPartViewSet):
    """The changes of the parts of one component, newest first."""

    serializer_class = InventoryChangeSerializer
    filter_backends = (DjangoFilterBackend, Search)  # type: ignore[assignment]
    filterset_class = ChangesOfOneFilter
    search_fields = SEARCHED

    def list(self, request: Request, pk: int) -> Response:
        """List them."""
        component = self.get_object()
        rows = CHANGES.visible_to(request.user).filter(interface__component=component)
        return self.page(self.filter_queryset(rows))


routes: list[URLPattern] = [
    path(
        "components/<int:pk>/inventory-changes/",
        ComponentInventoryChangeViewSet.as_view({"get": "list"}),
        name="component-inventory-changes",
    ),
    *resource("inventory-changes", InventoryChangeViewSet),
]
