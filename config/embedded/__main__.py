"""``python -m config.embedded start|stop|urls``: the embedded servers alone, for development and tests.

``make run`` does not need this: its supervisor starts both and ends them with itself.

``python -m config.embedded run psql`` (or ``pg_dump``, …) runs a program of PostgreSQL's, connected to the embedded
server as its administrator, whom row security does not hold.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.embedded.data_folder import announce, secret, withdraw
from config.embedded.postgres import DATABASE, EmbeddedPostgres, programs
from config.embedded.servers import Servers


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


def _run(program: str, arguments: list[str], data: Path) -> int:
    """Run a program of PostgreSQL's. Returns its exit code."""
    server = EmbeddedPostgres(data)
    path = programs() / program
    if not path.is_file():
        print(f"PostgreSQL has no program {program}.", file=sys.stderr)
        return 2
    connected = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGPASSWORD": secret(data, "postgres-postgres"),
        "PGDATABASE": DATABASE,
    }
    return subprocess.run([path, *arguments], env={**os.environ, **connected}, check=False).returncode


def _main(verb: str, data: Path) -> int:
    servers = Servers(data)
    if verb == "start":
        return _start(servers)
    if verb == "stop":
        servers.stop(others=True)
    else:
        for name, value in servers.urls.items():
            print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    folder = Path(os.environ.get("DATA", "var")).resolve()
    if len(sys.argv) > 2 and sys.argv[1] == "run":
        sys.exit(_run(sys.argv[2], sys.argv[3:], folder))
    if len(sys.argv) != 2 or sys.argv[1] not in {"start", "stop", "urls"}:
        sys.exit(
            "usage: python -m config.embedded start|stop|urls\n"
            "       python -m config.embedded run psql|pg_dump|… [ARGUMENTS]\n"
            "DATA chooses the folder (default var)."
        )
    sys.exit(_main(sys.argv[1], folder))
