"""The embedded server, called inside this process through the same HTTP as any other.

The request runs in a thread of its own: it has its own database connection and transaction there, as a remote server
would, whatever transaction the caller is in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import TimeoutError as NotInTime
from contextlib import nullcontext
from typing import Any, TypeVar

import httpx2
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler

from apps.accounts.tenancy.apart import Threads
from apps.integrations.outbound.deadline import within

T = TypeVar("T")

BASE_URL = "http://embedded/zerodb/v1/public"
_THREADS = Threads("embedded-zerodb", 4)
_MOST_OF_IT = 0.9
"""The share of the caller's time that what the server asks of others may take: so that it can still say why."""


class _ServerAlone(WSGIHandler):
    """The product's URLs without its middleware: a call to itself needs no host check, redirect or session."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]


def apart(function: Callable[..., T], *arguments: Any) -> T:
    """Call ``function`` in a thread of the embedded server: outside of the caller's transaction and scopes."""
    return _THREADS.executor().submit(function, *arguments).result()


class EmbeddedTransport(httpx2.BaseTransport):
    """Carries requests to the embedded server of this process."""

    def __init__(self) -> None:
        self._wsgi = httpx2.WSGITransport(app=_ServerAlone())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises ReadTimeout when the request's own time is over; the server then finishes unheard, as servers do."""
        request.read()
        limit = request.extensions.get("timeout", {}).get("read")
        try:
            return _THREADS.executor().submit(self._handle, request, limit).result(limit)
        except NotInTime:
            raise httpx2.ReadTimeout("The embedded server took too long.", request=request) from None

    def _handle(self, request: httpx2.Request, limit: float | None) -> httpx2.Response:
        with within(_MOST_OF_IT * limit) if limit else nullcontext():
            return self._answer(request)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        response = self._wsgi.handle_request(request)
        try:
            return httpx2.Response(response.status_code, headers=response.headers, content=response.read())
        finally:
            response.close()
