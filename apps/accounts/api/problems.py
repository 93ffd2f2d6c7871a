"""One shape for every error: RFC 9457 problem details with a stable ``code``.

``{"type", "title", "status", "detail", "code", "errors": [{"field", "code", "detail"}], "request_id"}``

An answer about a missing object and about somebody else's carries no other request-specific text than the
``request_id``, so the two can't be told apart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from django.core import exceptions as django_exceptions
from django.core.signals import got_request_exception
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils.log import log_response
from rest_framework import exceptions as rest_exceptions

from apps.accounts.actors import request_context
from apps.accounts.audit import NotAudited
from apps.accounts.outages import RETRY_AFTER, is_outage
from apps.accounts.tenancy.scope import current_account_id, platform_reason

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "/api/v1/docs/#problem-"

TITLES = {
    "validation_failed": "Some values are not valid",
    "malformed": "The request can't be read",
    "malformed_json": "The body is not valid JSON",
    "invalid_cursor": "This cursor does not belong to this list",
    "not_authenticated": "Nobody is signed in",
    "invalid_key": "The API key is not valid",
    "permission_denied": "Your role may not do this",
    "csrf_failed": "The CSRF token is missing or wrong",
    "not_found": "Not found",
    "method_not_allowed": "This address does not know the method",
    "not_acceptable": "The answer can't be given in that format",
    "conflict": "The request conflicts with what is stored",
    "precondition_failed": "The object has changed meanwhile",
    "too_large": "The body is too large",
    "unsupported_media_type": "Bodies of that type are not understood here",
    "rate_limited": "Too many requests",
    "not_audited": "What can't be written to the audit trail is not done",
    "server_error": "Something failed on our side",
    "unavailable": "This does not answer at the moment",
}
"""What each code means, in words. Other floors add theirs with ``declare``."""

FAULT = "The fault is logged under the request's id."
AWAY = "A server that this needs is away. Nothing was done. Try again in a few seconds."
NOT_FOUND_DETAIL = "There is nothing at this address, or it is not yours."


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one value: ``field`` is its path ("scopes.0"), "" for the body as a whole."""

    field: str
    code: str
    detail: str


class Problem(Exception):
    """Raise it in a view, or map another exception to it with ``declare``."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.status, self.code, self.detail = status, code, detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        """More that a program may want to know (RFC 9457 section 3.2), by name."""


@dataclass(frozen=True)
class _Kind:
    status: int
    code: str
    detail: str = ""
    headers: dict[str, str] = field(default_factory=dict)


MALFORMED = "Something in its address, its headers or its body is not as HTTP has it."
_kinds: dict[type[Exception], _Kind] = {
    NotAudited: _Kind(503, "not_audited", "The audit trail can't be written at the moment. Try again later."),
    django_exceptions.RequestDataTooBig: _Kind(413, "too_large", "Send less at a time, or send it as a file."),
    django_exceptions.TooManyFieldsSent: _Kind(413, "too_large", "The form has too many fields."),
    django_exceptions.TooManyFilesSent: _Kind(413, "too_large", "The form has too many files."),
    django_exceptions.BadRequest: _Kind(400, "malformed", MALFORMED),
    django_exceptions.SuspiciousOperation: _Kind(400, "malformed", MALFORMED),
    MultiPartParserError: _Kind(400, "malformed", "The multipart body can't be read."),
    UnreadablePostError: _Kind(400, "malformed", "The body ended before it was complete."),
    RawPostDataException: _Kind(400, "malformed", MALFORMED),
    IntegrityError: _Kind(409, "conflict", "Another change came first. Read the object again and repeat."),
}


def declare(
    exception: type[Exception], status: int, code: str, *, title: str, detail: str = "", **headers: str
) -> None:
    """Answer ``exception`` with this problem; a floor does this at start-up for its own. "" shows its own words."""
    TITLES[code] = title
    _kinds[exception] = _Kind(status, code, detail, {name.replace("_", "-"): text for name, text in headers.items()})


_made: dict[type[Exception], Callable[[Any], Problem]] = {}


def declare_made(exception: type[Exception], code: str, make: Callable[[Any], Problem], *, title: str) -> None:
    """Answer ``exception`` with the problem that ``make`` makes of it: where what it says is not always the same."""
    TITLES[code] = title
    _made[exception] = make


def problem_response(problem: Problem) -> HttpResponse:
    """The answer, outside of REST framework too."""
    body = {
        "type": TYPE_PREFIX + problem.code.replace("_", "-"),
        "title": TITLES.get(problem.code, HTTPStatus(problem.status).phrase),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "errors": [{"field": e.field, "code": e.code, "detail": e.detail} for e in problem.errors],
        "request_id": request_context().request_id,
        **problem.members,
    }
    return HttpResponse(orjson.dumps(body), content_type=CONTENT_TYPE, status=problem.status, headers=problem.headers)


def handle(exception: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """REST framework's exception handler: undo what the request wrote, and say why in one shape."""
    if current_account_id() is not None or platform_reason() is not None:
        transaction.set_rollback(True)
    problem = to_problem(exception)
    response = problem_response(problem or Problem(500, "server_error", FAULT))
    if response.status_code == 500 or is_outage(exception):
        _report(exception, context["request"]._request, response)
    return response


