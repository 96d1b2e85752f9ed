"""The API resource of drivers: what a component can be managed with."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.components import driver_parameters
from apps.components.models import Category
from apps.core.api import PortalViewSet
from apps.core.api_fields import Anything, Phrased
from apps.core.api_filters import chosen
from apps.drivers.contract import DriverSpec, Parameter


class ParameterSerializer(serializers.Serializer[Parameter]):
    """One setting of an interface that its driver knows."""

    name = serializers.CharField()
    label = Phrased()  # type: ignore[assignment]  # named as in the API, which hides an attribute of the base
    type = serializers.SerializerMethodField()
    default = Anything()
    minimum = serializers.IntegerField(allow_null=True)
    maximum = serializers.IntegerField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    help = Phrased()

    def get_type(self, parameter: Parameter) -> str:
        """Give the JSON type of its values."""
        return {int: "integer", bool: "boolean"}.get(parameter.type, "string")


class DriverSerializer(serializers.Serializer[DriverSpec]):
    """One way of managing a device; its name is what interfaces say in ``driver``."""

    name = serializers.CharField()
    label = Phrased()  # type: ignore[assignment]  # named as in the API, which hides an attribute of the base
    category = serializers.CharField()
    capabilities = serializers.SerializerMethodField()
    credential_kinds = serializers.ListField(child=serializers.CharField())
    default_port = serializers.IntegerField(allow_null=True)
    transport = serializers.CharField()
    parameters = ParameterSerializer(many=True)

    def get_capabilities(self, spec: DriverSpec) -> list[str]:
        """Give what it can do."""
        return sorted(capability.value for capability in spec.capabilities)


class DriverViewSet(PortalViewSet):
    """What components can be managed with."""

    serializer_class = DriverSerializer
    filter_backends = ()
    query_parameters = (
        OpenApiParameter("q", str, description="Words of the driver's name and label"),
        OpenApiParameter("name", str),
        OpenApiParameter("category", str, enum=Category.values),
    )

    def is_open_to(self, user: Any) -> bool:
        """Drivers belong to the product, not to a group: whoever signs in may read them."""
        return True

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request) -> Response:
        """Give the drivers by name."""
        words = request.query_params.get("q", "").casefold().split()
        name, category = request.query_params.get("name", ""), chosen(request, "category", Category.values)
        found = [
            spec
            for spec in driver_parameters.offered().values()
            if name in {"", spec.name}
            and category in {"", spec.category.value}
            and all(word in f"{spec.name} {spec.label}".casefold() for word in words)
        ]
        page = self.paginate_queryset(found)
        return self.get_paginated_response([DriverSerializer(spec).data for spec in page or ()])

    def retrieve(self, request: Request, name: str) -> Response:
        """Give one driver."""
        spec = driver_parameters.offered().get(name)
        if spec is None:
            raise Http404
        return Response(DriverSerializer(spec).data)
