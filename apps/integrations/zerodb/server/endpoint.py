"""From a URL to a view and back: authentication first, then the method, then the view; errors as JSON."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.integrations.zerodb.embedding import EmbeddingFailed
from apps.integrations.zerodb.server import authentication, deprecation
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.errors import (
    ApiError,
    Problem,
    ValidationFailed,
    internal_error,
    path_not_found,
)
from apps.integrations.zerodb.server.limits import Kind, TooManyCalls
from apps.integrations.zerodb.server.scopes import Form

logger = logging.getLogger(__name__)

Answer = dict[str, Any] | list[Any] | tuple[int, dict[str, Any]]
View = Callable[..., Answer]
Guard = Callable[..., None]
DjangoView = Callable[..., HttpResponse]


def endpoint(
    *,
    open_to_all: bool = False,
    timed: bool = False,
    guard: Guard | None = None,
    counted: Kind | Mapping[str, Kind] | None = None,
    deprecated: Collection[Form] = (),
    **views: View,
) -> DjangoView:
    """One path's view: a view function per method, as ``endpoint(GET=show, POST=create)``.

    A view takes the Call and the path's arguments and returns the body, or (status, body); it refuses by
    raising ApiError. ``timed`` adds ``processing_time_ms`` to the answer. ``guard`` sees every request first, whatever
    its method, and refuses by raising too. ``counted`` says against which limit of the project's tier a call counts,
    of all methods or of each. ``deprecated`` are the forms of the path that belong to the past.
    """

    @csrf_exempt
    def serve(request: HttpRequest, **arguments: Any) -> HttpResponse:
        response = answer_to(request, **arguments)
        if deprecated and arguments["scope"].form in deprecated:
            _add_headers(response, deprecation.notice())
        return response

    def answer_to(request: HttpRequest, **arguments: Any) -> HttpResponse:
        started = time.perf_counter()
        try:
            call = Call(request, None if open_to_all else authentication.authenticate(request))
            call.counted = counted.get(request.method or "") if isinstance(counted, Mapping) else counted
            _refuse_null_characters(request)
            if guard is not None:
                guard(call, **arguments)
            # A HEAD is a GET whose body the server leaves out (RFC 9110 section 9.3.2).
            view = views.get("GET" if request.method == "HEAD" else request.method or "")
            if view is None:
                return _method_not_allowed(request, sorted(views))
            answer = view(call, **arguments)
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            if timed and isinstance(body, dict):
                body["processing_time_ms"] = round((time.perf_counter() - started) * 1000)
            response = json_response(body, status)
        except ApiError as refusal:
            return _refused(refusal)
        except EmbeddingFailed as failure:
            logger.warning("A text could not be embedded: %s", failure)
            return _refused(_not_embedded(failure))
        except OperationalError:
            logger.exception("The database did not answer a ZeroDB request.")
            return _refused(ApiError(503, "SERVICE_UNAVAILABLE", "The store is not available right now."))
        except Exception:
            logger.exception("Unexpected fault in a ZeroDB request.")
            return _refused(internal_error())
        if call.allowance is not None:
            _add_headers(response, call.allowance.headers())
        return response

    # What the server's description and the isolation tests read: which methods there are and what they do, and
    # whether a caller is needed.
    serve.methods = tuple(views)  # type: ignore[attr-defined]
    serve.summaries = {method: _summary(view) for method, view in views.items()}  # type: ignore[attr-defined]
    serve.open_to_all = open_to_all  # type: ignore[attr-defined]
    return serve


def _not_embedded(failure: EmbeddingFailed) -> ApiError:
    after = None if failure.retry_after is None else math.ceil(failure.retry_after)
    words = f"The embedding model is not available right now: {failure}"
    return ApiError(503, "SERVICE_UNAVAILABLE", words, retry_after=after)


def _summary(view: View) -> str:
    name: str = getattr(view, "__name__", "")
    return name.replace("_", " ").capitalize()


def _refuse_null_characters(request: HttpRequest) -> None:
    """The database keeps none, so nothing is found by one. (Bodies are looked at where they are read.)"""
    if "\x00" in request.path_info:
        raise path_not_found(request.path_info)
    for name, value in request.GET.items():
        if "\x00" in value:
            raise ValidationFailed([Problem(("query", name), "Text must not contain null characters", "value_error")])


@csrf_exempt
def unknown_path(request: HttpRequest, path: str = "") -> HttpResponse:
    """404 PATH_NOT_FOUND, but 401 first: an unknown path tells a stranger nothing."""
    try:
        authentication.authenticate(request)
    except ApiError as refusal:
        return _refused(refusal)
    return _refused(path_not_found(request.path_info))


def json_response(body: Any, status: int = 200) -> HttpResponse:
    """A JSON answer; dates become RFC 3339 in UTC with a ``Z``."""
    try:
        content = _as_json(body)
    except orjson.JSONEncodeError:
        content = _as_json(_in_64_bits(body))
    return HttpResponse(content, status=status, content_type="application/json")


def _as_json(body: Any) -> bytes:
    return orjson.dumps(body, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SERIALIZE_NUMPY)


def _in_64_bits(value: Any) -> Any:
    """The same with floats again for what was sent as 1e20: the database writes that out as a whole number."""
    if isinstance(value, dict):
        return {name: _in_64_bits(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_in_64_bits(item) for item in value]
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T12:00:00.123456Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _add_headers(response: HttpResponse, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        response[name] = value


def _refused(refusal: ApiError) -> HttpResponse:
    response = json_response(refusal.as_json(), refusal.status)
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, TooManyCalls):
        _add_headers(response, refusal.allowance.headers())
    if refusal.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _method_not_allowed(request: HttpRequest, allowed: list[str]) -> HttpResponse:
    response = _refused(
        ApiError(
            405, "METHOD_NOT_ALLOWED", f"Method {request.method} is not allowed here. Allowed: {', '.join(allowed)}"
        )
    )
    response["Allow"] = ", ".join(allowed)
    return response
