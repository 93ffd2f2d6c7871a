"""The web process as `make run` has it, on the test's own database: HTTP and WebSockets behind one port."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from honcho.environ import parse_procfile

from config.embedded.data_folder import free_port
from tests.chaos.processes import ROOT, kill_group, surroundings

START_SECONDS = 90


@dataclass(frozen=True)
class Server:
    """A web process that answers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, path: str) -> str:
        """The address of a socket there."""
        return f"ws://127.0.0.1:{self.port}{path}"


@contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    """Run the Procfile's web process, on a free port unless one is given, until the end of the block."""
    port = port or free_port()
    command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
    environment = surroundings(PORT=str(port), BASE_URL=f"http://127.0.0.1:{port}")
    environment["PATH"] = f"{ROOT / '.venv' / 'bin'}:{environment['PATH']}"
    process = subprocess.Popen(["/bin/sh", "-c", command], cwd=ROOT, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            assert process.poll() is None, f"The web process ended with {process.returncode}."
            assert time.monotonic() < deadline, f"No answer within {START_SECONDS} s."
            time.sleep(0.1)
        yield Server(port, process)
    finally:
        kill_group(process)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
