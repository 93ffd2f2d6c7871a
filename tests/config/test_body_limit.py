"""Large bodies, at addresses that anybody may write to."""

from __future__ import annotations

from typing import Any

import pytest

from apps.integrations.webhooks.views import MAXIMUM_BODY
from config.body_limit import LIMITS, limited
from tests.event_loops import synchronously

PIECE = b"x" * 65536


class Requested:
    """A request that ``app`` reads to its end, in pieces, as Django does; what was answered and how much was read."""

    def __init__(self, path: str, pieces: int, *, told: bool) -> None:
        self.path, self.pieces, self.told = path, pieces, told
        self.read = 0
        self.status: list[int] = []

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.read += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def run(self) -> Requested:
        left = self.pieces

        async def receive() -> dict[str, Any]:
            nonlocal left
            left -= 1
            return {"type": "http.request", "body": PIECE, "more_body": left > 0}

        async def send(message: dict[str, Any]) -> None:
            if "status" in message:
                self.status.append(message["status"])

        headers = [(b"content-length", str(self.pieces * len(PIECE)).encode())] if self.told else []
        scope = {"type": "http", "path": self.path, "headers": headers}
        synchronously(limited(self.app))(scope, receive, send)
        return self


@pytest.mark.parametrize("told", [True, False])
def test_a_delivery_within_the_limit_is_read_whole(told: bool) -> None:
    request = Requested("/hooks/integrations/x/", 16, told=told).run()
    assert (request.status, request.read) == ([200], 16 * len(PIECE))


def test_a_delivery_that_says_it_is_too_large_is_not_read_at_all() -> None:
    request = Requested("/hooks/integrations/x/", 17, told=True).run()
    assert (request.status, request.read) == ([413], 0)


def test_a_delivery_that_does_not_say_its_size_is_read_to_the_limit_and_no_further() -> None:
    request = Requested("/hooks/integrations/x/", 10_000, told=False).run()
    assert (request.status, request.read) == ([413], 16 * len(PIECE))


def test_other_addresses_have_limits_of_their_own() -> None:
    request = Requested("/app/x/contacts/import/", 100, told=True).run()
    assert (request.status, request.read) == ([200], 100 * len(PIECE))


def test_both_doors_know_the_same_limit() -> None:
    assert LIMITS["/hooks/"] == MAXIMUM_BODY
