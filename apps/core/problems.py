"""What the API answers when it does not do what was asked: problem details by RFC 9457, never a stack."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core import errors

CONTENT_TYPE = "application/problem+json"
WHOLE = "non_field_errors"
log = logging.getLogger(__name__)


class Conflict(exceptions.APIException):
    """What was asked does not go together with what is there: 409."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy("This does not go together with what is there already.")
    default_code = "conflict"


class PreconditionFailed(exceptions.APIException):
    """The object was changed since the caller read it: 412."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = gettext_lazy("This was changed since you read it. Read it again.")
    default_code = "precondition_failed"


class TooLarge(exceptions.APIException):
    """The body is longer than anything that is sent to an API of this kind: 413."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("What was sent is too large.")
    default_code = "too_large"


class SignInRefused(exceptions.APIException):
    """A name with its password was not accepted: 401."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = gettext_lazy("The name or the password is wrong.")
    default_code = "sign_in_refused"


def problem(request: HttpRequest, status_code: int, detail: str) -> JsonResponse:
    """Give a problem from outside the API's views, such as a middleware."""
    answer = JsonResponse(_body(request.path, status_code, detail), status=status_code, content_type=CONTENT_TYPE)
    if status_code == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def problem_details(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn whatever an API view raised into a problem; what nobody expected is logged with the id that is shown."""
    request = context.get("request")
    path = request.path if request is not None else ""
    known = _known(error)
    if known is None:
        error_id = secrets.token_hex(4)
        log.error("error %s in %s", error_id, path, exc_info=error)
        sentence = _("The portal made a mistake. Its log tells more under the number %(id)s.") % {"id": error_id}
        body = _body(path, HTTPStatus.INTERNAL_SERVER_ERROR, sentence)
        set_rollback()
        return _response({**body, "instance": f"error:{error_id}"}, HTTPStatus.INTERNAL_SERVER_ERROR)
    set_rollback()
    body = _body(path, known.status_code, _sentence(known.detail))
    if known.status_code == status.HTTP_400_BAD_REQUEST:
        body["errors"] = _flat(known.detail)
        if isinstance(known, exceptions.ValidationError):
            body["detail"] = _("Some of what was sent is not valid.")
    headers: dict[str, str] = {}
    if known.status_code == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = getattr(known, "auth_header", "") or "Bearer"
    wait = getattr(known, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    return _response(body, known.status_code, headers)


def _known(error: Exception) -> exceptions.APIException | None:
    """Give the API's exception for an exception that has a meaning; None for a mistake of ours."""
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, errors.Conflict):
        return Conflict(str(error))
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, DjangoPermissionDenied):
        return exceptions.PermissionDenied(str(error) or None)
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    if isinstance(error, ProtectedError | RestrictedError):
        held = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
        names = ", ".join(sorted(str(one) for one in held)[:5])
        return Conflict(_("This is still used by %(names)s.") % {"names": names})
    return None


def _body(path: str, status_code: int, detail: str) -> dict[str, Any]:
    title = HTTPStatus(status_code).phrase
    return {"type": "about:blank", "title": title, "status": int(status_code), "detail": detail, "instance": path}


def _response(body: dict[str, Any], status_code: int, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status=int(status_code), headers=headers, content_type=CONTENT_TYPE)


def _sentence(detail: Any) -> str:
    if isinstance(detail, Mapping):
        return _sentence(next(iter(detail.values()), ""))
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return _sentence(detail[0]) if detail else ""
    return str(detail)


def _flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Give the sentences by field: ``interfaces.0.address`` inside objects; faults of a list's items name the list."""
    found: dict[str, list[str]] = {}

    def add(name: str, sentence: str) -> None:
        sentences = found.setdefault(name or WHOLE, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def walk(value: Any, name: str) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                item = isinstance(key, int) and _is_plain(inner)
                walk(inner, name if item or key == WHOLE else f"{name}.{key}" if name else str(key))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for index, inner in enumerate(value):
                walk(inner, f"{name}.{index}" if isinstance(inner, Mapping) and inner else name)
        elif value:
            add(name, str(value))

    walk(detail, path)
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(item, str) for item in value)
