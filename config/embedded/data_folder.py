"""The data folder: secrets made once, ports chosen once, the servers' addresses for processes started by hand."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def one_at_a_time(data: Path) -> Iterator[None]:
    """Only one process at a time starts servers in this folder; others wait and then find them running."""
    path = data / "run" / "starting.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def announce(data: Path, urls: dict[str, str]) -> None:
    """Write where the servers are (mode 600, in one step); config/services.py reads this."""
    path = data / "run" / "services.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"services.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(urls, file)
    unfinished.replace(path)


def withdraw(data: Path) -> None:
    """The servers are gone."""
    (data / "run" / "services.json").unlink(missing_ok=True)
