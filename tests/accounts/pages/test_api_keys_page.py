"""API keys in the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.credentials import recognise
from apps.accounts.models import APIKey
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast, make_api_key

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]
HX = {"HX-Request": "true"}
VALUES = {"name": "Website backend", "role": "member", "scopes": ["contacts.*"], "rate_limit_per_hour": "1000"}


def key_in(page: str) -> str:
    found = re.search(r"sr_[a-z0-9]{12}_[\w-]{40,}", page)
    assert found
    return found[0]


def only_key(cast: Cast) -> APIKey:
    with tenant(cast.account):
        return APIKey.objects.get()


@pytest.mark.covers("A-09")
def test_a_new_key_is_shown_once_and_works(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.ADMIN)
    answer = client.post(f"{base}api/new/", VALUES, headers=HX).content.decode()
    plain = key_in(answer)
    known = recognise(plain)
    assert known is not None
    assert (known.actor.role, known.actor.scopes) == (Role.MEMBER, ("contacts.*",))
    listed = client.get(f"{base}api/").content.decode()
    assert "Website backend" in listed
    assert plain not in listed
    assert plain.rpartition("_")[0][:15] in listed


@pytest.mark.covers("A-09")
def test_a_key_lasts_through_the_day_it_ends_on(as_role: AsRole, base: str, cast: Cast) -> None:
    today = timezone.localdate()
    as_role(Role.OWNER).post(f"{base}api/new/", {**VALUES, "expires_at": today.isoformat()}, headers=HX)
    key = only_key(cast)
    assert key.expires_at is not None
    assert timezone.localtime(key.expires_at).date() == today
    past = as_role(Role.OWNER).post(
        f"{base}api/new/", {**VALUES, "expires_at": (today - timedelta(days=1)).isoformat()}, headers=HX
    )
    assert past.status_code == 422
    assert "This time is past" in past.content.decode()


@pytest.mark.covers("A-05", "A-09")
def test_nobody_makes_a_key_above_their_own_role(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    assert '<option value="admin"' not in client.get(f"{base}api/new/", headers=HX).content.decode()
    assert client.post(f"{base}api/new/", {**VALUES, "role": "admin"}, headers=HX).status_code == 422
    with tenant(cast.account):
        assert not APIKey.objects.exists()


@pytest.mark.covers("A-05", "A-09")
def test_members_see_and_manage_their_own_keys_only(as_role: AsRole, base: str, cast: Cast) -> None:
    make_api_key(cast.account, name="Alice’s key")
    key = only_key(cast)
    client = as_role(Role.MEMBER)
    assert "Alice’s key" not in client.get(f"{base}api/").content.decode()
    for path in ("", "toggle/", "rotate/", "delete/"):
        assert client.post(f"{base}api/{key.id}/{path}", VALUES).status_code == 403
    assert as_role(Role.VIEWER).get(f"{base}api/").status_code == 403
    only_key(cast)


@pytest.mark.covers("A-09", "X-01")
def test_rotating_ends_the_old_text_and_shows_the_new(as_role: AsRole, base: str, cast: Cast) -> None:
    old = make_api_key(cast.account)
    client = as_role(Role.OWNER)
    key = only_key(cast)
    assert "Rotate" in client.get(f"{base}api/{key.id}/rotate/", headers=HX).content.decode()
    new = key_in(client.post(f"{base}api/{key.id}/rotate/", headers=HX).content.decode())
    assert recognise(old) is None
    assert recognise(new) is not None


@pytest.mark.covers("A-09")
def test_a_key_is_renamed_switched_off_and_deleted(as_role: AsRole, base: str, cast: Cast) -> None:
    plain = make_api_key(cast.account)
    client = as_role(Role.OWNER)
    key = only_key(cast)
    answer = client.post(f"{base}api/{key.id}/", {**VALUES, "name": "Renamed"}, headers=HX)
    assert answer.headers["HX-Redirect"] == f"{base}api/"
    assert only_key(cast).name == "Renamed"
    client.post(f"{base}api/{key.id}/toggle/")
    assert not only_key(cast).enabled
    assert "Disabled" in client.get(f"{base}api/").content.decode()
    client.post(f"{base}api/{key.id}/toggle/")
    client.post(f"{base}api/{key.id}/delete/")
    with tenant(cast.account):
        assert not APIKey.objects.exists()
    assert plain not in client.get(f"{base}api/").content.decode()


@pytest.mark.covers("A-07", "A-09")
def test_another_accounts_key_is_not_found(base: str, cast: Cast) -> None:
    make_api_key(cast.account)
    key = only_key(cast)
    stranger = signed_in(cast.charlie)
    for path in ("", "toggle/", "rotate/", "delete/"):
        assert stranger.post(f"/app/{cast.stranger_account.slug}/api/{key.id}/{path}", VALUES).status_code == 404
    only_key(cast)


def test_an_empty_list_says_what_a_key_is_for(as_role: AsRole, base: str) -> None:
    page = as_role(Role.OWNER).get(f"{base}api/").content.decode()
    assert "No API keys yet" in page
    assert "lets a program of yours read and write" in page
