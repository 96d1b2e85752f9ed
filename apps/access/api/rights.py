"""The API's answers to who may do what where, and why."""

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access import rights
from apps.access.models import ApiToken, Grant
from apps.access.rights import Reasons, Rights
from apps.accounts.models import User
from apps.core import scoping
from apps.core.api import PortalViewSet
from apps.core.api_filters import chosen, numbered
from apps.groups.models import Group


class HolderSerializer(serializers.Serializer[Any]):
    """Who holds a role: a user himself, or a team that he is in."""

    kind = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()


class BecauseSerializer(serializers.Serializer[Any]):
    """One grant by which a permission is held."""

    grant = serializers.IntegerField()
    role = serializers.IntegerField()
    role_name = serializers.CharField()
    holder = HolderSerializer()
    group = serializers.IntegerField()
    group_name = serializers.CharField()


class HeldSerializer(serializers.Serializer[Any]):
    """One permission, and why it is held."""

    permission = serializers.ChoiceField(choices=list(scoping.PERMISSIONS))
    because = BecauseSerializer(many=True)


class RightsSerializer(serializers.Serializer[Any]):
    """What is held in one group and why."""

    group = serializers.IntegerField()
    group_name = serializers.CharField()
    permissions = HeldSerializer(many=True)


class HoldersSerializer(serializers.Serializer[Any]):
    """What one user holds in the group that was asked about, and why."""

    user = serializers.IntegerField()
    username = serializers.CharField()
    permissions = HeldSerializer(many=True)


PERMISSION = OpenApiParameter("permission", str, enum=list(scoping.PERMISSIONS), description="Only this permission.")
GROUP = OpenApiParameter("group", int, description="Only in this group.")


class RightsViewSet(PortalViewSet):
    """What a user or a token may do in every group, and why. Everybody asks about himself and his own tokens."""

    queryset = User.objects.none()
    serializer_class = RightsSerializer
    filter_backends = ()
    query_parameters = (PERMISSION, GROUP)
    reading = "access"

    def is_open_to(self, user: Any) -> bool:
        """Let everybody ask about what is his."""
        return bool(user.is_authenticated)

    @extend_schema(parameters=[*query_parameters], responses=RightsSerializer(many=True))
    def of_user(self, request: Request, pk: int) -> Response:
        """Give what a user may do."""
        user: Any = request.user
        if not scoping.may(user, "access") and pk not in scoping.owners(user):
            raise exceptions.PermissionDenied
        return self._answer(Rights(get_object_or_404(User, pk=pk)))

    @extend_schema(parameters=[*query_parameters], responses=RightsSerializer(many=True))
    def of_token(self, request: Request, pk: int) -> Response:
        """Give what a token may do."""
        token = get_object_or_404(ApiToken.objects.visible_to(request.user).select_related("user"), pk=pk)
        return self._answer(Rights(token.user, token))

    def _answer(self, held: Rights) -> Response:
        word = chosen(self.request, "permission", list(scoping.PERMISSIONS))
        group = numbered(self.request, "group", 1, 2**63 - 1) if "group" in self.request.query_params else None
        rows = [
            {
                "group": row.subject,
                "group_name": held.tree.path_name(row.subject),
                "permissions": _held(row.reasons, word),
            }
            for row in held.rows()
            if (not word or word in row.reasons) and group in {None, row.subject}
        ]
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class HoldersViewSet(PortalViewSet):
    """Who may do what in a group, and why."""

    queryset = Group.objects.none()
    serializer_class = HoldersSerializer
    filter_backends = ()
    query_parameters = (PERMISSION,)
    reading = "access"

    @extend_schema(parameters=[*query_parameters])
    def list(self, request: Request, pk: int) -> Response:
        """Give the users who may do anything there."""
        found = get_object_or_404(Group.objects.visible_to(request.user), pk=pk)
        word = chosen(request, "permission", list(scoping.PERMISSIONS))
        rows = [
            {"user": row.subject.pk, "username": row.subject.username, "permissions": _held(row.reasons, word)}
            for row in rights.holders_in(found.pk)
            if not word or word in row.reasons
        ]
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def _held(reasons: Reasons, only: str) -> list[dict[str, Any]]:
    return [{"permission": word, "because": _because(grants)} for word, grants in reasons.items() if only in {"", word}]


def _because(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    return [
        {
            "grant": grant.pk,
            "role": grant.role_id,
            "role_name": grant.role.name,
            "holder": {"kind": grant.holder_field, "id": grant.holder.pk, "name": str(grant.holder)},
            "group": grant.group_id,
            "group_name": str(grant.group),
        }
        for grant in grants
    ]


routes: list[URLPattern] = [
    path("users/<int:pk>/access/", RightsViewSet.as_view({"get": "of_user"}), name="user-access"),
    path("tokens/<int:pk>/access/", RightsViewSet.as_view({"get": "of_token"}), name="token-access"),
    path("groups/<int:pk>/access/", HoldersViewSet.as_view({"get": "list"}), name="group-access"),
]
