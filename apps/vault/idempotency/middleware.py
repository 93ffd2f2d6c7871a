"""The door for ``Idempotency-Key``, inside the account's scope and outside of the views."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from apps.accounts.api.problems import TITLES, FieldError, Problem, problem_response, to_problem
from apps.vault.idempotency.fingerprint import fingerprint
from apps.vault.idempotency.memory import WAIT_SECONDS, StillRunning, claim
from apps.vault.models import RememberedRequest

HEADER = "Idempotency-Key"
_PREFIX = "/api/v1/"
_VALID = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Cache-Control", "Vary")

TITLES.update(
    invalid_idempotency_key="This idempotency key can't be used",
    idempotency_key_reused="This idempotency key belongs to another request",
    idempotency_in_progress="The first request with this idempotency key is still running",
    answer_shown_once="The request was done before, and its answer is shown only once",
)


class IdempotencyMiddleware:
    """Answers a repeated POST with the answer of the first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST" or not request.path_info.startswith(_PREFIX):
            return self.get_response(request)
        if getattr(request, "actor", None) is None:
            return self.get_response(request)
        try:
            return self._once(request, key)
        except Exception as error:
            problem = to_problem(error)
            if problem is None:
                raise
            transaction.set_rollback(True)
            return problem_response(problem)

    def _once(self, request: HttpRequest, key: str) -> HttpResponseBase:
        if not _VALID.fullmatch(key):
            words = "Send 1 to 255 printable ASCII characters without spaces, such as a UUID."
            raise Problem(400, "invalid_idempotency_key", words, errors=[FieldError(HEADER, "invalid", words)])
        mark = fingerprint(request, request.actor)  # type: ignore[attr-defined]
        try:
            row, mine = claim(key)
        except StillRunning:
            words = f"It has been running for more than {WAIT_SECONDS} seconds. Try again."
            headers = {"Retry-After": str(WAIT_SECONDS)}
            raise Problem(409, "idempotency_in_progress", words, headers=headers) from None
        if not mine:
            return _again(row, mark)
        response = self.get_response(request)
        if response.status_code >= 300:
            # Nothing was done, so nothing is remembered: the same key may be tried again.
            transaction.set_rollback(True)
        else:
            _remember(row, mark, response)
        return response


def _remember(row: RememberedRequest, mark: str, response: HttpResponseBase) -> None:
    answer: dict[str, Any] = {
        "fingerprint": mark,
        "status": response.status_code,
        "headers": {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
    }
    if isinstance(response, HttpResponse) and not getattr(response, "shown_once", False):
        answer["body"] = response.content.decode()
    row.answer = answer
    row.save(update_fields=["answer", "updated_at"])


def _again(row: RememberedRequest, mark: str) -> HttpResponse:
    answer = row.answer or {}
    if answer.get("fingerprint") != mark:
        words = "It was sent before with another body, to another address or by somebody else. Take a new key."
        raise Problem(422, "idempotency_key_reused", words)
    if "body" not in answer:
        place = answer["headers"].get("Location", "")
        words = "The first answer showed a secret, which is kept nowhere. What was made is at the address in Location."
        raise Problem(409, "answer_shown_once", words, headers={"Location": place} if place else {})
    headers = {**answer["headers"], "Idempotency-Replayed": "true"}
    return HttpResponse(answer["body"].encode(), status=answer["status"], headers=headers)
