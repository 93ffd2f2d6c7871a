"""Grants of outside services through the API: what is known of them, never the tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Token
from apps.vault.tokens import Grant, declare_service, store
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-04")]


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    now = timezone.now()
    grant = Grant("the-access-token", "the-refresh-token", now, now + timedelta(hours=1), ("crm.read",))
    with tenant(cast.account):
        store("stand_in:1", grant, actor=Actor.system("tests"))
    return by_key(cast.account, Role.ADMIN)


def test_a_grant_is_shown_without_its_tokens(api: ApiClient) -> None:
    answer = api.get("tokens/stand_in:1")
    assert answer.status == 200
    assert b"the-access-token" not in answer.content and b"the-refresh-token" not in answer.content
    shown = answer.json
    assert (shown["type"], shown["status"], shown["scopes"]) == ("stand_in:1", "active", ["crm.read"])
    assert shown["refreshable"] is True
    assert shown["granted_at"] < shown["next_refresh_at"] < shown["expires_at"]
    assert api.get("tokens").json["results"] == [shown]


def test_members_see_none(api: ApiClient, cast: Cast) -> None:
    member = by_key(cast.account, Role.MEMBER)
    assert {member.get("tokens").status, member.get("tokens/stand_in:1").status} == {403}
    assert member.delete("tokens/stand_in:1").status == 403


def test_one_that_is_removed_is_given_back_and_told_in_the_trail(api: ApiClient, cast: Cast) -> None:
    given_back: list[str] = []
    declare_service("stand_in", lambda kind, grant: given_back.append(grant.refresh_token))
    assert api.delete("tokens/stand_in:1").status == 204
    assert given_back == ["the-refresh-token"]
    assert api.get("tokens/stand_in:1").status == 404
    assert api.get("audit?action=token.*&limit=1").json["results"][0]["action"] == "token.revoked"


def test_one_whose_service_is_away_is_removed_all_the_same_and_it_says_so(api: ApiClient, cast: Cast) -> None:
    def fail(kind: str, grant: Grant) -> None:
        raise ConnectionError("no answer in time")

    declare_service("stand_in", fail)
    answer = api.delete("tokens/stand_in:1")
    assert (answer.status, answer.json["given_back"]) == (200, False)
    assert "no answer in time" in answer.json["detail"]
    with tenant(cast.account):
        assert not Token.objects.exists()


def test_one_that_is_not_there_is_a_404(api: ApiClient) -> None:
    assert api.get("tokens/other").status == 404
    assert api.delete("tokens/other").status == 404
