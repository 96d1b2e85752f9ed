"""The API resource of the rules that say from where somebody may sign in."""

from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.urls import URLPattern
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.access.models import SignInRule
from apps.access.models import network as is_network
from apps.access.services import whereabouts
from apps.core.api import PortalModelViewSet, resource
from apps.core.api_fields import KnownKeys
from apps.core.api_filters import IdFilter

MOST = 200


class SignInRuleSerializer(KnownKeys, serializers.ModelSerializer[SignInRule]):
    """The prefixes from which a user, or everybody who holds a role, may sign in; the other one is null."""

    networks = serializers.ListField(
        child=serializers.CharField(max_length=49, validators=[is_network]), min_length=1, max_length=MOST
    )

    class Meta:
        model = SignInRule
        fields = ("id", "user", "role", "networks")
        validators = ()  # below

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one subject and no other; it stays the same."""
        if self.instance is not None:
            moved = [name for name in ("user", "role") if name in attrs and attrs[name] != getattr(self.instance, name)]
            if moved:
                raise serializers.ValidationError({moved[0]: [_("Remove this rule and make another one.")]})
        elif (attrs.get("user") is None) == (attrs.get("role") is None):
            raise serializers.ValidationError({"user": [_("Name either a user or a role.")]})
        return attrs


class SignInRuleFilter(django_filters.FilterSet):
    """Which rules."""

    id = IdFilter()
    user = IdFilter()
    role = IdFilter()


class SignInRuleViewSet(PortalModelViewSet):
    """From where users, and the holders of roles, may sign in; without a rule from everywhere."""

    queryset = SignInRule.objects.all()
    serializer_class = SignInRuleSerializer
    filterset_class = SignInRuleFilter
    search_fields = ("user__username", "role__name")
    reading = writing = "access"

    def perform_create(self, serializer: Any) -> SignInRule:
        """Make a rule."""
        sent = serializer.validated_data
        made = whereabouts.restrict(sent.get("user") or sent["role"], sent["networks"], self.actor)
        if made is None:
            raise ValidationError({"networks": [_("Enter at least one address or prefix.")]})
        return made

    def perform_update(self, serializer: Any) -> None:
        """Change the prefixes."""
        rule = serializer.instance
        whereabouts.restrict(rule.subject, serializer.validated_data.get("networks", rule.networks), self.actor)

    def perform_destroy(self, found: SignInRule) -> None:
        """Let them come from everywhere."""
        whereabouts.restrict(found.subject, [], self.actor)


routes: list[URLPattern] = resource("sign-in-rules", SignInRuleViewSet, "sign-in-rule")
