"""Processes of the product on the test's database and broker, which may be killed at named places."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent
LEASE_SECONDS = 3


def surroundings(**more: str) -> dict[str, str]:
    """What a process needs to work on this test's data."""
    name = connection.settings_dict["NAME"]
    url = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DATA": str(settings.DATA),
        "AUDIT_ANCHOR_DIR": str(settings.AUDIT_ANCHOR_DIR),
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        **more,
    }


def forget_crash(name: str) -> None:
    """Let the crash point kill once more."""
    (settings.DATA / "run" / f"crashed-at-{name}").unlink(missing_ok=True)


def crashed(name: str) -> bool:
    """Whether a process died there."""
    return bool((settings.DATA / "run" / f"crashed-at-{name}").exists())


@contextmanager
def worker(**more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker as the product runs it; killed with all its children at the end, if it still lives."""
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "config.celery", "worker", "--concurrency", "1"]
    process = subprocess.Popen(
        [*celery, "--loglevel", "ERROR", "--without-gossip", "--without-mingle"],
        cwd=ROOT,
        env=surroundings(**more),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """What a power cut does to a process and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_python(code: str, **more: str) -> int:
    """Run ``code`` in a process of its own with Django set up. Returns its exit code; -9 when it was killed."""
    start = "import django; django.setup()\n"
    done = subprocess.run([sys.executable, "-c", start + code], cwd=ROOT, env=surroundings(**more), timeout=60)
    return done.returncode


def wait_until(condition: Callable[[], object], seconds: float, *, meanwhile: Callable[[], object] = bool) -> None:
    """Ask ``condition`` until it is true, doing ``meanwhile`` between. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not within {seconds} s.")
        meanwhile()
        time.sleep(0.25)
