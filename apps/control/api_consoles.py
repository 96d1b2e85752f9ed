"""The API resource of consoles: those that are open, and closing one."""

from typing import Any

from django.urls import URLPattern
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.control.consoles import door
from apps.control.models import ConsoleSession
from apps.control.services.consoles import TAKING_OVER, Person
from apps.core.api import ScopedViewSet, resource
from apps.core.errors import Conflict


class ConsoleSerializer(serializers.ModelSerializer[ConsoleSession]):
    """A console that is open: of which component, since when, opened by whom and from where, and who types now."""

    component_name = serializers.CharField(source="component.__str__", read_only=True)
    opened_by = serializers.CharField(source="opened_by_name", read_only=True)
    holder = serializers.CharField(source="holder_name", read_only=True)

    class Meta:
        model = ConsoleSession
        fields = (
            *("id", "component", "component_name", "interface", "opened_at", "opened_by", "opened_from", "holder"),
            *("method", "speed"),
        )
        read_only_fields = fields


class ConsoleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Consoles that are open now. Opening one takes a browser: see the page of its component."""

    queryset = ConsoleSession.objects.open().select_related("component").order_by("pk")
    serializer_class = ConsoleSerializer
    search_fields = ("component__name", "component__alias", "opened_by_name", "holder_name")
    writing = "console"

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Close it: who opened it may, and an administrator (the permission ``components`` in its group).

        It is closed within a second, and its viewers are told.
        """
        session = self.get_object()
        user: Any = request.user
        own = session.opened_by_id == user.pk
        self.require(session.component.group_id, "console" if own else TAKING_OVER)
        actor = self.actor
        person = Person(user.pk, actor.name, actor.address, actor.request, may_take_over=not own)
        try:
            door.close(session.interface_id or 0, person)
        except door.Away as error:
            raise Conflict(_("The console process does not answer at the moment.")) from error
        return Response(status=status.HTTP_204_NO_CONTENT)


routes: list[URLPattern] = resource("consoles", ConsoleViewSet)
