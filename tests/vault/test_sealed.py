"""Without the master key: 503 with words, for people and for programs, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from apps.vault.keys import forget_keys
from apps.vault.keys.master import forget_master_key
from tests.api_client import BASE
from tests.factories import PASSWORD, Cast, make_api_key, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def keyring(cast: Cast) -> str:
    """An API key of an account with one contact, made while the product was open."""
    make_contact(cast.account, email="anna@people.example")
    return make_api_key(cast.account)


@pytest.fixture
def sealed(keyring: str, settings: Any) -> Iterator[None]:
    """From here on the master key is gone."""
    forget_keys()
    forget_master_key()
    settings.VAULT_MASTER_KEY_URI = ""
    yield
    forget_keys()
    forget_master_key()


@pytest.mark.covers("V-01")
def test_people_read_that_it_is_sealed(client: Client, cast: Cast, sealed: None) -> None:
    answer = client.post(
        "/accounts/login/", {"login": cast.alice.email, "password": PASSWORD}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 503
    assert "Strongroom is sealed" in answer.content.decode()
    assert answer.headers["Retry-After"] == "10"
    assert not Session.objects.exists(), "a sign-in that can't be written to the trail does not happen"


@pytest.mark.covers("V-01")
def test_programs_get_the_code(client: Client, keyring: str, sealed: None) -> None:
    bearer = {"Authorization": f"Bearer {keyring}"}
    answer = client.get(f"{BASE}contacts", headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (503, "sealed")
    assert answer.headers["Retry-After"] == "10"
    assert client.get(f"{BASE}account", headers=bearer).status_code == 200, "what needs no key is served"
