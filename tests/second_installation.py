"""Another installation of the product, whose embedded ZeroDB server serves the tests over HTTP.

A data folder of its own beside that of the tests, with its own PostgreSQL, Valkey, secrets and web process. The
folder is kept for the next run and its servers run on, as those of the tests do (``make stop`` ends them); it is made
anew when the migrations have changed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from honcho.environ import parse_procfile

from config import services
from config.embedded.data_folder import free_port
from config.embedded.postgres import DATABASE, EmbeddedPostgres
from config.supervisor.preparation import bring_up_to_date, make_secrets
from tests.database import fingerprint
from tests.plugin import DISPOSABLE
from tests.product import NOT_PASSED_ON

ROOT = Path(__file__).resolve().parent.parent
STARTING_SECONDS = 90


class SecondInstallation:
    """``master_key`` opens an account of its own at its ZeroDB server, without limits on projects."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.log = data / "logs" / "web.log"
        self.master_key = ""
        self._environment: dict[str, str] = {}
        self._web: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Its servers, up to date, and a key."""
        self._wipe_when_old()
        kept = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        self._environment = {
            **{name: value for name, value in kept.items() if not name.startswith("ZERODB_")},
            "DATA": str(self.data),
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "EMBEDDED_POSTGRES_OPTIONS": DISPOSABLE,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        self._run("-m", "config.embedded", "start")
        self._environment |= services.found(self.data)
        make_secrets(self.data)
        bring_up_to_date(self.data, self._environment, self._environment["DATABASE_URL"])
        self.master_key = self._run("manage.py", "zerodb_key", "tests", "--unlimited").strip()

    def start(self) -> None:
        """Its web process, as the Procfile has it; returns when it answers."""
        command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
        with self.log.open("ab") as log:
            self._web = subprocess.Popen(
                ["/bin/sh", "-c", command], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._answers():
            assert self._web.poll() is None, f"ended with {self._web.returncode}:\n{self.output()[-2000:]}"
            assert time.monotonic() < deadline, f"does not answer:\n{self.output()[-2000:]}"
            time.sleep(0.1)

    def kill(self) -> None:
        """What a power cut does to its web process."""
        if self._web is not None:
            self._web.send_signal(signal.SIGKILL)
            self._web.wait()
            self._web = None

    def output(self) -> str:
        """What its web process has written, in this run and those before."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What its database says, asked as its administrator, whom row security does not hold."""
        with EmbeddedPostgres(self.data).connect("postgres", DATABASE) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/zerodb/health", timeout=5):
                return True
        except (URLError, OSError):
            return False

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, check=True, text=True
        )
        return done.stdout

    def _wipe_when_old(self) -> None:
        mark, current = self.data / "made-of", fingerprint()
        if self.data.exists() and (not mark.exists() or mark.read_text() != current):
            stop = {**os.environ, "DATA": str(self.data)}
            subprocess.run([sys.executable, "-m", "config.embedded", "stop"], cwd=ROOT, env=stop, check=True)
            shutil.rmtree(self.data)
        self.data.mkdir(parents=True, exist_ok=True)
        mark.write_text(current)


@contextmanager
def second_installation(data: Path) -> Iterator[SecondInstallation]:
    """One that serves until the block ends."""
    installation = SecondInstallation(data)
    installation.prepare()
    try:
        installation.start()
        yield installation
    finally:
        installation.kill()
