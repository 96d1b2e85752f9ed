"""Cuts the API's lists into pages and searches them; apart from ``api`` because the settings name both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.filters import BaseFilterBackend
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.core.forms import LARGEST_ID

if TYPE_CHECKING:
    from rest_framework.views import APIView

LIMIT, MOST = 100, 1000
WORDS = 8  # more words of a search are not looked at


class Pages(BasePagination):
    """``?page=`` from 1 and ``?limit=`` up to 1000; a page past the end is empty, because rows go while one reads."""

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any]:
        """Cut out the page that was asked for; a page or limit that is none is a 400 naming it."""
        self.request = request
        self.limit = number(request, "limit", LIMIT, MOST)
        self.page = number(request, "page", 1, None)
        self.count: int = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        start = (self.page - 1) * self.limit
        if start >= self.count:
            return []
        if isinstance(queryset, QuerySet):
            queryset = _settled(queryset)
        return list(queryset[start : start + self.limit])

    def get_paginated_response(self, data: Any) -> Response:
        """Give the envelope."""
        return Response(
            {"count": self.count, "next": self._link(self.page + 1), "previous": self._before(), "results": data}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the envelope."""
        link = {"type": "string", "nullable": True, "format": "uri"}
        properties = {"count": {"type": "integer"}, "next": link, "previous": link, "results": schema}
        return {"type": "object", "required": ["count", "next", "previous", "results"], "properties": properties}

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Describe the two parameters."""
        whole = {"type": "integer", "minimum": 1}
        return [
            {"name": "page", "in": "query", "required": False, "schema": {**whole, "default": 1}},
            {"name": "limit", "in": "query", "required": False, "schema": {**whole, "maximum": MOST, "default": LIMIT}},
        ]

    def _before(self) -> str | None:
        last = max(1, -(-self.count // self.limit))
        return self._link(min(self.page - 1, last))

    def _link(self, page: int) -> str | None:
        if page < 1 or (page - 1) * self.limit >= max(self.count, 1):
            return None
        here = self.request.build_absolute_uri()
        return remove_query_param(here, "page") if page == 1 else replace_query_param(here, "page", page)


class WalkedPages(Pages):
    """Pages that also walk by ``?before=<id>``, so that new rows move nothing; ``paginate_queryset`` sets ``older``."""

    older: int | None = None

    def get_paginated_response(self, data: Any) -> Response:
        """Give the envelope; the next page begins before the last row of this one."""
        by_page = "page" in self.request.query_params
        following = None
        if self.older is not None:
            name, value = ("page", self.page + 1) if by_page else ("before", self.older)
            following = replace_query_param(self.request.build_absolute_uri(), name, value)
        previous = self._before() if by_page else None
        return Response({"count": self.count, "next": following, "previous": previous, "results": data})

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Describe the parameters."""
        before = {"name": "before", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 1}}
        return [*super().get_schema_operation_parameters(view), before]


def before_id(request: Request) -> int | None:
    """Give the id behind which the list goes on; what is none is a 400 naming it."""
    raw = request.query_params.get("before")
    if raw is None:
        return None
    if raw.isascii() and raw.isdigit() and len(raw) < 20 and 1 <= int(raw) <= LARGEST_ID:
        return int(raw)
    raise exceptions.ValidationError({"before": [_("Enter an id.")]})


def _settled(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Order rows that are equal in the order asked for, so that none changes places between two pages."""
    order: Sequence[Any] = queryset.query.order_by
    if not order and queryset.query.default_ordering:
        order = queryset.model._meta.ordering or ()
    if queryset.query.distinct or {"pk", "-pk", "id", "-id"} & {name for name in order if isinstance(name, str)}:
        return queryset
    return queryset.order_by(*order, "pk")


def number(request: Request, name: str, default: int, most: int | None) -> int:
    """Give a parameter that is a number from 1; what is none is a 400 naming it."""
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if raw.isascii() and raw.isdigit() and len(raw) <= 12 and 1 <= int(raw) <= (most or int(raw)):
        return int(raw)
    if most is None:
        raise exceptions.ValidationError({name: [_("Enter a whole number from 1.")]})
    raise exceptions.ValidationError({name: [_("Enter a whole number from 1 to %(most)s.") % {"most": most}]})


class Search(BaseFilterBackend):
    """``?q=``: every word must be found, by the queryset's own ``search`` or in the view's ``search_fields``."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> QuerySet[Any]:
        """Keep what matches."""
        words = request.query_params.get("q", "")
        if "\x00" in words:
            raise exceptions.ValidationError({"q": [_("Null characters are not allowed.")]})
        fields: Sequence[str] = getattr(view, "search_fields", ())
        own = getattr(queryset, "search", None)
        if not words.strip():
            return queryset
        if not fields and own is not None:
            found: QuerySet[Any] = own(words)
            return found
        for word in words.split()[:WORDS] if fields else ():
            any_field = Q()
            for field in fields:
                any_field |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(any_field)
        return queryset

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Describe the parameter."""
        return [{"name": "q", "in": "query", "required": False, "schema": {"type": "string"}}]
