"""A super admin at work."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.accounts.signin.people import enrol, sign_in_with_code, super_admin


@pytest.fixture
def rita(transactional_db: None) -> User:
    """One of the operator's people, with an authenticator."""
    user = super_admin()
    enrol(user)
    return user


@pytest.fixture
def admin(rita: User) -> Client:
    """Rita's browser, signed in with a code."""
    client = Client(headers={"user-agent": "Rita's browser"})
    assert sign_in_with_code(client, rita).status_code == 302
    return client
