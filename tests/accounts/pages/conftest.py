"""Signed-in clients of Alice's account."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.roles import Role
from tests.factories import Cast


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def as_role(cast: Cast) -> Callable[[Role], Client]:
    """A client signed in as the member of Alice's account with this role."""
    return lambda role: signed_in(cast.alice if role == Role.OWNER else cast.members[role])


@pytest.fixture
def base(cast: Cast) -> str:
    return f"/app/{cast.account.slug}/"
