"""Writes down who was refused: without the permission, with a change of what he may not see, with a forged token."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from apps.core.actors import Actor, ActorKind
from apps.core.audit import record
from apps.core.models import Outcome
from apps.core.writes import turn

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class RefusalMiddleware(MiddlewareMixin):
    """Looks at what is answered, when whatever was begun is rolled back."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Audit a refusal."""
        status = response.status_code
        if status not in {401, 403, 404}:
            return response
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            unseen = status == 404 and request.method not in READING and request.resolver_match is not None
            if status == 403 or unseen:
                _note(Actor.of(request), "access.ask", status)
        elif "Authorization" in request.headers and status in {401, 403}:
            address, asked = request.META.get("REMOTE_ADDR"), f"{request.method} {request.path}"[:200]
            _note(Actor(ActorKind.TOKEN, "", None, address, asked), "token.use", status)
        return response


def _note(actor: Actor, action: str, status: int) -> None:
    with turn():
        record(actor, action, name=actor.request, after={"status": status}, outcome=Outcome.REFUSED)
