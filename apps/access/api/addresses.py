"""The API resource of the addresses that may connect."""

from typing import Any

import django_filters
from django.urls import URLPattern
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers

from apps.access.models import AllowedAddress
from apps.access.services import addresses
from apps.core.api import PortalModelViewSet, resource
from apps.core.api_fields import KnownKeys
from apps.core.api_filters import IdFilter


class AddressSerializer(KnownKeys, serializers.ModelSerializer[AllowedAddress]):
    """An address or prefix that may connect."""

    class Meta:
        model = AllowedAddress
        fields = ("id", "network", "note", "created_at")
        read_only_fields = ("created_at",)


class AllowedAddressFilter(django_filters.FilterSet):
    """Which addresses that may connect."""

    id = IdFilter()
    network = django_filters.CharFilter()
    note = django_filters.CharFilter()


class AddressViewSet(PortalModelViewSet):
    """Who may connect besides the machine itself."""

    queryset = AllowedAddress.objects.all()
    serializer_class = AddressSerializer
    filterset_class = AllowedAddressFilter
    search_fields = ("network", "note")
    reading = writing = "access"

    def perform_create(self, serializer: Any) -> AllowedAddress:
        """Let an address connect."""
        sent = serializer.validated_data
        return addresses.allow(sent["network"], sent.get("note", ""), self.actor)

    def perform_update(self, serializer: Any) -> None:
        """Change the note."""
        sent, allowed = serializer.validated_data, serializer.instance
        if sent.get("network", allowed.network) != allowed.network:
            raise exceptions.ValidationError({"network": [_("Remove this address and add the other one.")]})
        addresses.describe(allowed, sent.get("note", allowed.note), self.actor)

    def perform_destroy(self, found: AllowedAddress) -> None:
        """Stop an address from connecting."""
        addresses.disallow(found, self.actor)


routes: list[URLPattern] = resource("addresses", AddressViewSet, "address")
