"""The product's servers and processes, from the first to the last."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from honcho.environ import parse_procfile

from config import environment as settings_environment
from config.embedded.data_folder import is_taken
from config.embedded.servers import Servers
from config.supervisor import given, preparation
from config.supervisor.console import GiveUp, say, show
from config.supervisor.service import ROOT, Service

GRACE_SECONDS = 12.0
"""How long a process may take to end before it is killed."""
READY_SECONDS = 90.0
# Known and meant here; each would otherwise be printed at every start.
_QUIET = ",".join(
    f"ignore:{message}"
    for message in (
        "You're running the worker with superuser privileges",
        "No directory at",  # static files come from their folders, none are collected
        "StreamingHttpResponse must consume synchronous iterators",
    )
)


class Supervisor:
    """The servers and processes of one data folder."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.base_url = f"http://127.0.0.1:{port}"
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "PYTHONWARNINGS": _QUIET,
            **os.environ,
            "DATA": str(data),
            "PORT": str(port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
        }
        self.servers = Servers(
            data, postgres=not given.is_given("DATABASE_URL"), valkey=not given.is_given("REDIS_URL")
        )
        self.services: list[Service] = []
        self.stopping = False

    def run(self) -> None:
        """Until told to stop. Raises GiveUp."""
        self._wait_for_port()
        preparation.make_secrets(self.data)
        for name, check in (("DATABASE_URL", given.check_database), ("REDIS_URL", given.check_redis)):
            if given.is_given(name):
                say(f"Using the server of {name}")
                check()
        self.servers.start(say)
        self.environment |= self.servers.urls
        database_url = self.environment.get("DATABASE_URL") or settings_environment.text("DATABASE_URL")
        preparation.bring_up_to_date(self.data, self.environment, database_url)
        preparation.make_demo(self.data, self.environment, self.base_url)
        self._start_services()
        self._wait_until_ready()
        while not self.stopping:
            self._tend()
            time.sleep(0.25)

    def _wait_for_port(self) -> None:
        # After a crash the old processes need a moment to end; their addresses are still announced then.
        crashed = (self.data / "run" / "services.json").exists()
        deadline = time.monotonic() + (GRACE_SECONDS if crashed else 0)
        if crashed and is_taken(self.port):
            say(f"Port {self.port} is in use; waiting for it")
        while is_taken(self.port):
            if time.monotonic() >= deadline:
                raise GiveUp(f"Port {self.port} is in use. Choose another: make run PORT={self.port + 1}")
            time.sleep(0.2)

    def _start_services(self) -> None:
        procfile = parse_procfile((ROOT / "Procfile").read_text())
        self.services = [Service(name, command, self.environment) for name, command in procfile.processes.items()]
        say(f"Starting {', '.join(service.name for service in self.services)}")
        for service in self.services:
            service.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        faults = {"web": "does not answer"}
        while faults and not self.stopping:
            if time.monotonic() > deadline:
                raise GiveUp(f"The product did not become ready in {READY_SECONDS:.0f} s: {faults}")
            self._tend()
            time.sleep(0.1)
            faults = _faults(f"{self.base_url}/health")
            if set(faults) == {"vault"}:
                show(f"sealed {self.base_url} ({faults['vault']})")
                return
        if not self.stopping:
            show(f"{preparation.log_ins(self.data, self.base_url)}ready {self.base_url}")
            say("Everything runs. Ctrl-C ends it.")

    def _tend(self) -> None:
        self.servers.tend(say)
        for service in self.services:
            service.tend()

    def stop(self) -> None:
        """End processes first, then the servers, in the order in which they need each other."""
        self.stopping = True
        for service in self.services:
            service.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for service in self.services:
            service.wait(deadline - time.monotonic())
        self.servers.stop()
        say("Stopped")

    def kill(self) -> None:
        """End the processes without waiting for what they do."""
        for service in self.services:
            service.signal(signal.SIGKILL)


def _faults(url: str) -> dict[str, str]:
    """What is not well, by check; empty when the product is healthy."""
    try:
        with urlopen(url, timeout=5):  # an address of our own
            return {}
    except HTTPError as error:
        try:
            checks = json.loads(error.read())["checks"]
        except (ValueError, KeyError):
            return {"web": f"answers with {error.code}"}
        return {name: result for name, result in checks.items() if result != "ok"}
    except OSError as error:
        return {"web": str(error)}
