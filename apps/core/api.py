"""What every API resource is made of: pages, search, permission words, scope, versions of objects, and answers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import QuerySet
from django.http import Http404
from django.urls import URLPattern
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, mixins, serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from apps.core import scoping
from apps.core.actors import Actor
from apps.core.api_fields import Nothing
from apps.core.api_filters import refuse_unknown_parameters
from apps.core.models import Job
from apps.core.paging import Pages, Search
from apps.core.problems import Conflict, PreconditionFailed, SignInRefused, problem, problem_details
from apps.core.writes import turn

__all__ = [
    "Accepted",
    "Changes",
    "Conflict",
    "Creates",
    "Pages",
    "PortalModelViewSet",
    "PortalViewSet",
    "PreconditionFailed",
    "Reads",
    "Removes",
    "ScopedModelViewSet",
    "ScopedReadOnlyViewSet",
    "ScopedViewSet",
    "Search",
    "SignInRefused",
    "accepted",
    "problem",
    "problem_details",
    "resource",
    "sent",
]


class PortalViewSet(GenericViewSet[Any]):
    """A resource over the whole portal: each action needs a permission word, held over the whole fleet.

    Single objects carry an ``ETag``; ``If-Match`` is optional, and when it is stale nothing is done (412). The version
    covers the editable fields, and those of the rows in ``etag_related``, not what the portal measures by itself.
    """

    permission_words: ClassVar[Mapping[str, str]] = {}
    reading = "view"  # for actions that permission_words does not name, when they read
    writing = "view"  # and when they write
    etag_related: ClassVar[Sequence[str]] = ()
    query_parameters: ClassVar[Sequence[OpenApiParameter]] = ()  # those of a list that filters by itself
    http_method_names: Sequence[str] = ("get", "post", "patch", "delete", "head", "options")
    lookup_value_converter = "int"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Sign in and permit; then, where an order takes no body, refuse whatever was sent with it."""
        super().initial(request, *args, **kwargs)
        if request.method in {"POST", "PATCH"} and self.action and self.serializer_class is Nothing:
            Nothing(data=sent(request)).is_valid(raise_exception=True)

    def paginate_queryset(self, queryset: Any) -> Any:
        """Give one page of a list, whose parameters are all known: what the address names was found before."""
        refuse_unknown_parameters(self.request, self)
        return super().paginate_queryset(queryset)

    @property
    def actor(self) -> Actor:
        """Give who acts, for the services."""
        return Actor.of(self.request)

    @property
    def word(self) -> str:
        """Give the permission that this request needs."""
        default = self.reading if self.request.method in {"GET", "HEAD", "OPTIONS"} else self.writing
        return self.permission_words.get(self.action or "", default)

    def check_permissions(self, request: Request) -> None:
        """Refuse those who do not hold the permission, before anything is read."""
        super().check_permissions(request)
        if self.action is not None and not self.is_open_to(request.user):
            raise exceptions.PermissionDenied

    def is_open_to(self, user: Any) -> bool:
        """Say whether a user may do this at all."""
        return scoping.may(user, self.word)

    def require(self, group_id: int, word: str | None = None) -> None:
        """Refuse (403) unless the user holds the permission in this group."""
        if not scoping.may(self.request.user, word or self.word, group_id):
            raise exceptions.PermissionDenied

    def get_object(self) -> Any:
        """Give the object of this address; 404 when it is not visible, 403 when not permitted, 412 when stale."""
        name = self.lookup_url_kwarg or self.lookup_field
        try:
            found = get_object_or_404(self.get_queryset(), **{self.lookup_field: self.kwargs[name]})
        except OverflowError as error:
            raise Http404 from error
        self.check_object_permissions(self.request, found)
        if self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            self.check_version(found)
        return found

    def check_version(self, found: models.Model) -> None:
        """Refuse (412) when the caller named a version that is not this one."""
        asked = self.request.headers.get("If-Match")
        if asked is None or asked.strip() == "*":
            return
        if self.etag_of(found) not in [tag.strip() for tag in asked.split(",")]:
            raise PreconditionFailed

    def etag_of(self, found: models.Model) -> str:
        """Give the version of an object."""
        rows = [found, *(row for name in self.etag_related for row in getattr(found, name).all())]
        facts = json.dumps([_facts(row) for row in rows], cls=DjangoJSONEncoder, sort_keys=True)
        return f'"{hashlib.sha256(facts.encode()).hexdigest()[:32]}"'

    def single(self, found: models.Model, code: int = status.HTTP_200_OK, **headers: str) -> Response:
        """Give one object with its version."""
        return Response(self.get_serializer(found).data, status=code, headers={"ETag": self.etag_of(found), **headers})


