"""The product as a newcomer starts it: ``make run`` on an empty data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from config.embedded.data_folder import free_port
from config.embedded.postgres import DATABASE, EmbeddedPostgres, programs

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300


@dataclass(frozen=True)
class Product:
    """A running product."""

    base: str
    data: Path
    environment: dict[str, str]

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of it, as its operator would in a shell beside it."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def dump(self) -> bytes:
        """``pg_dump`` of everything, as a thief would take it."""
        url = EmbeddedPostgres(self.data).url("postgres", DATABASE)
        return subprocess.run([str(programs() / "pg_dump"), url], capture_output=True, check=True).stdout

    def database_files(self) -> Iterator[bytes]:
        """The content of every file of the database server, also its log of changes."""
        EmbeddedPostgres(self.data).connect("postgres", DATABASE).execute("CHECKPOINT")
        for path in (self.data / "postgres").rglob("*"):
            if path.is_file():
                yield path.read_bytes()


def _is_well(base: str) -> bool:
    try:
        with urlopen(f"{base}/health", timeout=60) as answer:
            return bool(answer.status == 200)
    except HTTPError:
        return False


@contextmanager
def running(data: Path) -> Iterator[Product]:
    """Start it, wait until it says that it is ready, and stop it."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    hidden = (
        "DATABASE_URL",
        "MIGRATION_DATABASE_URL",
        "REDIS_URL",
        "DJANGO_SETTINGS_MODULE",
        "EMBEDDED_POSTGRES_OPTIONS",
    )
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"DATA": str(data), "PORT": str(port), "DEMO": "0", "BASE_URL": base}
    log = data.parent / "product.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "run", f"DATA={data}", f"PORT={port}", "DEMO=0"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while f"ready {base}" not in log.read_text():
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        while not _is_well(base):
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        yield Product(base, data, environment)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
