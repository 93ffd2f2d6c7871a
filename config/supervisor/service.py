"""One process of the Procfile: started, listened to, started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.supervisor.console import GiveUp, say, show

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK_DEATHS = 5
"""So many deaths of one process within QUICK_SECONDS of its start, one after the other, end the whole."""
QUICK_SECONDS = 10.0


@dataclass
class Service:
    """One line of the Procfile, running."""

    name: str
    command: str
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    due_at: float = 0.0
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    def start(self) -> None:
        """Start it in a session of its own, so that all of it can be ended together."""
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", "/bin/sh", "-c", self.command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        assert self.process.stdout is not None
        threading.Thread(target=self._print, args=(self.process.stdout,), daemon=True).start()

    def _print(self, lines: IO[str]) -> None:
        for line in lines:
            self.last_lines.append(line.rstrip())
            show(f"{self.name:>7} | {line.rstrip()}")

    def tend(self) -> None:
        """Notice its death; start it again when that is due. Raises GiveUp when it keeps dying at once."""
        if self.process is None:
            if time.monotonic() >= self.due_at:
                self.start()
        elif self.process.poll() is not None:
            self._after_death(self.process.returncode)

    def _after_death(self, code: int) -> None:
        self.signal(signal.SIGKILL)  # children that outlived their parent
        lived = time.monotonic() - self.started_at
        self.quick_deaths = self.quick_deaths + 1 if lived < QUICK_SECONDS else 0
        if self.quick_deaths >= QUICK_DEATHS:
            tail = "\n".join(self.last_lines)
            raise GiveUp(f"{self.name} ended {QUICK_DEATHS} times right after its start (code {code}):\n{tail}")
        wait = min(8.0, 0.5 * 2**self.quick_deaths) if self.quick_deaths else 0.2
        say(f"{self.name} ended with code {code} after {lived:.0f} s; starting it again in {wait:.1f} s")
        self.process = None
        self.due_at = time.monotonic() + wait

    def signal(self, number: int) -> None:
        """Send a signal to everything it started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return

    def wait(self, seconds: float) -> None:
        """Until it has ended; after ``seconds`` it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            say(f"{self.name} does not end; killing it")
        self.signal(signal.SIGKILL)
        self.process.wait()