class Reads:
    """Gives single objects."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one object with its version."""
        answer: Response = self.single(self.get_object())
        return answer


class Creates:
    """Makes objects; ``perform_create`` calls the service and gives the object."""

    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Check what was sent, then have it made."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        found = self.perform_create(serializer)
        answer: Response = self.single(found, status.HTTP_201_CREATED, Location=f"{request.path}{found.pk}/")
        return answer


class Changes:
    """Changes objects; ``perform_update`` calls the service with ``serializer.instance`` and what was sent."""

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Check what was sent, then have it changed; the look at the version and the change are one transaction."""
        with turn():
            found = self.get_object()
            serializer = self.get_serializer(found, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            self.perform_update(serializer)
        answer: Response = self.single(self.get_queryset().get(pk=found.pk))
        return answer


class Removes:
    """Removes objects; ``perform_destroy`` calls the service."""

    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Have the object removed."""
        with turn():
            self.perform_destroy(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


def sent(request: Request) -> Any:
    """Give the body where it is one of ours; what comes as a form has nothing that an order without a body reads."""
    try:
        return request.data
    except exceptions.UnsupportedMediaType:
        return {}


def _facts(row: models.Model) -> list[Any]:
    return [row._meta.label, row.pk, [field.value_from_object(row) for field in row._meta.fields if field.editable]]


class ScopedViewSet(PortalViewSet):
    """A resource whose rows belong to groups: what is not visible does not exist, what is not permitted is refused."""

    def is_open_to(self, user: Any) -> bool:
        """Let everybody read what he sees, and write who may somewhere; of one object, whether it is seen is first."""
        return self.word == "view" or bool(self.detail) or scoping.may_somewhere(user, self.word)

    def get_queryset(self) -> QuerySet[Any]:
        """Give what the user may see, whatever the action: refusing comes after seeing."""
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset().none()
        return cast(scoping.Scoped, super().get_queryset()).visible_to(self.request.user)

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        """Refuse what is visible but not permitted in its group."""
        super().check_object_permissions(request, obj)
        if self.word != "view":
            group = self.group_of(obj)
            allowed = scoping.may(request.user, self.word, group)
            if not allowed:
                raise exceptions.PermissionDenied

    def group_of(self, found: Any) -> int | None:
        """Give the id of the group that an object belongs to, by its model's ``scope_path``."""
        *way, last = getattr(type(found), "scope_path", "group").split("__")
        for name in way:
            found = getattr(found, name)
        value = getattr(found, f"{last}_id", None)
        if value is None:
            value = getattr(found, last)
        pk: int | None = value.pk if isinstance(value, models.Model) else value
        return pk


class ScopedReadOnlyViewSet(Reads, mixins.ListModelMixin, ScopedViewSet):
    """A scoped resource that is listed and read; actions may do more."""


class ScopedModelViewSet(Reads, Creates, Changes, Removes, mixins.ListModelMixin, ScopedViewSet):
    """A scoped resource that is listed, read, made, changed and removed through services."""


class PortalModelViewSet(Reads, Creates, Changes, Removes, mixins.ListModelMixin, PortalViewSet):
    """The same for rows that belong to the whole portal."""


def resource(prefix: str, viewset: type[GenericViewSet[Any]], basename: str | None = None) -> list[URLPattern]:
    """Give the routes of a resource with all its actions; they are named ``<basename>-list``, ``-detail`` and so on."""
    router = SimpleRouter(use_regex_path=False)
    router.register(prefix, viewset, basename=basename or prefix.rstrip("s"))
    return [url for url in router.urls if isinstance(url, URLPattern)]


class Accepted(serializers.Serializer[Job]):
    """What an accepted request is answered with, for the API's description."""

    job = serializers.IntegerField()
    url = serializers.URLField()


def accepted(job: Job, request: Request | None = None) -> Response:
    """Answer 202 with the job that does what was asked; with the request, the address is a full one."""
    url = reverse("job-detail", args=[job.pk], request=request)
    return Response({"job": job.pk, "url": url}, status=status.HTTP_202_ACCEPTED, headers={"Location": url})
