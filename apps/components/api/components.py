"""The API resource of components, with their checks, refreshes, joins and inventory."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components import ownership
from apps.components.api.bodies import (
    AcceptSerializer,
    CertificatesSerializer,
    ComponentSerializer,
    InventorySerializer,
    JoinSerializer,
    ShownSerializer,
    SplitSerializer,
)
from apps.components.models import Category, Component, InventoryItem, ManagementInterface, Status, StatusCause
from apps.components.services import certificates, checks, joining, registration
from apps.components.services.same_parts import same_parts
from apps.core import scoping
from apps.core.api import Accepted, ScopedModelViewSet, accepted
from apps.core.api_fields import Nothing
from apps.core.api_filters import FlagFilter, IdFilter
from apps.groups.models import Group


class ComponentFilter(django_filters.FilterSet):
    """Which components. ``group`` is the group itself; with ``include_subgroups`` also those below it."""

    id = IdFilter()
    name = django_filters.CharFilter()
    alias = django_filters.CharFilter()
    category = django_filters.MultipleChoiceFilter(choices=Category.choices)
    group = IdFilter(method="in_group")
    include_subgroups = FlagFilter(method="nothing")
    parent = IdFilter()
    slot = django_filters.CharFilter()
    addresses = django_filters.CharFilter(field_name="interfaces__address", lookup_expr="iexact", distinct=True)
    address = django_filters.CharFilter(field_name="interfaces__address", lookup_expr="iexact", distinct=True)
    uuid = django_filters.UUIDFilter()
    serial_number = django_filters.CharFilter(lookup_expr="iexact")
    manufacturer = django_filters.CharFilter()
    model = django_filters.CharFilter()
    status = django_filters.MultipleChoiceFilter(choices=Status.choices)
    suspended = FlagFilter()
    managed_elsewhere = django_filters.ChoiceFilter(
        choices=[(name, one.label) for name, one in ownership.functions.items()],
        lookup_expr="has_key",
        help_text="Those of which another manager has this function.",
    )
    driver = django_filters.CharFilter(field_name="interfaces__driver", distinct=True)
    credential = IdFilter(field_name="interfaces__credential", distinct=True)

    def in_group(self, rows: QuerySet[Component], name: str, value: Any) -> QuerySet[Component]:
        """Keep those of a group, or of its subtree."""
        if self.form.cleaned_data.get("include_subgroups"):
            return rows.filter(group__in=Group.objects.all().tree().subtree(int(value)))
        return rows.filter(group=int(value))

    def nothing(self, rows: QuerySet[Component], name: str, value: Any) -> QuerySet[Component]:
        """Leave it to the filter of the group."""
        return rows


class InventoryFilter(django_filters.FilterSet):
    """Which parts."""

    id = IdFilter()
    interface = IdFilter()
    kind = django_filters.CharFilter()
    key = django_filters.CharFilter()
    name = django_filters.CharFilter()
    status = django_filters.MultipleChoiceFilter(choices=Status.choices)


class ComponentViewSet(ScopedModelViewSet):
    """The managed devices. Registering answers at once; the device is asked afterwards."""

    queryset = Component.objects.select_related("parent").prefetch_related(
        Prefetch("interfaces", ManagementInterface.objects.order_by("pk")),
        Prefetch("causes", StatusCause.objects.filter(Q(interface=None) | Q(interface__enabled=True))),
    )
    serializer_class = ComponentSerializer
    filterset_class = ComponentFilter
    writing = "components"
    permission_words: ClassVar[Mapping[str, str]] = {
        "check": "check",
        "refresh": "check",
        "certificates": "components",
    }
    etag_related = ("interfaces",)
    search_fields = ()  # the queryset searches by itself

    def perform_create(self, serializer: Any) -> Component:
        """Register a component."""
        sent = dict(serializer.validated_data)
        if "group" in sent:
            self.require(sent["group"].pk)
        made = registration.register(registration.NewComponent(**sent), self.actor)
        return self.get_queryset().get(pk=made.pk)

    def perform_update(self, serializer: Any) -> None:
        """Change a component."""
        component: Component = serializer.instance
        sent = dict(serializer.validated_data)
        if "group" in sent and sent["group"].pk != component.group_id:
            self.require(sent["group"].pk)
        registration.change(component, sent, self.actor)

    def perform_destroy(self, found: Component) -> None:
        """Remove a component and all that was kept of it."""
        registration.remove([found], self.actor)

    @extend_schema(request=None, responses={202: Accepted})
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def check(self, request: Request, pk: int) -> Response:
        """Check the connection of every interface."""
        return accepted(checks.check([self.get_object()], self.actor), request)

    @extend_schema(request=None, responses={202: Accepted})
    @action(detail=True, methods=["post"], serializer_class=Nothing)
    def refresh(self, request: Request, pk: int) -> Response:
        """Read values and inventory now."""
        return accepted(checks.refresh([self.get_object()], self.actor), request)

    @extend_schema(request=JoinSerializer, responses=ComponentSerializer)
    @action(detail=True, methods=["post"])
    def join(self, request: Request, pk: int) -> Response:
        """Take over the interfaces of another registration of the same machine, which then goes."""
        component = self.get_object()
        body = JoinSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        other: Component = body.validated_data["with"]
        self.require(other.group_id)
        if other.pk == component.pk:
            raise exceptions.ValidationError({"with": [_("A component cannot be joined with itself.")]})
        joining.join(component, other, self.actor)
        return self.single(self.get_queryset().get(pk=component.pk))

    @extend_schema(request=SplitSerializer, responses={201: ComponentSerializer})
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: int) -> Response:
        """Take an interface out into a component of its own, which is given."""
        component = self.get_object()
        body = SplitSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        interface = component.interfaces.filter(pk=body.validated_data["interface"]).first()
        if interface is None:
            raise exceptions.ValidationError({"interface": [_("The component has no such interface.")]})
        made = joining.split(interface, self.actor, body.validated_data.get("name", ""))
        return self.single(self.get_queryset().get(pk=made.pk), status.HTTP_201_CREATED)

    @extend_schema(responses=CertificatesSerializer(many=True))
    @action(detail=True, filter_backends=())
    def certificates(self, request: Request, pk: int) -> Response:
        """Ask the devices for their certificates, and compare them with those that they are known by."""
        rows = [row for row in self.get_object().interfaces.order_by("pk") if certificates.is_pinned(row)]
        found = []
        for row in self.paginate_queryset(rows):
            pair = certificates.compare(row)
            found.append(
                {
                    "interface": row.pk,
                    "known": pair.known,
                    "shown": pair.shown,
                    "differs": pair.differs,
                    "error": pair.error,
                }
            )
        return self.get_paginated_response(CertificatesSerializer(found, many=True).data)

    @extend_schema(request=AcceptSerializer, responses=ShownSerializer)
    @action(detail=True, methods=["post"], url_path="accept-certificate")
    def accept_certificate(self, request: Request, pk: int) -> Response:
        """Know a device by its new certificate from now on; 409 when it shows another one than that."""
        component = self.get_object()
        body = AcceptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = component.interfaces.filter(pk=body.validated_data["interface"]).first()
        if row is None or not certificates.is_pinned(row):
            raise exceptions.ValidationError({"interface": [_("This interface is not known by a certificate.")]})
        return Response(ShownSerializer(certificates.accept(row, body.validated_data["fingerprint"], self.actor)).data)

    @extend_schema(responses=InventorySerializer(many=True))
    @action(detail=True, filterset_class=InventoryFilter, search_fields=("name", "key"))
    def inventory(self, request: Request, pk: int) -> Response:
        """List the parts that the interfaces found at their last inventory."""
        rows = InventoryItem.objects.visible_to(request.user).filter(interface__component=self.get_object())
        page = list(self.paginate_queryset(self.filter_queryset(rows)) or ())
        same: dict[int, list[int]] = {}
        for group in same_parts(list(rows)):
            same |= {row.pk: [other.pk for other in group if other.pk != row.pk] for row in group}
        for item in page:
            item.same_as = same.get(item.pk, [])
        return self.get_paginated_response(InventorySerializer(page, many=True).data)

    def get_serializer_context(self) -> dict[str, Any]:
        """Say which groups the caller may see, so that nothing names what he may not."""
        return {**super().get_serializer_context(), "scope": scoping.scope_of(self.request.user)}
