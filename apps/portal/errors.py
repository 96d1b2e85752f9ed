"""The pages for requests that did not work out; each has an id that also stands in the log."""

import logging
import secrets
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _

from apps.accounts.views import next_of
from apps.core import banners

log = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that makes no sense."""
    return _answer(request, HTTPStatus.BAD_REQUEST, _("The portal does not understand this request."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request for which the rights do not suffice."""
    return _answer(request, HTTPStatus.FORBIDDEN, _("You may not do this."))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for a page that does not exist, or that the user may not know of."""
    return _answer(request, HTTPStatus.NOT_FOUND, _("There is no such page."))


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """Answer for an address that takes nothing in this way, such as a button's that was opened as a page."""
    return _answer(request, HTTPStatus.METHOD_NOT_ALLOWED, _("This address is not used in this way."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of ours; needs neither the database nor a session."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("The portal made a mistake."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer for a form that was open too long or came from elsewhere; who signed in in another tab is led on."""
    if request.path.startswith(settings.LOGIN_URL) and request.user.is_authenticated:
        return HttpResponseRedirect(next_of(request))
    sentence = _("This form has expired. Load the page again, then repeat what you did.")
    return _answer(request, HTTPStatus.FORBIDDEN, sentence)


def _answer(request: HttpRequest, status: HTTPStatus, sentence: str) -> HttpResponse:
    error_id = secrets.token_hex(4)
    level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    log.log(level, "error %s: %s for %s %s", error_id, status.value, request.method, request.path)
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": sentence}
        problem["instance"] = f"error:{error_id}"
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    if request.headers.get("HX-Request") == "true":
        text = _("%(sentence)s (error %(id)s)") % {"sentence": sentence, "id": error_id}
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    facts = {"error_id": error_id, "sentence": sentence, "shell": {"banners": banners.of(request)}}
    page = loader.get_template(f"{status.value}.html").render(facts)
    return HttpResponse(page, status=status)
