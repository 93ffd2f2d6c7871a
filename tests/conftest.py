"""What all tests share: the database, clean servers between tests, and a cast of people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase

from apps.accounts.features.cache import forget_process
from apps.accounts.metering.prices import load_declared
from apps.accounts.tenancy.scope import platform
from tests import database
from tests.chromium import browser as browser
from tests.coverage_map import CoversPlugin
from tests.factories import Cast, make_cast


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
    with django_db_blocker.unblock():
        with platform("store prices that were declared since the template was made"):
            load_declared()
        yield
        connections.close_all()
    database.drop(name)


def _clean_as_owner(case: TransactionTestCase) -> None:
    connections.close_all()
    database.clean(connections["default"].settings_dict["NAME"])


# Django would TRUNCATE as the role that serves, which may not: that is the point of it.
TransactionTestCase._fixture_teardown = _clean_as_owner  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _clean_surroundings(settings: Any, tmp_path: Path) -> None:
    """Nothing outside of the database is left over from the test before."""
    settings.AUDIT_ANCHOR_DIR = tmp_path / "audit-anchors"
    settings.UPLOAD_DIR = tmp_path / "uploads"
    cache.clear()
    forget_process()


@pytest.fixture
def cast(db: None) -> Cast:
    """Alice owns an account with an admin, Bob as member and a viewer; Charlie owns another one."""
    return make_cast()
