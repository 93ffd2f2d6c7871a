"""Before Django's settings are read: the servers the tests use, and this worker's share of them.

Loaded by ``-p tests.plugin`` (pyproject.toml). With DATABASE_URL and REDIS_URL set, those servers are used; otherwise
the embedded ones are started in ``var/test`` and left running for the next run (``make stop`` ends them).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A test database that a power cut spoils is made again: no waiting for the disk.
DISPOSABLE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=4GB"


def _worker_number() -> int:
    """0 without xdist, 1 and up for its workers."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(name.removeprefix("gw")) + 1 if name else 0


def _database(url: str, number: int) -> str:
    base, _, _ = url.rpartition("/")
    return f"{base}/{number}"


def prepare() -> None:
    """Set the environment that config.settings.test reads."""
    os.environ.setdefault("DATA", str(ROOT / "var" / "test"))
    data = Path(os.environ["DATA"])
    if "DATABASE_URL" not in os.environ:
        from config import services

        if "PYTEST_XDIST_WORKER" not in os.environ:
            environment = {**os.environ, "EMBEDDED_POSTGRES_OPTIONS": DISPOSABLE}
            subprocess.run([sys.executable, "-m", "config.embedded", "start"], check=True, cwd=ROOT, env=environment)
        for name, value in services.found(data).items():
            os.environ.setdefault(name, value)
    if "REDIS_URL" in os.environ:
        os.environ["REDIS_URL"] = _database(os.environ["REDIS_URL"], _worker_number() + 1)


prepare()
