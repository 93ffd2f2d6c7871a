"""`make run` on servers of the operator: used instead of the embedded ones, and refused in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from config.embedded.postgres import APP, OWNER, EmbeddedPostgres
from tests.product import Product

pytestmark = [pytest.mark.xdist_group("make-run"), pytest.mark.timeout(600)]
# Modules may be shared out among the worker processes of a run: each has its own database and cache.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
NAME = f"strongroom_given_{WORKER}"
REDIS_DATABASE = 63 - int(WORKER.removeprefix("gw"))


@pytest.fixture(scope="module")
def given(django_db_setup: None) -> Iterator[dict[str, str]]:
    """Addresses of a PostgreSQL and a Valkey that run already: those of the tests, with a database of its own."""
    from django.conf import settings

    server = EmbeddedPostgres(Path(settings.DATA))
    database = sql.Identifier(NAME)
    with server.connect("postgres") as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(OWNER)))
        yield {
            "DATABASE_URL": server.url(APP, NAME),
            "MIGRATION_DATABASE_URL": server.url(OWNER, NAME),
            "REDIS_URL": urlsplit(settings.REDIS_URL)._replace(path=f"/{REDIS_DATABASE}").geturl(),
        }
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


@pytest.mark.covers("O-01")
def test_nothing_is_embedded_when_both_servers_are_given(given: dict[str, str], tmp_path: Path) -> None:
    product = Product(tmp_path / "data", DEMO="0", **given)
    try:
        product.start()
        assert product.get("/health")[0] == 200
        for embedded in ("pginstall18/bin/postgres", "valkey-server"):
            assert not product.pids(embedded)
        assert not (product.data / "postgres").exists()
        assert not (product.data / "valkey").exists()
        with psycopg.connect(given["MIGRATION_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT count(*) FROM django_migrations").fetchone() != (0,)
    finally:
        product.end()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"MIGRATION_DATABASE_URL": ""}, "DATABASE_URL is set and MIGRATION_DATABASE_URL is not."),
        ({"DATABASE_URL": "mysql://somebody@127.0.0.1/x"}, "DATABASE_URL must begin with postgres://"),
        ({"DATABASE_URL": "postgres://somebody@127.0.0.1:1/x"}, "The server of DATABASE_URL can't be used: "),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "The server of REDIS_URL does not answer: "),
        ({"REDIS_URL": "valkey.example"}, "REDIS_URL can't be used: "),
        ({"LOG_LEVEL": "LOUD"}, "\nLOG_LEVEL must be one of DEBUG"),
    ],
    ids=lambda value: " ".join(f"{name}={to}" for name, to in value.items()) if isinstance(value, dict) else None,
)
def test_it_says_in_a_sentence_what_is_wrong_with_a_setting(
    given: dict[str, str], tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    _refused(Product(tmp_path / "data", DEMO="0", **{**given, **changes}), words)


def test_the_role_that_owns_the_database_may_not_serve(given: dict[str, str], tmp_path: Path) -> None:
    owner = given["MIGRATION_DATABASE_URL"]
    _refused(Product(tmp_path / "data", DEMO="0", **{**given, "DATABASE_URL": owner}), f"both use the role {OWNER}")


def test_two_databases_are_not_taken_for_one(given: dict[str, str], tmp_path: Path) -> None:
    other = urlsplit(given["DATABASE_URL"])._replace(path="/postgres").geturl()
    _refused(Product(tmp_path / "data", DEMO="0", **{**given, "DATABASE_URL": other}), "lead to different databases")


def _refused(product: Product, words: str) -> None:
    product.launch()
    assert product.process is not None
    assert product.process.wait(120) != 0
    output = product.output()
    assert words in output
    assert "Traceback" not in output
    assert not product.processes()
