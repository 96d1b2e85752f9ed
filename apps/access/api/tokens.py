"""The API resource of tokens."""

from dataclasses import fields
from typing import Any, cast

import django_filters
from django.urls import URLPattern
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.models import ApiToken
from apps.access.models import network as is_network
from apps.access.services import tokens
from apps.accounts.services import second_factor, signing_in
from apps.accounts.services.sign_in_names import has_unseen
from apps.core import scoping
from apps.core.actors import Actor, ActorKind
from apps.core.api import PortalViewSet, Reads, Removes, SignInRefused, resource
from apps.core.api_fields import Strict, Whole
from apps.core.api_filters import FlagFilter, IdFilter

MOST = 200  # roles, groups or networks that a token is limited to


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token as it is listed: never its secret."""

    class Meta:
        model = ApiToken
        fields = (
            "id",
            "user",
            "name",
            "prefix",
            "read_only",
            "roles",
            "permissions",
            "groups",
            "networks",
            "created_at",
            "expires_at",
            "last_used_at",
            "last_used_from",
        )
        read_only_fields = fields


class NewTokenSerializer(Strict):
    """What is sent for a token; limits that are left out, or null, leave all that its user may do."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="The code of the second factor, or a recovery code, of a user who has one.",
    )
    name = serializers.CharField(max_length=100)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    # Named as in the API, which hides an attribute of the base.
    read_only = serializers.BooleanField(required=False, default=False)  # type: ignore[assignment]
    roles = serializers.ListField(
        child=Whole(min_value=1), required=False, allow_null=True, default=None, max_length=MOST
    )
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=list(scoping.PERMISSIONS)), required=False, allow_null=True, default=None
    )
    groups = serializers.ListField(
        child=Whole(min_value=1), required=False, allow_null=True, default=None, max_length=MOST
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=49, validators=[is_network]),
        required=False,
        default=list,
        max_length=MOST,
    )

    def validate_username(self, value: str) -> str:
        """Refuse characters that nobody sees."""
        if has_unseen(value):
            raise serializers.ValidationError(_("This name holds characters that nobody sees."))
        return value


class MadeTokenSerializer(serializers.Serializer[Any]):
    """What comes back, this once."""

    id = serializers.IntegerField()
    token = serializers.CharField()


class TokenFilter(django_filters.FilterSet):
    """Which tokens."""

    id = IdFilter()
    user = IdFilter()
    name = django_filters.CharFilter()
    prefix = django_filters.CharFilter()
    read_only = FlagFilter()


class TokenViewSet(Reads, Removes, mixins.ListModelMixin, PortalViewSet):
    """The caller's own tokens, all of them for those who manage access; a new one for a name and a password."""

    queryset = ApiToken.objects.all()
    serializer_class = TokenSerializer
    filterset_class = TokenFilter
    search_fields = ("name", "prefix", "user__username")

    def is_open_to(self, user: Any) -> bool:
        """Let everybody manage his own tokens, and ask for one without being signed in."""
        return self.action == "create" or user.is_authenticated

    def get_queryset(self) -> Any:
        """Give one's own tokens, or all."""
        return cast(scoping.Scoped, super().get_queryset()).visible_to(self.request.user)

    def get_authenticators(self) -> list[Any]:
        """Ask nobody who makes a token for another sign-in than the one in the body."""
        makes = self.request is not None and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [] if makes else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        """Let everybody try the password."""
        return [] if self.action == "create" else list(super().get_permissions())

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def create(self, request: Request) -> Response:
        """Give a token for a name and a password; its secret is in this answer and nowhere else."""
        sent = NewTokenSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        asked = sent.validated_data
        user = signing_in.check(request._request, asked["username"], asked["password"], "token.create")
        if user is None:
            raise SignInRefused(signing_in.REFUSED)
        if user.must_change_password:
            raise exceptions.PermissionDenied(_("You must change your password first, at /password/."))
        if signing_in.needs_code(user):
            if not asked.get("otp"):
                raise SignInRefused(_("This user has a second factor: send its code as otp."))
            if not signing_in.check_code(request._request, user, asked["otp"], "token.create"):
                raise SignInRefused(signing_in.CODE_REFUSED)
        elif second_factor.is_missing(user):
            raise exceptions.PermissionDenied(second_factor.SET_UP_FIRST)
        signing_in.settle(request._request, user)
        actor = Actor(ActorKind.USER, user.username, user, request.META.get("REMOTE_ADDR"))
        limits = tokens.Limits(**{field.name: asked[field.name] for field in fields(tokens.Limits)})
        made = tokens.create(user, asked["name"], actor, expires_at=asked.get("expires_at"), limits=limits)
        body = {"id": made.token.pk, "token": made.secret}
        headers = {"Location": f"{request.path}{made.token.pk}/", "Cache-Control": "no-store"}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)

    def perform_destroy(self, found: ApiToken) -> None:
        """Take a token back."""
        tokens.remove(found, self.actor)


routes: list[URLPattern] = resource("tokens", TokenViewSet)
