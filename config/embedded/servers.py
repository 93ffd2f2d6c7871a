"""The embedded servers of one data folder, together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from config.embedded.data_folder import announce, one_at_a_time, withdraw
from config.embedded.postgres import EmbeddedPostgres
from config.embedded.valkey import EmbeddedValkey


def _silent(text: str) -> None:
    """Says nothing."""


class Servers:
    """PostgreSQL and Valkey, or the one of them that is wanted."""

    def __init__(self, data: Path, *, postgres: bool = True, valkey: bool = True) -> None:
        self.data = data
        self.postgres = EmbeddedPostgres(data) if postgres else None
        self.valkey = EmbeddedValkey(data) if valkey else None
        self.wanted: list[EmbeddedPostgres | EmbeddedValkey] = [
            server for server in (self.valkey, self.postgres) if server is not None
        ]

    @property
    def urls(self) -> dict[str, str]:
        """What the product's processes get in their environment."""
        return {name: url for server in self.wanted for name, url in server.urls().items()}

    def answer(self) -> bool:
        """Whether all take connections now."""
        return all(server.answers() for server in self.wanted)

    def start(self, say: Callable[[str], None] = _silent) -> bool:
        """Start what does not run, set it up, and say where it is. Returns whether anything was started here."""
        with one_at_a_time(self.data):
            if self.postgres is not None:
                if not self.postgres.folder.exists():
                    say("Making a PostgreSQL data folder")
                    self.postgres.initialise()
                say("Starting PostgreSQL")
                self.postgres.start()
                self.postgres.set_up()
            if self.valkey is not None:
                say("Starting Valkey")
                self.valkey.start()
            announce(self.data, self.urls)
        return any(server.process for server in self.wanted)

    def tend(self, say: Callable[[str], None]) -> None:
        """Start again what was started here and has ended."""
        for server in self.wanted:
            if server.process is not None and server.process.poll() is not None:
                say(f"{server.name} ended with code {server.process.returncode}; starting it again")
                with one_at_a_time(self.data):
                    server.start()

    def keep(self) -> None:
        """Wait until what was started here has ended. The servers die with whoever started them."""
        ours = [server.process for server in self.wanted if server.process is not None]
        # Each is asked each time: asking also buries a dead one, whose lock file would otherwise count.
        while None in [process.poll() for process in ours]:
            time.sleep(0.5)

    def stop(self, *, others: bool = False) -> None:
        """Stop what was started here, and with ``others`` what somebody else started in this folder."""
        ours = [server for server in self.wanted if others or server.process is not None]
        if ours:
            withdraw(self.data)
        for server in ours:
            server.stop()
