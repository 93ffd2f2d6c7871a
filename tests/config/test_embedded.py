"""The embedded servers: private, shared by several processes, and whole again after a crash."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import unprivileged
from config.embedded.data_folder import port
from config.embedded.postgres import APP, OWNER, EmbeddedPostgres
from config.embedded.servers import Servers
from config.embedded.valkey import EmbeddedValkey

pytestmark = [pytest.mark.xdist_group("embedded"), pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Running, on a fresh folder whose parents are closed to other users."""
    both = Servers(tmp_path / "data")
    (tmp_path / "data").mkdir()
    both.start()
    yield both
    both.stop(others=True)


def _postgres(servers: Servers) -> EmbeddedPostgres:
    assert servers.postgres is not None
    return servers.postgres


def _valkey(servers: Servers) -> EmbeddedValkey:
    assert servers.valkey is not None
    return servers.valkey


@pytest.mark.covers("O-01")
def test_roles_are_as_isolation_needs_them(servers: Servers) -> None:
    with psycopg.connect(servers.urls["DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
            " pg_has_role('strongroom_platform', 'SET'), pg_has_role('strongroom_platform', 'USAGE')"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (APP, False, False, False, False, True, False)


def test_every_new_database_has_vectors_without_a_superuser(servers: Servers) -> None:
    with _postgres(servers).connect(OWNER) as connection:
        connection.execute("CREATE DATABASE another")
    with _postgres(servers).connect(OWNER, "another") as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,4]'::vector").fetchone() == (2.0,)


def test_nobody_gets_in_without_the_password(servers: Servers) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host="127.0.0.1", port=_postgres(servers).port, user="postgres", password="x", dbname="postgres"
        )
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=_valkey(servers).port).ping()
    assert not list(servers.data.rglob("*.s.PGSQL*")), "no socket beside TCP"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (servers.data / "secrets").iterdir()}
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((servers.data / "valkey" / "valkey.conf").stat().st_mode) == 0o600


def test_a_second_start_finds_the_first(servers: Servers) -> None:
    second = Servers(servers.data)
    assert second.start() is False
    second.stop()
    assert servers.answer(), "what others started is not ours to stop"


def _command(data: Path, verb: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "config.embedded", verb], cwd=ROOT, env={**os.environ, "DATA": str(data)}, check=True
    )


def _postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def test_two_that_start_at_once_share_one(tmp_path: Path) -> None:
    starting = [
        subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "start"], cwd=ROOT, env={**os.environ, "DATA": str(tmp_path)}
        )
        for _ in range(3)
    ]
    try:
        assert [process.wait(180) for process in starting] == [0, 0, 0]
        assert Servers(tmp_path).answer()
    finally:
        _command(tmp_path, "stop")
    assert not Servers(tmp_path).answer()
    assert not (tmp_path / "run" / "services.json").exists()


@pytest.mark.parametrize("which", ["postgres", "valkey"])
def test_data_survives_a_kill(servers: Servers, which: str) -> None:
    with _postgres(servers).connect(OWNER, "strongroom") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    with redis.Redis.from_url(servers.urls["REDIS_URL"]) as client:
        client.set("kept", 42)
    time.sleep(1.1)  # appendfsync everysec
    server = getattr(servers, which)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait(60)
    said: list[str] = []
    servers.tend(said.append)
    assert said == [f"{server.name} ended with code -9; starting it again"]
    assert servers.answer()
    with _postgres(servers).connect(OWNER, "strongroom") as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
    with redis.Redis.from_url(servers.urls["REDIS_URL"]) as client:
        assert client.get("kept") == b"42"


def test_a_kill_right_before_the_next_start_is_waited_out(tmp_path: Path) -> None:
    _command(tmp_path, "start")
    try:
        os.kill(_postmaster(tmp_path), signal.SIGKILL)  # its children and its lock file are still there
        _command(tmp_path, "start")
        assert Servers(tmp_path).answer()
    finally:
        _command(tmp_path, "stop")


def test_a_port_taken_meanwhile_is_replaced(servers: Servers) -> None:
    before = port(servers.data, "postgres")
    servers.stop()
    with socket.create_server(("127.0.0.1", before)):
        servers.start()
        assert port(servers.data, "postgres") != before
        assert servers.answer()


def test_an_interrupted_first_start_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.unfinished").mkdir()
    (tmp_path / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path)
    assert server.initialise() is True
    assert server.initialise() is False
    assert not (tmp_path / "postgres.unfinished").exists()
    assert (tmp_path / "postgres" / "base").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_root_without_namespaces_runs_it_as_a_system_user_below_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unprivileged, "_namespaces_work", lambda: False)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data")
    server.data.mkdir(mode=0o700)
    server.initialise()
    server.start()
    try:
        server.set_up()
        assert server.process is not None
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == server.folder.stat().st_uid != 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        with server.connect(OWNER, "strongroom") as connection:
            connection.execute("CREATE TABLE x AS SELECT '[1]'::vector AS v")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(60)
        server.start()
        with server.connect(OWNER, "strongroom") as connection:
            assert connection.execute("SELECT count(*) FROM x").fetchone() == (1,)
    finally:
        server.stop()


def test_servers_end_with_whoever_started_them(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from config.embedded.servers import Servers; "
        "Servers(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    postmaster = _postmaster(tmp_path)
    starter.kill()
    starter.wait(60)
    deadline = time.monotonic() + 120
    while Path(f"/proc/{postmaster}").exists() or Servers(tmp_path).answer():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text().splitlines()[-1]


def test_programs_of_postgresql_are_run_as_its_administrator(servers: Servers) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "config.embedded", "run", *arguments],
            cwd=ROOT,
            env={**os.environ, "DATA": str(servers.data)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert run("psql", "-Atc", "SELECT current_user, current_database()").stdout == "postgres|strongroom\n"
    assert "PostgreSQL database dump complete" in run("pg_dump").stdout
    unknown = run("nothing")
    assert unknown.returncode == 2
    assert "PostgreSQL has no program nothing." in unknown.stderr
