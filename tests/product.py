"""The product as a user starts it: `make run` in a process of its own, on a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from config.embedded.data_folder import free_port

ROOT = Path(__file__).resolve().parent.parent
# What the test run sets for itself, and what make hands to its children.
NOT_PASSED_ON = {
    "DATA",
    "PORT",
    "DEMO",
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "DATABASE_ROLE",
    "DJANGO_SETTINGS_MODULE",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "MAKEOVERRIDES",
}


def _hear_interrupts() -> None:
    """Started from a shell's background, SIGINT would be ignored from birth."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Product:
    """One installation. Start it, look at it, end it in every way there is."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data, self.port = data, free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self.log = data.with_name(f"{data.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """`make run`, without waiting for it."""
        environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", "run", f"PORT={self.port}", f"DATA={self.data}"],
                cwd=ROOT,
                env={**environment, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hear_interrupts,
            )

    def start(self, *, word: str = "ready", seconds: float = 240) -> float:
        """Launch and wait for the line that begins with ``word``. Returns how long that took, in seconds."""
        began = time.monotonic()
        self.launch()
        assert self.process is not None
        while f"\n{word} {self.base_url}" not in f"\n{self.output()}":
            assert self.process.poll() is None, f"make run ended with {self.process.returncode}:\n{self.output()}"
            assert time.monotonic() - began < seconds, f"not {word} after {seconds} s:\n{self.output()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def output(self) -> str:
        """Everything printed since the last launch."""
        return self.log.read_text(errors="replace")

    def get(self, path: str, accept: str = "*/*") -> tuple[int, str, dict[str, object]]:
        """Status, content type and (when it is JSON) content of a page."""
        try:
            with urlopen(Request(self.base_url + path, headers={"Accept": accept}), timeout=60) as answer:
                status, kind, body = answer.status, answer.headers.get_content_type(), answer.read()
        except HTTPError as error:
            status, kind, body = error.code, error.headers.get_content_type(), error.read()
        return status, kind, json.loads(body) if kind.endswith("json") else {}

    def stop(self, number: int = signal.SIGTERM, seconds: float = 120) -> int:
        """Send a signal to make, as a user's Ctrl-C or a service manager does, and wait. Returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def processes(self) -> dict[int, str]:
        """Every process that works for this installation: process id and command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                traces = command + (folder / "environ").read_bytes().decode(errors="replace")
                traces += os.readlink(folder / "cwd")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if command and str(self.data) in traces:
                found[int(folder.name)] = command
        return found

    def pids(self, part: str) -> set[int]:
        """Those processes whose command line contains ``part``."""
        return {pid for pid, command in self.processes().items() if part in command}

    def wait_until_gone(self, seconds: float = 120) -> None:
        """Fails, naming them, when processes are left after ``seconds``."""
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.1)

    def wait_until_well(self, seconds: float = 120) -> None:
        """Until /health answers 200."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                status, _, content = self.get("/health")
            except OSError as error:
                status, content = 0, {"error": str(error)}
            if status == 200:
                return
            assert time.monotonic() < deadline, f"not well: {content}\n{self.output()[-2000:]}"
            time.sleep(0.2)

    def end(self) -> None:
        """Whatever state it is in: nothing of it is left afterwards."""
        for pid in self.pids("config.supervisor"):
            os.kill(pid, signal.SIGTERM)
        try:
            self.wait_until_gone()
        except AssertionError:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(60)
