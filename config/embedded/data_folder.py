"""The data folder: secrets made once, ports chosen once."""

from __future__ import annotations

import json
import os
import secrets
import socket
from pathlib import Path


def secret(data: Path, name: str, *, length: int = 32) -> str:
    """The secret ``name`` of this data folder, made on first use (mode 600)."""
    path = data / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(length))
    return path.read_text().strip()


def port(data: Path, name: str) -> int:
    """The port of server ``name``: a free one at first, the same one afterwards (or another, if it was taken since)."""
    path = data / "run" / "ports.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    if name not in known:
        known[name] = free_port(set(known.values()))
        path.write_text(json.dumps(known))
    chosen: int = known[name]
    return chosen


def forget_port(data: Path, name: str) -> None:
    """Choose another port next time."""
    path = data / "run" / "ports.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known.pop(name, None)
    path.write_text(json.dumps(known))


def free_port(besides: set[int] = frozenset()) -> int:  # type: ignore[assignment]
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    while True:
        with socket.socket() as candidate:
            candidate.bind(("127.0.0.1", 0))
            number: int = candidate.getsockname()[1]
        if number not in besides:
            return number


def is_taken(number: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", number)) == 0
