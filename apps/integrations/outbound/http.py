"""Calls to the outside over HTTP: bounded in time, in size, in number."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal, TypedDict, Unpack
from uuid import UUID

import httpx2

from apps.integrations.outbound.addresses import AllowList
from apps.integrations.outbound.backoff import delay
from apps.integrations.outbound.breaker import Breaker, breaker_for
from apps.integrations.outbound.deadline import within
from apps.integrations.outbound.errors import BadAddress, BadAnswer, NotInTime, NotSendable, OutboundError
from apps.integrations.outbound.telling import read_all, told
from apps.integrations.outbound.transports import public_internet

logger = logging.getLogger(__name__)

MAXIMUM_ANSWER = 32 * 1024 * 1024
MAXIMUM_SECONDS = 120.0
"""For one attempt, from connecting to the last byte."""
TIMEOUT = httpx2.Timeout(30.0, connect=5.0)


def timeout_of(seconds: float) -> httpx2.Timeout:
    """``seconds`` between two bytes of an answer, and no longer than usual for connecting."""
    return httpx2.Timeout(seconds, connect=min(5.0, seconds))


Again = Literal["always", "if repeatable", "never"]


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


Judge = Callable[[Answer], OutboundError | None]
"""Says what is wrong with an answer; None when nothing is. The error may carry ``again``."""


class Parts(TypedDict, total=False):
    """What a call carries; as in httpx."""

    json: Any
    data: Mapping[str, Any]
    files: Any
    content: bytes
    params: Any
    headers: Mapping[str, str]


class HttpClient:
    """A client of one host. Close it, or use it as a context manager.

    Calls reach the public Internet only, whatever the name resolves to (``guard``), and what the operator opened for
    the account (``allowed``). With ``operators_address``, an address that the operator set and no account, they go
    anywhere, through the proxy that the environment names. ``transport`` replaces all of this. ``written_by`` is the
    account that wrote the address, whose failures are then its own. ``patience`` is how many seconds all calls of this
    client may take together, for somebody who waits. Raises BadRequest for an address that is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        judge: Judge,
        operators_address: bool = False,
        allowed: AllowList = AllowList(),  # noqa: B008 - frozen
        written_by: UUID | None = None,
        transport: httpx2.BaseTransport | None = None,
        timeout: httpx2.Timeout = TIMEOUT,
        attempts: int = 3,
        longest_wait: float = 20.0,
        maximum_answer: int = MAXIMUM_ANSWER,
        maximum_seconds: float = MAXIMUM_SECONDS,
        patience: float | None = None,
        breaker: Breaker | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        try:
            self._http = httpx2.Client(
                base_url=base_url,
                headers=dict(headers),
                transport=transport or (None if operators_address else public_internet(allowed)),
                timeout=timeout,
                follow_redirects=False,
                trust_env=operators_address,
            )
        except httpx2.InvalidURL:
            raise BadAddress.about("", "InvalidURL") from None
        except UnicodeEncodeError:
            raise NotSendable.about("", "UnicodeEncodeError") from None
        self._judge = judge
        self._attempts = attempts
        self._timeout = timeout
        self._ends_at = None if patience is None else time.monotonic() + patience
        self._longest_wait = longest_wait
        self._maximum_answer = maximum_answer
        self._maximum_seconds = maximum_seconds
        self._breaker = breaker or breaker_for(self._http.base_url, written_by=written_by)
        self._sleep = sleep or time.sleep

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(self, method: str, path: str, *, repeatable: bool, **parts: Unpack[Parts]) -> Answer:
        """One call, made again as far as that is safe. Raises OutboundError, or what the judge made of the answer.

        ``repeatable`` says that making the call twice does no harm. A call that never reached the host, or that the
        host refused for its rate, is repeated in any case.
        """
        attempt = 1
        while True:
            try:
                return self._once(method, path, parts)
            except OutboundError as error:
                wait = None
                if attempt < self._attempts:
                    longest = min(self._longest_wait, self._left() / 2)  # the other half is for the attempt
                    wait = wait_before_again(error, attempt, repeatable=repeatable, longest=longest)
                # Not the path: some services find a person by the address in it.
                note_failure(f"{method} {self._http.base_url.host}", error, attempt, wait)
                if wait is None:
                    raise
            self._sleep(wait)
            attempt += 1

    def _left(self) -> float:
        return inf if self._ends_at is None else self._ends_at - time.monotonic()

    def _once(self, method: str, path: str, parts: Parts) -> Answer:
        if self._left() <= 0:
            raise NotInTime.about(self._http.base_url.host)
        self._breaker.before_call()
        try:
            answer = self._send(method, path, parts)
        except BadAnswer:
            # The host is there, and one account must not shut a host that others use by what it asks of it.
            self._breaker.succeeded()
            raise
        except OutboundError as error:
            if not error.permanent:  # else nobody was asked
                self._breaker.failed()
            raise
        if answer.status >= 500:
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        fault = self._judge(answer)
        if fault is not None:
            raise fault
        return answer

    def _send(self, method: str, path: str, parts: Parts) -> Answer:
        url, left = self._http.base_url, self._left()
        timeout = self._timeout if left == inf else _shorter(self._timeout, max(left, 0.001))
        sending = self._http.stream(method, path, timeout=timeout, **parts)
        with told(url), within(min(self._maximum_seconds, left)), sending as response:
            content = read_all(response, self._maximum_answer)
            return Answer(response.status_code, response.headers, content)


def _shorter(timeout: httpx2.Timeout, most: float) -> httpx2.Timeout:
    limits = {name: most if given is None else min(given, most) for name, given in timeout.as_dict().items()}
    return httpx2.Timeout(**limits)


def wait_before_again(error: OutboundError, attempt: int, *, repeatable: bool, longest: float) -> float | None:
    """Seconds to wait, or None when the error is the caller's to deal with."""
    again: Again = getattr(error, "again", "if repeatable" if error.maybe_done else "always")
    if error.permanent or again == "never":
        return None
    if again == "if repeatable" and not repeatable:
        return None
    wait = delay(attempt) if error.retry_after is None else error.retry_after
    # A long wait belongs into the queue, not into a worker's sleep.
    return wait if wait <= longest else None


def note_failure(where: str, error: OutboundError, attempt: int, wait: float | None) -> None:
    """Tell the log what happened technically; people are told by the error itself."""
    follows = "no attempt follows" if wait is None else f"attempt {attempt + 1} follows in {wait:.1f} s"
    logger.info("%s failed (%s); %s.", where, error.technically, follows)
