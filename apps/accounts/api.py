"""The API resources of users, for those who may manage access, and of sessions."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef
from django.urls import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api_lockouts import routes as lockout_routes
from apps.accounts.models import Session, TotpDevice, User
from apps.accounts.services import passwords, second_factor, sessions, users
from apps.core import scoping
from apps.core.api import PortalModelViewSet, PortalViewSet, Reads, Removes, resource
from apps.core.api_fields import Flag, KnownKeys, Nothing, Text
from apps.core.api_filters import AddressFilter, FlagFilter, IdFilter


class UserSerializer(KnownKeys, serializers.ModelSerializer[User]):
    """A user; the password is only ever written."""

    username = Text(help_text="Up to 150 letters, digits and @ . + - _; no name differs from another only in case.")
    password = serializers.CharField(
        write_only=True,
        max_length=1000,
        trim_whitespace=False,
        help_text="Somebody else's: one's own is changed at /password/, where the present one is asked.",
    )

    must_change_password = Flag(default=True, help_text="Whether the next sign-in asks for another password.")

    second_factor = serializers.BooleanField(
        source="has_second_factor", read_only=True, default=False, help_text="Whether sign-in asks for a code as well."
    )

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "password",
            "email",
            "first_name",
            "last_name",
            "is_active",
            "must_change_password",
            "password_changed_at",
            "second_factor",
            "directory",
            "barred",
            "last_login",
            "date_joined",
        )
        read_only_fields = ("password_changed_at", "directory", "barred", "last_login", "date_joined")


class UserFilter(django_filters.FilterSet):
    """Which users."""

    id = IdFilter()
    username = django_filters.CharFilter()
    email = django_filters.CharFilter(lookup_expr="iexact")
    first_name = django_filters.CharFilter()
    last_name = django_filters.CharFilter()
    is_active = FlagFilter()
    must_change_password = FlagFilter()
    directory = IdFilter()


class UserViewSet(PortalModelViewSet):
    """The users of the portal."""

    queryset = User.objects.annotate(
        has_second_factor=Exists(TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True))
    ).order_by("username")
    serializer_class = UserSerializer
    filterset_class = UserFilter
    search_fields = ("username", "email", "first_name", "last_name")
    reading = writing = "access"

    def perform_create(self, serializer: Any) -> User:
        """Make a user; he has to change the password that somebody else chose, unless that says otherwise."""
        fields = dict(serializer.validated_data)
        name, password = fields.pop("username"), fields.pop("password")
        must_change = fields.pop("must_change_password")
        return users.create(name, password, self.actor, must_change=must_change, fields=fields)

    def perform_update(self, serializer: Any) -> None:
        """Change a user, and his password where one is given."""
        fields = dict(serializer.validated_data)
        password = fields.pop("password", None)
        if fields:
            users.change(serializer.instance, fields, self.actor)
        if password is not None:
            must_change = fields.get("must_change_password", True)
            passwords.set_password(serializer.instance, password, self.actor, must_change=must_change)

    def perform_destroy(self, found: User) -> None:
        """Remove a user."""
        users.remove(found, self.actor)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["delete"], url_path="second-factor")
    def second_factor(self, request: Request, pk: int) -> Response:
        """Take the second factor of a user away, who lost it; one's own is turned off on its page."""
        second_factor.reset(self.get_object(), self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A browser that is signed in; never its key."""

    username = serializers.CharField(source="user.username", read_only=True)
    browser = serializers.CharField(read_only=True)
    this_one = serializers.SerializerMethodField(help_text="Whether it is the session that asks.")

    class Meta:
        model = Session
        fields = ("id", "user", "username", "signed_in_at", "active_at", "address", "browser", "agent", "this_one")
        read_only_fields = fields

    def get_this_one(self, session: Session) -> bool:
        """Compare it with the one of the request."""
        request = self.context["request"]
        return bool(session.session_key == request.session.session_key)


class SessionFilter(django_filters.FilterSet):
    """Which sessions."""

    id = IdFilter()
    user = IdFilter()
    address = AddressFilter()


class SessionViewSet(Reads, Removes, mixins.ListModelMixin, PortalViewSet):
    """Where the caller is signed in; ``?user=`` gives another user's sessions to those who manage access."""

    queryset = Session.objects.all()
    serializer_class = SessionSerializer
    filterset_class = SessionFilter
    search_fields = ("user__username", "agent")

    def is_open_to(self, user: Any) -> bool:
        """Let everybody see and end his own."""
        return bool(user.is_authenticated)

    def get_queryset(self) -> Any:
        """Give what the caller may see; a list is his own unless it says whose."""
        if getattr(self, "swagger_fake_view", False):
            return Session.objects.none()
        rows = Session.objects.visible_to(self.request.user).alive().select_related("user")
        own = self.action == "list" and "user" not in self.request.query_params
        return rows.filter(user=self.request.user.pk) if own else rows

    def perform_destroy(self, found: Session) -> None:
        """Sign that browser out."""
        sessions.end(found, self.actor)

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"], url_path="end-others", serializer_class=Nothing)
    def end_others(self, request: Request) -> Response:
        """Sign the caller out everywhere but in the session that asks; a token has none, so everywhere.

        A limited token may not.
        """
        if not scoping.owners(request.user):
            raise exceptions.PermissionDenied
        sessions.end_others(request._request, self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


routes: list[URLPattern] = [
    *resource("users", UserViewSet),
    *resource("sessions", SessionViewSet),
    *lockout_routes,
]
