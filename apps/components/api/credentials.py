"""The API resource of credentials: what they say is written and never read."""

from typing import Any

import django_filters
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers

from apps.components.credential_kinds import KINDS
from apps.components.models import Credential
from apps.components.services import credentials
from apps.core.api import ScopedModelViewSet
from apps.core.api_fields import Anything, Reference, Strict, Text
from apps.core.api_filters import IdFilter
from apps.groups.models import Group
from apps.groups.services import topmost_group


class CredentialSerializer(Strict):
    """A login that interfaces share. ``fields`` depend on the kind; in a PATCH those that are left out stay."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=100)
    kind = serializers.ChoiceField(choices=list(KINDS))
    group = Reference(queryset=Group.objects.all(), required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add ``fields``, whose name a serializer keeps for itself."""
        return {**super().get_fields(), "fields": Anything(write_only=True)}


class CredentialFilter(django_filters.FilterSet):
    """Which credentials."""

    id = IdFilter()
    name = django_filters.CharFilter()
    kind = django_filters.MultipleChoiceFilter(choices=[(name, name) for name in KINDS])
    group = IdFilter()


class CredentialViewSet(ScopedModelViewSet):
    """Logins; removing one that interfaces use is a conflict naming them."""

    queryset = Credential.objects.all()
    serializer_class = CredentialSerializer
    filterset_class = CredentialFilter
    search_fields = ("name",)
    writing = "credentials"

    def perform_create(self, serializer: Any) -> Credential:
        """Keep a login."""
        sent = serializer.validated_data
        group = sent.get("group") or topmost_group(self.request.user, self.word)
        if group is None:
            raise exceptions.PermissionDenied
        self.require(group.pk)
        return credentials.create(sent["name"], sent["kind"], group, sent["fields"], self.actor)

    def perform_update(self, serializer: Any) -> None:
        """Change a login."""
        sent = dict(serializer.validated_data)
        if sent.pop("kind", serializer.instance.kind) != serializer.instance.kind:
            raise exceptions.ValidationError({"kind": [_("The kind cannot be changed: make another credential.")]})
        if "group" in sent:
            self.require(sent["group"].pk)
        if sent.get("fields", ...) is None:
            raise exceptions.ValidationError({"fields": [_("This field may not be null.")]})
        credentials.change(serializer.instance, self.actor, **sent)

    def perform_destroy(self, found: Credential) -> None:
        """Forget a login."""
        credentials.remove(found, self.actor)
