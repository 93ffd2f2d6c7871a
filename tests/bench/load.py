"""Asking a server as often as it answers, from another process, over connections that are kept.

``wrk`` (Debian has it) costs the machine least, so it is used where it is or can be installed; otherwise a small
client in Python, ``python -m tests.bench.load ADDRESS AUTHORIZATION SECONDS CONNECTIONS``, in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from urllib.parse import urlsplit

CONNECTIONS = 8


def client() -> str:
    """``wrk`` when it is here or Debian's package can be installed, else ``python``."""
    apt = shutil.which("apt-get")
    if shutil.which("wrk") is None and apt is not None and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "wrk"]):
            if subprocess.run([apt, *arguments], env=environment, capture_output=True, check=False).returncode:
                break
    return "wrk" if shutil.which("wrk") else "python"


def requests_per_second(url: str, authorization: str, seconds: float, kind: str) -> float:
    """How many answers came in a second. Raises RuntimeError for an answer that is not 200."""
    if kind == "wrk":
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds:g}s",
            "--timeout",
            "30s",
            "-H",
            f"Authorization: {authorization}",
            url,
        ]
    else:
        command = [sys.executable, "-m", "tests.bench.load", url, authorization, f"{seconds:g}", str(CONNECTIONS)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{url} did not answer as it should:\n{output}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if found is None:
        raise RuntimeError(f"no figure in:\n{output}")
    return float(found[1])


async def _ask(host: str, port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    answers = 0
    while time.monotonic() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        assert length is not None, head
        await reader.readexactly(int(length[1]))
        answers += 1
    writer.close()
    return answers


async def _main(url: str, authorization: str, seconds: float, connections: int) -> None:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: {authorization}\r\n\r\n".encode()
    began = time.monotonic()
    asking = [_ask(str(parts.hostname), parts.port or 80, request, began + seconds) for _ in range(connections)]
    answers = sum(await asyncio.gather(*asking))
    print(f"Requests/sec: {answers / (time.monotonic() - began):.2f}")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
