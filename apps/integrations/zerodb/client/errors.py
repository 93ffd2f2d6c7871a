"""What a ZeroDB server refuses, told by what we may do about it."""

from __future__ import annotations

from typing import Any

import orjson

from apps.integrations.outbound.backoff import read_retry_after
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.outbound.http import Again, Answer

# A server that limits rates without saying for how long means a minute.
_WAIT_WHEN_SILENT = 60.0
_SHOWN = 300
_NO_SUCH_MODEL = ("MODEL_NOT_FOUND", "INVALID_MODEL")


class NotConfigured(OutboundError):
    """There is no server to talk to, or no key for it; the message says what to set."""

    permanent = True


class Refused(OutboundError):
    """The server answered with an error. ``status`` and ``code`` are its own, ``detail`` its words."""

    again: Again = "never"
    permanent = True
    words = "The AI service refused: {detail}"
    todo = "Correct what it names."

    def __init__(self, status: int, code: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(
            self.words.format(detail=_sentence(detail)), cause=f"answered {status} {code}", retry_after=retry_after
        )
        self.status = status
        self.code = code
        self.detail = detail


class KeyRefused(Refused):
    """401: the key is unknown, revoked or expired."""


class Forbidden(Refused):
    """403: the key is good, but not for this."""


class NotFound(Refused):
    """404."""


class ModelNotServed(Refused):
    """404 MODEL_NOT_FOUND, 422 INVALID_MODEL: the embedding model is not, or no longer, to be had there."""

    words = "The AI service does not have the embedding model: {detail}"
    todo = "Choose a model that it has, and build the index anew."


class LimitReached(Refused):
    """402, or 429 PROJECT_LIMIT_EXCEEDED: more must be bought or something given up; waiting does not help."""


class TooManyRequests(Refused):
    """429: the same call may be made later."""

    again: Again = "always"
    permanent = False
    words = "The AI service takes no more calls for now: {detail}"
    todo = "Wait: the next call works again."


class ServerFault(Refused):
    """5xx: the server may or may not have done it."""

    again: Again = "if repeatable"
    permanent = False
    maybe_done = True
    words = "The AI service has trouble of its own just now: {detail}"
    todo = "Nothing: it is tried again."


def judge(answer: Answer) -> Refused | None:
    """What an answer refuses, or None for 2xx."""
    if answer.status < 300:
        return None
    code, detail = _read(answer)
    if answer.status == 429 and code != "PROJECT_LIMIT_EXCEEDED":
        after = read_retry_after(answer.headers.get("retry-after"))
        return TooManyRequests(answer.status, code, detail, retry_after=_WAIT_WHEN_SILENT if after is None else after)
    if answer.status >= 500:
        return ServerFault(answer.status, code, detail, retry_after=read_retry_after(answer.headers.get("retry-after")))
    if code in _NO_SUCH_MODEL:
        return ModelNotServed(answer.status, code, detail)
    kinds: dict[int, type[Refused]] = {
        401: KeyRefused,
        402: LimitReached,
        403: Forbidden,
        404: NotFound,
        429: LimitReached,
    }
    return kinds.get(answer.status, Refused)(answer.status, code, detail)


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _read(answer: Answer) -> tuple[str, str]:
    """The error's code and words, in whatever shape the server has them."""
    try:
        body: Any = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return "HTTP_ERROR", "it did not say why."
    words = body.get("detail") or body.get("message") or body.get("error") or "it did not say why."
    code = body.get("error_code") or body.get("code") or "HTTP_ERROR"
    detail = words if isinstance(words, str) else orjson.dumps(words).decode()
    return str(code)[:60], detail[:_SHOWN]
