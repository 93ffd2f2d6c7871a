"""Answers that are sent while they are made, so that a long file never lies in memory whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

_END = object()


def stream_file(request: HttpRequest, pieces: Iterator[str], *, name: str, content_type: str) -> StreamingHttpResponse:
    """Send ``pieces`` as a download called ``name``. They are made after the request's scope has ended.

    Under ASGI Django would gather an ordinary iterator before it sends the first byte; so each piece is fetched in
    the request's own thread, where its database connection is.
    """
    body = _each(pieces) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(body, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _each(pieces: Iterator[str]) -> AsyncIterator[str]:
    fetch = sync_to_async(lambda: next(pieces, _END))
    try:
        while (piece := await fetch()) is not _END:
            yield piece  # type: ignore[misc]
    finally:
        # Whoever stops reading halfway must not leave a cursor open.
        if isinstance(pieces, Generator):
            await sync_to_async(pieces.close)()
