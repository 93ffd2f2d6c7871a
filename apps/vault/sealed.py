"""What a request gets that needs a key while the product is sealed: 503, and the words for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from apps.accounts.actors import request_context
from apps.accounts.api.problems import problem_response, to_problem
from apps.vault.keys import Sealed

logger = logging.getLogger(__name__)
RETRY_SECONDS = 10


class SealedMiddleware:
    """Turns Sealed, wherever it was raised, into the answer for a page or for a program."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """None for every other exception."""
        if not isinstance(exception, Sealed):
            return None
        logger.error("Sealed: %s", exception)
        return sealed_response(request, exception)


def sealed_response(request: HttpRequest, exception: Sealed) -> HttpResponse:
    """A page for browsers, problem details for everybody else."""
    problem = to_problem(exception)
    if problem and "text/html" not in request.headers.get("Accept", ""):
        return problem_response(problem)
    page = render_to_string("sealed.html", {"request_id": request_context().request_id, "code": 503})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
