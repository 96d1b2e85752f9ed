"""Writes down who was refused: without the permission, with a change of what he may not see, with a forged token."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from apps.core.actors import Actor, ActorKind
from apps.core.audit import record_refusal

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
                actor = Actor.of(request)
                record_refusal(actor, "access.ask", name=actor.request, after={"status": status})
        elif "Authorization" in request.headers and status in {401, 403}:
            address, asked = request.META.get("REMOTE_ADDR"), f"{request.method} {request.path}"[:200]
            nobody = Actor(ActorKind.TOKEN, "", None, address, asked)
            actor = getattr(request, "refused_actor", nobody)
            record_refusal(actor, "token.use", name=asked, after={"status": status})
        return response
