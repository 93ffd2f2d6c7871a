"""Our way out, lent to libraries that would bring their own: the clients of language models.

The library builds a request and reads an answer; everything between is ours. Connections go through the guard, retries
and deadlines are ours, and the credential is put in here, on the way out: the library never has it, so it is in none of
its errors, logs and objects. What a service refuses is raised from here in our own terms (``error``), whatever the
library makes of it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import httpx2

from apps.integrations.outbound.addresses import AllowList
from apps.integrations.outbound.breaker import Breaker, breaker_for
from apps.integrations.outbound.deadline import left
from apps.integrations.outbound.errors import BadAddress, BadAnswer, BadRequest, NoAnswer, OutboundError
from apps.integrations.outbound.http import Answer, Judge, note_failure, wait_before_again
from apps.integrations.outbound.telling import name_of, told, too_large
from apps.integrations.outbound.transports import public_internet

STALE = 1.0
"""Seconds within which a broken connection is taken for one that had been idle for too long."""
REFUSAL = 1024 * 1024
"""Bytes that are read of a refusal."""


class LentConnection(httpx2.BaseTransport):
    """One call through a library. ``client`` and ``asynchronous`` are what the library gets; the latter calls nobody.

    ``headers`` replace what the library sends under these names; of others it may send what HTTP itself needs, and
    those that begin with one of ``own``. ``written_by`` is as of ``HttpClient``. ``error`` is what went wrong, in our
    terms.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        judge: Judge,
        own: tuple[str, ...] = (),
        allowed: AllowList = AllowList(),  # noqa: B008 - frozen
        written_by: UUID | None = None,
        transport: httpx2.BaseTransport | None = None,
        idle_seconds: float = 60.0,
        attempts: int = 2,
        longest_wait: float = 5.0,
        maximum_answer: int = 32 * 1024 * 1024,
        breaker: Breaker | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            url = httpx2.URL(base_url)
        except httpx2.InvalidURL:
            raise BadAddress.about("", "InvalidURL") from None
        self.error: OutboundError | None = None
        self.client = httpx2.Client(transport=self, follow_redirects=False, trust_env=False)
        self.asynchronous = httpx2.AsyncClient(transport=_Nowhere(), follow_redirects=False, trust_env=False)
        self._url = url
        self._who, self._where = name_of(url), f"POST {url.host}"
        self._netloc = url.netloc
        self._headers = {"User-Agent": "Strongroom", "Accept-Encoding": "identity", **headers}
        self._own = tuple(name.lower() for name in ("accept", "content-", "host", *own))
        self._judge = judge
        self._transport = transport or public_internet(allowed)
        self._timeout = httpx2.Timeout(idle_seconds, connect=5.0).as_dict()
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._maximum_answer = maximum_answer
        self._breaker = breaker or breaker_for(url, written_by=written_by)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._aborted = False
        self._answer: httpx2.Response | None = None

    def __repr__(self) -> str:
        return f"<connection to {self._netloc.decode()}>"

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Called by the library. Raises OutboundError, which is also kept in ``error``."""
        request = self._own_request(request)
        attempt = 1
        while True:
            try:
                return self._once(request)
            except OutboundError as error:
                self.error = error
                wait = None
                if attempt < self._attempts and not self._aborted:
                    wait = wait_before_again(error, attempt, repeatable=False, longest=self._longest_wait)
                note_failure(self._where, error, attempt, wait)
                if wait is None:
                    raise
            self._sleep(wait)
            attempt += 1
            self.error = None

    def _own_request(self, request: httpx2.Request) -> httpx2.Request:
        """What goes out; the library's own stays as it is, for it reads it again."""
        if request.url.netloc != self._netloc:  # the library's own idea of where to go
            raise self._note(BadRequest.about(self._who, "the library calls another host"))
        headers = httpx2.Headers(
            [(name, value) for name, value in request.headers.items() if name.startswith(self._own)]
        )
        headers.update(self._headers)
        extensions = {**request.extensions, "timeout": self._timeout}
        return httpx2.Request(
            request.method, request.url, headers=headers, content=request.read(), extensions=extensions
        )

    def _note(self, error: OutboundError) -> OutboundError:
        self.error = error
        return error

    def _once(self, request: httpx2.Request) -> httpx2.Response:
        self._breaker.before_call()
        try:
            with told(self._url):
                left(None)
                response = self._sent(request)
        except OutboundError as error:
            if not error.permanent:
                self._breaker.failed()
            raise
        self._remember(response)
        if response.status_code >= 500:
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        if response.status_code >= 300:
            raise self._refusal(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            # We asked for none: unpacked, a few bytes could fill the memory.
            response.close()
            raise BadAnswer.about(self._who, "packed, which nobody asked for")
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Read(self._chunks(response), response.close),
            extensions=response.extensions,
        )

    def _sent(self, request: httpx2.Request) -> httpx2.Response:
        began = time.monotonic()
        try:
            return self._transport.handle_request(request)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            # A connection that was kept, and that the service ended at the moment we used it again: at worst a
            # question is asked twice.
            if self._aborted or time.monotonic() - began > STALE:
                raise
        left(None)
        return self._transport.handle_request(request)

    def _refusal(self, response: httpx2.Response) -> OutboundError:
        content = bytearray()
        try:
            with told(self._url):
                for chunk in response.iter_raw():
                    left(None)
                    content += chunk
                    if len(content) > REFUSAL:
                        break
        finally:
            response.close()
        answer = Answer(response.status_code, response.headers, bytes(content))
        return self._judge(answer) or BadAnswer.about(self._who, f"answered {response.status_code}")

    def _chunks(self, response: httpx2.Response) -> Iterator[bytes]:
        size = 0
        try:
            with told(self._url):
                for chunk in response.iter_raw():
                    left(None)
                    size += len(chunk)
                    if size > self._maximum_answer:
                        raise too_large(self._url, self._maximum_answer)
                    yield chunk
        except OutboundError as error:
            self._note(error)
            if not self._aborted and not isinstance(error, BadAnswer):
                self._breaker.failed()
            raise

    def _remember(self, response: httpx2.Response) -> None:
        with self._lock:
            self._answer = response
            aborted = self._aborted
        if aborted:
            response.close()
            raise NoAnswer.about(self._who, "ended by us")

    def abort(self) -> None:
        """End the connection, from any thread; a read that waits in another one fails at once."""
        with self._lock:
            self._aborted = True
            answer = self._answer
        stream = answer.extensions.get("network_stream") if answer is not None else None
        plain: Any = stream.get_extra_info("socket") if stream is not None else None
        if plain is not None:
            with contextlib.suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection: what was not read of the answer stays unread. Only in the thread that reads."""
        with self._lock:
            answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()


class _Read(httpx2.SyncByteStream):
    """An answer's body, closed with the answer."""

    def __init__(self, chunks: Iterator[bytes], close: Callable[[], None]) -> None:
        self._chunks, self._close = chunks, close

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._close()


class _Nowhere(httpx2.AsyncBaseTransport):
    """For the half of a library that we don't use: the guard holds threads, not event loops."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise BadRequest("Calls are made in threads.")
