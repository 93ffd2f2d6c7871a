"""``python -m tests.bench.open_loop URL AUTHORIZATION RATE SECONDS < bodies``: requests at fixed times, come what may.

A line of standard input is the JSON body of a POST; they are sent in turn, RATE a second. A request that has to wait
for a slow one waits on its own clock: its time runs from when it was due. Prints the times in seconds, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from urllib.parse import urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
IDLE_SECONDS = 3
"""Connections that nobody has used for so long are not used again: servers close theirs after 5 seconds."""


class Client:
    """Connections that are kept; as many as there are requests under way at once."""

    def __init__(self, url: str, authorization: str) -> None:
        parts = urlsplit(url)
        self._at = (parts.hostname, parts.port)
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: {authorization}\r\n"
            "Content-Type: application/json\r\n"
        )
        self._free: list[tuple[float, Connection]] = []

    async def ask(self, body: bytes, due: float) -> float:
        """Seconds from ``due`` until the whole answer is there. Raises RuntimeError for one that is not 200."""
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        reader, writer = self._kept() or await asyncio.open_connection(*self._at)
        writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        content = await reader.readexactly(int(length[1]) if length else 0)
        if not head.startswith(b"HTTP/1.1 200") or not json.loads(content)["results"]:
            raise RuntimeError(f"{head.decode(errors='replace')}{content[:500].decode(errors='replace')}")
        ended = time.perf_counter()
        self._free.append((ended, (reader, writer)))
        return ended - due

    def _kept(self) -> Connection | None:
        """The connection that was used last, if it may be used again; the others were used longer ago."""
        if self._free and self._free[-1][0] > time.perf_counter() - IDLE_SECONDS:
            return self._free.pop()[1]
        while self._free:
            self._free.pop()[1][1].close()
        return None


async def _main(url: str, authorization: str, rate: float, seconds: float) -> None:
    client, bodies = Client(url, authorization), sys.stdin.read().encode().splitlines()
    begin = time.perf_counter() + 0.1
    asked = [client.ask(bodies[n % len(bodies)], begin + n / rate) for n in range(int(rate * seconds))]
    print(json.dumps(await asyncio.gather(*asked)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
