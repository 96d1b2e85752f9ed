"""The API resource of the audit: entries, their chain, and all of them as a file."""

from collections.abc import Mapping
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.urls import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import scoping
from apps.core.actors import ActorKind
from apps.core.api import PortalViewSet, Reads, resource
from apps.core.api_fields import Nothing
from apps.core.api_files import AnyFile
from apps.core.api_filters import AddressFilter, IdFilter, WordsFilter, chosen, refuse_unknown_parameters
from apps.core.audit import badge, export, listing
from apps.core.models import AuditEntry, Outcome
from apps.core.paging import LIMIT, MOST, WalkedPages, before_id, number


class AuditSerializer(serializers.ModelSerializer[AuditEntry]):
    """One act."""

    user = serializers.IntegerField(source="user_id", allow_null=True)

    class Meta:
        model = AuditEntry
        fields = (
            *("id", "at", "actor_kind", "actor_name", "login", "user", "address", "request", "action", "object_type"),
            *("object_id", "object_name", "group", "former_group", "before", "after", "outcome", "form", "sequence"),
            "digest",
        )
        read_only_fields = fields


class ChainSerializer(serializers.Serializer[badge.Badge]):
    """How the chain is."""

    state = serializers.ChoiceField(choices=["intact", "broken", "unchecked"], source="word")
    entries = serializers.IntegerField()
    checked_at = serializers.DateTimeField(allow_null=True)
    broken_at = serializers.IntegerField(allow_null=True, source="broken_sequence")
    why = serializers.CharField(source="broken_why")
    percent = serializers.IntegerField(allow_null=True)


class AuditFilter(django_filters.FilterSet):
    """Which acts; they are named as the fields, and ``who`` and ``family`` as on the page."""

    id = IdFilter()
    actor_kind = WordsFilter(choices=ActorKind.choices)
    actor_name = django_filters.CharFilter(max_length=300)
    login = django_filters.CharFilter(max_length=300)
    address = AddressFilter()
    action = django_filters.CharFilter(max_length=60)
    family = django_filters.CharFilter(max_length=60)
    object_type = django_filters.CharFilter(max_length=60)
    object_id = django_filters.CharFilter(max_length=60)
    object_name = django_filters.CharFilter(max_length=300)
    group = IdFilter()
    sequence = IdFilter()
    outcome = WordsFilter(choices=Outcome.choices)
    at_after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    at_before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")


CALLED = {"at_after": "from", "at_before": "to", "actor_kind": "kind", "login": "who"}  # as listing calls it


class AuditPages(WalkedPages):
    """Walks the audit by ``?before=<id>``.

    ``count`` stops at 10,000. Where several filters or words are asked for, one answer looks through so many entries
    and counts those; ``next`` goes on where it stopped, also when nothing was found there.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Give a piece of the list."""
        self.request = request
        self.limit, self.page = number(request, "limit", LIMIT, MOST), number(request, "page", 1, None)
        before, wanted = before_id(request), view.wanted
        if "page" in request.query_params:
            found = listing.every(request.user, wanted)
            self.count = found.order_by()[: listing.COUNTED].count()
            start = (self.page - 1) * self.limit
            ids = list(found.newest_first().values_list("pk", flat=True)[start : start + self.limit + 1])
            self.older = ids[self.limit - 1] if len(ids) > self.limit else None
            return listing.in_order(ids[: self.limit])
        piece = listing.stretch(request.user, wanted, before, self.limit)
        self.older = piece.older
        all_here = before is None and self.older is None
        self.count = len(piece.entries) if all_here else listing.count(request.user, wanted)
        return piece.entries


class AuditViewSet(Reads, PortalViewSet):
    """Who did what, as far as it concerned groups in which the user may read the audit."""

    queryset = AuditEntry.objects.all()
    serializer_class = AuditSerializer
    filterset_class = AuditFilter
    pagination_class = AuditPages
    reading = writing = "audit"

    def is_open_to(self, user: Any) -> bool:
        """Open it to whoever may read some of it; the chain is walked through for those who see all of it."""
        return scoping.may(user, "audit") if self.action == "verify" else scoping.may_somewhere(user, "audit")

    def get_queryset(self) -> QuerySet[Any]:
        """Give what the user may see."""
        rows = AuditEntry.objects.all()
        return rows.none() if getattr(self, "swagger_fake_view", False) else rows.visible_to(self.request.user)

    @property
    def wanted(self) -> Mapping[str, Any]:
        """Give the filters that were sent; raises a 400 naming one that has a bad value."""
        self.filter_queryset(AuditEntry.objects.none())
        filters = AuditFilter(self.request.query_params, queryset=AuditEntry.objects.none())
        filters.is_valid()
        sent = {name: value for name, value in filters.form.cleaned_data.items() if value not in (None, "", [])}
        words = self.request.query_params.get("q", "").strip()
        return {CALLED.get(name, name): value for name, value in sent.items()} | ({"q": words} if words else {})

    def list(self, request: Request) -> Response:
        """Give a piece of the audit, newest first."""
        page = self.paginate_queryset(AuditEntry.objects.none())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("file", str, enum=export.KINDS, description="jsonl by default")],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, (200, "text/csv"): OpenApiTypes.STR},
    )
    @action(
        detail=False,
        content_negotiation_class=AnyFile,
        pagination_class=None,
        query_parameters=(OpenApiParameter("file", str),),
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        """Give all entries that match, newest first, as JSON Lines or CSV; that is audited itself."""
        kind = chosen(request, "file", export.KINDS) or export.JSON_LINES
        refuse_unknown_parameters(request, self)
        asked = request.query_params.copy()
        asked.pop("file", None)
        return export.answer(request._request, request.user, self.wanted, kind, self.actor, asked.urlencode())

    @extend_schema(responses=ChainSerializer)
    @action(detail=False, pagination_class=None, filterset_class=None, filter_backends=())
    def chain(self, request: Request) -> Response:
        """Say how the chain is."""
        return Response(ChainSerializer(badge.of_chain()).data)

    @extend_schema(request=None, responses={202: OpenApiResponse(ChainSerializer)})
    @action(detail=False, methods=["post"], serializer_class=Nothing)
    def verify(self, request: Request) -> Response:
        """Have the whole chain walked through, from the beginning."""
        badge.look_now()
        return Response(ChainSerializer(badge.of_chain()).data, status=status.HTTP_202_ACCEPTED)


routes: list[URLPattern] = resource("audit", AuditViewSet)
