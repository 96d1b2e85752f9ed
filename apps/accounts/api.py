"""The API resource of users, for those who may manage access."""

from typing import Any

import django_filters
from django.urls import URLPattern
from rest_framework import serializers

from apps.accounts.models import User
from apps.accounts.services import users
from apps.core.api import PortalModelViewSet, resource
from apps.core.api_fields import Flag, KnownKeys
from apps.core.api_filters import FlagFilter, IdFilter


class UserSerializer(KnownKeys, serializers.ModelSerializer[User]):
    """A user; the password is only ever written."""

    password = serializers.CharField(write_only=True, max_length=1000, trim_whitespace=False)

    must_change_password = Flag(default=True, help_text="Whether the next sign-in asks for another password.")

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
            "directory",
            "barred",
            "last_login",
            "date_joined",
        )
        read_only_fields = ("directory", "barred", "last_login", "date_joined")


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

    queryset = User.objects.order_by("username")
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
            users.set_password(serializer.instance, password, self.actor, must_change=must_change)

    def perform_destroy(self, found: User) -> None:
        """Remove a user."""
        users.remove(found, self.actor)


routes: list[URLPattern] = resource("users", UserViewSet)
