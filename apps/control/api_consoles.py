"""The API resource of consoles: those that are open, closing one, and what machines said on them."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.http import Http404, StreamingHttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.control.consoles import door
from apps.control.models import ConsoleSession
from apps.control.services.consoles import OPENING, TAKING_OVER, Person, fetch_transcript
from apps.core.api import ScopedViewSet, resource
from apps.core.api_files import AnyFile
from apps.core.api_filters import IdFilter
from apps.core.errors import Conflict
from apps.core.sent_file import file_response

OPEN, CLOSED, ALL = "open", "closed", "all"
STATES = (
    (OPEN, pgettext_lazy("console", "Open")),
    (CLOSED, pgettext_lazy("console", "Closed")),
    (ALL, gettext_lazy("Both")),
)


class ConsoleSerializer(serializers.ModelSerializer[ConsoleSession]):
    """A console: of which component, since when, opened by whom and from where, and who types now.

    ``closed_at`` is null while it is open. Of one that is closed: how it ended, and how many bytes of it are kept.
    """

    component_name = serializers.CharField(source="component.__str__", read_only=True)
    opened_by = serializers.CharField(source="opened_by_name", read_only=True)
    holder = serializers.CharField(source="holder_name", read_only=True)

    class Meta:
        model = ConsoleSession
        fields = (
            *("id", "component", "component_name", "interface", "opened_at", "opened_by", "opened_from", "holder"),
            *("method", "speed", "closed_at", "end", "transcript_size"),
        )
        read_only_fields = fields


class ConsoleFilter(django_filters.FilterSet):
    """Which consoles; without ``state`` those that are open."""

    id = IdFilter()
    component = IdFilter()
    state = django_filters.ChoiceFilter(choices=STATES, method="by_state")

    def by_state(self, queryset: QuerySet[ConsoleSession], name: str, value: str) -> QuerySet[ConsoleSession]:
        """Nothing here: the default has to be applied also when nobody asks."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[ConsoleSession]) -> QuerySet[ConsoleSession]:
        """Apply the filters, and show open ones alone unless somebody asks for others."""
        found = super().filter_queryset(queryset)
        state = self.form.cleaned_data.get("state") or OPEN
        return found if state == ALL else found.filter(closed_at__isnull=state == OPEN)


class ConsoleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Consoles that are open now; closed ones, as long as they are kept, for whoever may open consoles.

    Opening one takes a browser: see the page of its component.
    """

    queryset = ConsoleSession.objects.select_related("component").order_by("pk")
    serializer_class = ConsoleSerializer
    filterset_class = ConsoleFilter
    search_fields = ("component__name", "component__alias", "opened_by_name", "holder_name")
    writing = OPENING
    permission_words: ClassVar[Mapping[str, str]] = {"transcript": OPENING}

    def get_queryset(self) -> QuerySet[Any]:
        """Give what the user may see of them."""
        found = super().get_queryset()
        if getattr(self, "swagger_fake_view", False) or self.action == "transcript":
            return found
        if self.action == "destroy":
            return found.filter(closed_at=None)
        opens = ConsoleSession.objects.visible_to(self.request.user, OPENING).order_by()
        return found.filter(Q(closed_at=None) | Q(pk__in=opens.values("pk")))

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    @action(detail=True, content_negotiation_class=AnyFile)
    def transcript(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Give what the machine said on it, as a file, also while it is open; who takes it is written down."""
        found = fetch_transcript(self.get_object(), self.actor)
        if found is None:
            raise Http404
        return file_response(request._request, found.name, found.kind, found.parts)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Close it: who opened it may, and an administrator (the permission ``components`` in its group).

        It is closed within a second, and its viewers are told.
        """
        session = self.get_object()
        user: Any = request.user
        own = session.opened_by_id == user.pk
        self.require(session.component.group_id, OPENING if own else TAKING_OVER)
        actor = self.actor
        person = Person(user.pk, actor.name, actor.address, actor.request, may_take_over=not own)
        try:
            door.close(session.interface_id or 0, person)
        except door.Away as error:
            raise Conflict(_("The console process does not answer at the moment.")) from error
        return Response(status=status.HTTP_204_NO_CONTENT)


routes: list[URLPattern] = resource("consoles", ConsoleViewSet)
