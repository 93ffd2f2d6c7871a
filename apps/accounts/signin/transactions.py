"""Sign-in pages change people, addresses, factors and sessions in several steps: here each request is all or nothing.

So what the audit trail does not take does not happen: an entry that can't be written undoes the sign-in, the new
password, the removed factor whose entry it is.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInTransactionMiddleware:
    """One transaction around each changing request below /accounts/; undone by an exception or a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in _SAFE or not request.path_info.startswith("/accounts/"):
            return self.get_response(request)
        with transaction.atomic():
            response = self.get_response(request)
            if getattr(request, "failed", False) or response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Exceptions become answers before they reach this middleware: remember that there was one."""
        request.failed = True  # type: ignore[attr-defined]
