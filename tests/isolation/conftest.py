"""Databases with a wall taken down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from apps.accounts.tenancy.registry import owned_columns
from tests import database
from tests.accounts.tenancy.conftest import connected_to


@pytest.fixture(scope="package")
def without_policies(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The name of a database in which no table has row security any more."""
    name = f"bare_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    database.create(name)
    with database.owner_connection(name) as owner:
        for table in owned_columns():
            owner.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')  # type: ignore[arg-type]
            owner.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')  # type: ignore[arg-type]
    yield name
    database.drop(name)


@pytest.fixture
def database_wall_down(without_policies: str, django_db_blocker: Any) -> Iterator[None]:
    """Django works in a database without policies; what a test does there is rolled back."""
    with django_db_blocker.unblock(), connected_to(without_policies), transaction.atomic():
        yield
        transaction.set_rollback(True)