def to_problem(exception: Exception) -> Problem | None:
    """The problem that ``exception`` stands for, or None for a fault of ours."""
    if isinstance(exception, Problem):
        return exception
    if isinstance(exception, Http404 | rest_exceptions.NotFound | django_exceptions.ObjectDoesNotExist):
        return Problem(404, "not_found", NOT_FOUND_DETAIL)
    if isinstance(exception, django_exceptions.ValidationError):
        return invalid(_django_errors(exception))
    if isinstance(exception, django_exceptions.PermissionDenied):
        return Problem(403, "permission_denied", str(exception))
    if isinstance(exception, rest_exceptions.ValidationError):
        return invalid(_rest_errors(exception.detail, exception.get_codes()))
    if isinstance(exception, rest_exceptions.APIException):
        return _from_rest(exception)
    for kind in type(exception).__mro__:
        if kind in _made:
            return _made[kind](exception)
        if kind in _kinds:
            found = _kinds[kind]
            return Problem(found.status, found.code, found.detail or _own_words(exception), headers=found.headers)
    if is_outage(exception):
        return Problem(503, "unavailable", AWAY, headers={"Retry-After": str(RETRY_AFTER)})
    return None


def invalid(errors: Iterable[FieldError]) -> Problem:
    """400 with what is wrong where."""
    errors = list(errors)
    names = ", ".join(dict.fromkeys(error.field for error in errors if error.field))
    return Problem(400, "validation_failed", f"See: {names}." if names else "", errors=errors)


_REST_CODES = {"parse_error": "malformed", "throttled": "rate_limited", "authentication_failed": "invalid_key"}


def _from_rest(exception: rest_exceptions.APIException) -> Problem:
    code = str(exception.get_codes())
    headers = {}
    if header := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(exception, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return Problem(exception.status_code, _REST_CODES.get(code, code), str(exception.detail), headers=headers)


def _own_words(exception: Exception) -> str:
    # Words of the framework and of the database stay in the log: they may quote what was sent or stored.
    return str(exception) if type(exception).__module__.startswith("apps.") else ""


def _django_errors(exception: django_exceptions.ValidationError) -> list[FieldError]:
    fields = exception.error_dict if hasattr(exception, "error_dict") else {"": exception.error_list}
    return [
        FieldError("" if name == django_exceptions.NON_FIELD_ERRORS else name, error.code or "invalid", words)
        for name, errors in fields.items()
        for error in errors
        for words in error.messages
    ]


def _rest_errors(detail: Any, codes: Any, path: str = "") -> list[FieldError]:
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            below = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            found += _rest_errors(inner, codes[name], below)
        return found
    if isinstance(detail, list):
        return [error for inner, code in zip(detail, codes, strict=True) for error in _rest_errors(inner, code, path)]
    return [FieldError(path, str(codes), str(detail))]


def _report(exception: Exception, request: HttpRequest, response: HttpResponse) -> None:
    """What Django does for an unhandled exception: mark the request, tell the signal, log the traceback."""
    request.failed = True  # type: ignore[attr-defined]
    got_request_exception.send(sender=None, request=request)
    log_response(
        "%s: %s", response.reason_phrase, request.path, response=response, request=request, exception=exception
    )
