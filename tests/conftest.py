"""What all tests share: the database, clean servers between tests, and a cast of people."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase
from psycopg.pq import TransactionStatus

from apps.accounts.features.cache import forget_process
from apps.accounts.metering.prices import load_declared
from apps.accounts.tenancy.scope import platform
from tests import database
from tests.chromium import browser as browser
from tests.cleaning import Cleaner
from tests.coverage_map import CoversPlugin
from tests.factories import Cast
from tests.standing_cast import is_wanted_by, standing

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(CoversPlugin(), "covers")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """One database per worker process, copied from a migrated template."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    database.create(name)
    connection = connections["default"]
    connection.close()
    connection.settings_dict["NAME"] = name
    cleaner = Cleaner(name)

    def clean(case: TransactionTestCase) -> None:
        session = connection.connection
        if session is not None and session.info.transaction_status != TransactionStatus.IDLE:
            connections.close_all()  # what a test left open would be waited for
        cleaner.clean()

    # Django would TRUNCATE as the role that serves, which may not.
    TransactionTestCase._fixture_teardown = clean  # type: ignore[attr-defined]
    with django_db_blocker.unblock():
        with platform("store prices that were declared since the template was made"):
            load_declared()
        yield
        standing.send_away()
        connections.close_all()
    cleaner.close()
    database.drop(name)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not is_wanted_by(item):
        standing.send_away()


@pytest.fixture
def _cast_stands(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> None:
    if is_wanted_by(request.node):
        with django_db_blocker.unblock():
            standing.call()


@pytest.fixture
def _django_db_helper(_cast_stands: None, _django_db_helper: None) -> None:
    """pytest-django's, which begins the test's own transaction: inside that of the cast."""


@pytest.fixture(autouse=True)
def _clean_surroundings(request: pytest.FixtureRequest, settings: Any) -> None:
    """Nothing outside of the database is left over from the test before."""
    folder = _folder(request)
    settings.AUDIT_ANCHOR_DIR = folder / "audit-anchors"
    settings.UPLOAD_DIR = folder / "uploads"
    cache.clear()
    forget_process()


def _folder(request: pytest.FixtureRequest) -> Path:
    """The test's own ``tmp_path`` where it asks for it; otherwise one that is made when something is put there."""
    if "tmp_path" in request.fixturenames:
        return Path(request.getfixturevalue("tmp_path"))
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    return factory.getbasetemp() / f"surroundings-{next(_numbers)}"


@pytest.fixture
def cast(db: None) -> Cast:
    """Alice owns an account with an admin, Bob as member and a viewer; Charlie owns another one."""
    return standing.people()
