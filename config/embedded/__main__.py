"""``python -m config.embedded start|stop|urls``: the embedded servers alone, for development and tests.

``make run`` does not need this: its supervisor starts both and ends them with itself.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

from config.embedded.data_folder import announce, one_at_a_time, withdraw
from config.embedded.postgres import EmbeddedPostgres
from config.embedded.valkey import EmbeddedValkey


class Servers:
    """Both servers of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.postgres, self.valkey = EmbeddedPostgres(data), EmbeddedValkey(data)

    @property
    def urls(self) -> dict[str, str]:
        return {**self.postgres.urls(), **self.valkey.urls()}

    def answer(self) -> bool:
        """Whether both take connections now."""
        return self.postgres.answers() and self.valkey.answers()

    def start(self) -> bool:
        """Start what does not run, set it up, and say where it is. Returns whether anything was started here."""
        with one_at_a_time(self.data):
            self.postgres.initialise()
            self.postgres.start()
            self.valkey.start()
            self.postgres.set_up()
            announce(self.data, self.urls)
        return any(server.process for server in (self.postgres, self.valkey))

    def keep(self) -> None:
        """Wait until what was started here has ended. The servers die with whoever started them."""
        while any(server.process and server.process.poll() is None for server in (self.postgres, self.valkey)):
            time.sleep(1)

    def stop(self) -> None:
        withdraw(self.data)
        self.postgres.stop()
        self.valkey.stop()


def _start(servers: Servers) -> int:
    if servers.answer():
        announce(servers.data, servers.urls)
        return 0
    withdraw(servers.data)
    keeper = os.fork()
    if keeper == 0:
        _be_keeper(servers)
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if (servers.data / "run" / "services.json").exists() and servers.answer():
            return 0
        ended, status = os.waitpid(keeper, os.WNOHANG)
        if ended and status:
            break
        time.sleep(0.1)
    print(f"The embedded servers did not start; see {servers.data / 'logs'}.", file=sys.stderr)
    return 1


def _be_keeper(servers: Servers) -> None:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        started = servers.start()
    except Exception as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    if started:
        servers.keep()
    os._exit(0)


def _main(verb: str, data: Path) -> int:
    servers = Servers(data)
    if verb == "start":
        return _start(servers)
    if verb == "stop":
        servers.stop()
    else:
        for name, value in servers.urls.items():
            print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"start", "stop", "urls"}:
        sys.exit("usage: python -m config.embedded start|stop|urls   (DATA chooses the folder, default var)")
    sys.exit(_main(sys.argv[1], Path(os.environ.get("DATA", "var")).resolve()))
