"""Servers and workers that the bench starts, and ends."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from config.embedded.data_folder import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(database_url: str, **more: str) -> dict[str, str]:
    """What a process of the product needs in order to work on the bench's database, as in production."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": settings.REDIS_URL,
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "API_KEY_PEPPERS": ",".join(settings.API_KEY_PEPPERS.values()),
        "VAULT_MASTER_KEY_URI": settings.VAULT_MASTER_KEY_URI,
        "BASE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "EMAIL_URL": "console://",
        "SECURE_SSL_REDIRECT": "0",
        **more,
    }


@contextmanager
def running(command: list[str], variables: dict[str, str], ready: Callable[[], bool]) -> Iterator[int]:
    """A process and its children, from when ``ready`` says so until the end of the block. Yields its id."""
    log = Path(os.environ["DATA"]) / "logs" / f"bench-{Path(command[2]).name}-{os.getpid()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 60
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def python(module: str, *arguments: str) -> list[str]:
    """The command of a Python module."""
    return [sys.executable, "-m", module, *arguments]


def granian(application: str, port: int) -> list[str]:
    """Two workers on WSGI, one request at a time in each."""
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    return python("granian", *options, "--blocking-threads", "1", "--log-level", "warning", application)


def collect_static_files(variables: dict[str, str]) -> None:
    """Production does not start without them."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=variables, check=True)


def cpu_seconds(parent: int) -> float:
    """What a process and its children have used so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(stat.parent.name) == parent or int(words[1]) == parent:
            ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


__all__ = ["collect_static_files", "cpu_seconds", "environment", "free_port", "granian", "python", "running"]
