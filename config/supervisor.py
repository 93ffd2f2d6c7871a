"""``make run``: the whole product in one terminal.

Starts the embedded servers (unless DATABASE_URL and REDIS_URL name others), brings the database up to date, starts the
processes of the Procfile, says when all is ready, keeps them running, and ends everything it started, whatever
ends it: Ctrl-C, SIGTERM, or being killed (children ask the kernel to be told of the supervisor's death).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from honcho.environ import parse_procfile

from config.embedded.data_folder import announce, is_taken, one_at_a_time, secret, withdraw
from config.embedded.postgres import EmbeddedPostgres
from config.embedded.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parent.parent
QUICK_DEATHS = 5
"""So many deaths of one process within QUICK_SECONDS of its start, one after the other, end the whole."""
QUICK_SECONDS = 10.0
GRACE_SECONDS = 12.0
"""How long a process may take to end before it is killed."""


class GiveUp(RuntimeError):
    """The product can't run; the message says why."""


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - _started:5.1f} s] {text}", flush=True)


_started = time.monotonic()


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
            print(f"{self.name:>7} | {line.rstrip()}", flush=True)

    def died(self) -> bool:
        """Whether it ended since it was last started."""
        return self.process is not None and self.process.poll() is not None

    def after_death(self) -> None:
        """Decide when it starts again. Raises GiveUp when it keeps dying at once."""
        assert self.process is not None
        code = self.process.returncode
        self.signal(signal.SIGKILL)  # children that outlived their parent
        lived = time.monotonic() - self.started_at
        self.quick_deaths = self.quick_deaths + 1 if lived < QUICK_SECONDS else 0
        if self.quick_deaths >= QUICK_DEATHS:
            tail = "\n".join(self.last_lines)
            raise GiveUp(f"{self.name} ended {QUICK_DEATHS} times right after its start (code {code}):\n{tail}")
        wait = min(8.0, 0.5 * 2**self.quick_deaths) if self.quick_deaths else 0.2
        say(f"{self.name} ended with code {code} after {lived:.0f} s; starting it again")
        self.process = None
        self.due_at = time.monotonic() + wait

    def signal(self, number: int) -> None:
        """Send a signal to everything it started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Supervisor:
    """The servers and processes of one data folder."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.base_url = f"http://127.0.0.1:{port}"
        self.environment = {
            **os.environ,
            "DATA": str(data),
            "PORT": str(port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
        self.postgres: EmbeddedPostgres | None = None
        self.valkey: EmbeddedValkey | None = None
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.services: list[Service] = []
        self.stopping = False

    def run(self) -> None:
        """Until told to stop. Raises GiveUp."""
        if is_taken(self.port):
            raise GiveUp(f"Port {self.port} is in use. Choose another: make run PORT={self.port + 1}")
        self._make_secrets()
        self._start_servers()
        self._bring_database_up_to_date()
        self._start_services()
        self._wait_until_ready()
        self._watch()

    def _make_secrets(self) -> None:
        for variable, name in (
            ("SECRET_KEY", "secret-key"),
            ("API_KEY_PEPPERS", "api-key-peppers"),
            ("ZERODB_MASTER_API_KEY", "zerodb-master-api-key"),
        ):
            if variable not in os.environ and f"{variable}_FILE" not in os.environ:
                secret(self.data, name)

    def _start_servers(self) -> None:
        urls: dict[str, str] = {}
        if "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ:
            say("Using the PostgreSQL of DATABASE_URL")
        else:
            self.postgres = EmbeddedPostgres(self.data)
            if self.postgres.initialise():
                say("Made a PostgreSQL data folder")
            self._start_server("postgres", self.postgres)
            self.postgres.set_up()
            urls |= self.postgres.urls()
            say(f"PostgreSQL answers on port {self.postgres.port}")
        if "REDIS_URL" in os.environ or "REDIS_URL_FILE" in os.environ:
            say("Using the Valkey or Redis of REDIS_URL")
        else:
            self.valkey = EmbeddedValkey(self.data)
            self._start_server("valkey", self.valkey)
            urls |= self.valkey.urls()
            say(f"Valkey answers on port {self.valkey.port}")
        self.environment |= urls
        announce(self.data, urls)

    def _start_server(self, name: str, server: EmbeddedPostgres | EmbeddedValkey) -> None:
        with one_at_a_time(self.data):
            process = server.start()
        if process is not None:
            self.servers[name] = process

    def _bring_database_up_to_date(self) -> None:
        stamp, fingerprint = self.data / "run" / "migrated", _migrations_fingerprint()
        if self.postgres is None or not stamp.exists() or stamp.read_text() != fingerprint:
            say("Bringing the database up to date")
            self._manage("migrate", "--verbosity", "0")
            self._manage("init_vault")
            stamp.write_text(fingerprint)
        if os.environ.get("DEMO", "1") != "0" and not (self.data / "demo.json").exists():
            say("Making the demo accounts")
            self._manage("demo", quiet=True)

    def _manage(self, *arguments: str, quiet: bool = False) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise GiveUp(f"manage.py {arguments[0]} failed:\n{done.stdout.strip()[-2000:]}")
        if done.stdout.strip() and not quiet:
            say(done.stdout.strip())

    def _start_services(self) -> None:
        procfile = parse_procfile((ROOT / "Procfile").read_text())
        self.services = [Service(name, command, self.environment) for name, command in procfile.processes.items()]
        say(f"Starting {', '.join(service.name for service in self.services)}")
        for service in self.services:
            service.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 90
        while not self.stopping:
            self._tend()
            faults = _faults(f"{self.base_url}/health")
            if not faults:
                break
            if time.monotonic() > deadline:
                raise GiveUp(f"The product did not become ready: {faults}")
            time.sleep(0.1)
        if not self.stopping:
            self._print_log_ins()
            print(f"ready {self.base_url}", flush=True)

    def _print_log_ins(self) -> None:
        try:
            demo = json.loads((self.data / "demo.json").read_text())
        except FileNotFoundError:
            return
        print("\nDemo log-ins")
        for account in demo["accounts"]:
            print(f"  {account['name']}  {self.base_url}/app/{account['slug']}/")
            for user in account["users"]:
                print(f"    {user['role']:7} {user['email']:32} {user['password']}")
        admin = demo["super_admin"]
        print(f"  Super admin  {self.base_url}/admin/")
        print(f"    {admin['email']}  {admin['password']}  static token {admin['static_tokens'][0]}\n")

    def _watch(self) -> None:
        while not self.stopping:
            self._tend()
            time.sleep(0.25)

    def _tend(self) -> None:
        for name, process in list(self.servers.items()):
            if process.poll() is not None and not self.stopping:
                say(f"{name} ended with code {process.returncode}; starting it again")
                del self.servers[name]
                server = self.postgres if name == "postgres" else self.valkey
                assert server is not None
                self._start_server(name, server)
        for service in self.services:
            if service.died():
                service.after_death()
            elif service.process is None and time.monotonic() >= service.due_at:
                service.start()

    def stop(self) -> None:
        """End processes first, then the servers, in the order in which they need each other."""
        self.stopping = True
        for service in self.services:
            service.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for service in self.services:
            if service.process is not None:
                try:
                    service.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    say(f"{service.name} does not end; killing it")
                service.signal(signal.SIGKILL)
        if "valkey" in self.servers and self.valkey is not None:
            self.valkey.stop()
        if "postgres" in self.servers and self.postgres is not None:
            self.postgres.stop()
        if self.servers:
            withdraw(self.data)
        say("Stopped")


def _migrations_fingerprint() -> str:
    digest = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    for path in sorted(ROOT.glob("apps/*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _faults(url: str) -> str:
    """Why the product is not healthy; "" when it is."""
    try:
        with urlopen(url, timeout=5) as answer:  # an address of our own
            return "" if answer.status == 200 else str(answer.status)
    except URLError as error:
        body = error.read().decode(errors="replace")[:500] if hasattr(error, "read") else ""
        return body or str(error.reason)
    except OSError as error:
        return str(error)


def _locked(data: Path) -> Iterator[None]:
    (data / "run").mkdir(parents=True, exist_ok=True)
    with (data / "run" / "supervisor.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GiveUp(f"The product runs already with the data folder {data}.") from None
        yield


def main() -> int:
    """Run until stopped. Exit code 0 when asked to stop, 1 when the product could not run."""
    data = Path(os.environ.get("DATA", "var")).resolve()
    supervisor = Supervisor(data, int(os.environ.get("PORT", "8000")))

    def interrupt(number: int, frame: FrameType | None) -> None:
        if supervisor.stopping:
            return
        say("Stopping")
        supervisor.stopping = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    code = 0
    try:
        for _ in _locked(data):
            try:
                supervisor.run()
            finally:
                supervisor.stop()
    except KeyboardInterrupt:
        pass
    except Exception as error:
        print(f"\nStrongroom stops: {error}", file=sys.stderr, flush=True)
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
