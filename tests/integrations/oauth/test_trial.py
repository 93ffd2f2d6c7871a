"""What is tried is asked of the service itself, and nothing stays of what it refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of, kind_of
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.providers.errors import NotSignedIn
from apps.integrations.services import saving
from apps.integrations.services.connections import lock_integration
from apps.vault.models import Token
from apps.vault.tokens import Grant, store
from tests.api_client import ApiClient, by_key
from tests.factories import Cast
from tests.integrations.oauth.zoho import OWN, OWNER, TYPED, Zoho, make, reread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-09", "V-04")]

REFUSAL = {"error": "invalid_client_secret", "error_description": "unknown client"}


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


@pytest.fixture
def typed(zoho: Zoho, cast: Cast) -> Integration:
    """Somebody typed its refresh token, and an access token is kept that lasts for an hour."""
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    return row


@pytest.fixture
def consented(zoho: Zoho, cast: Cast) -> Integration:
    """Somebody consented to its application."""
    row, now = make(cast, OWN), timezone.now()
    with tenant(cast.account):
        grant = Grant("access-1", "consented", granted_at=now, expires_at=now + timedelta(hours=1))
        store(f"{PREFIX}:{row.pk}", grant, actor=OWNER)
        Integration.objects.update(condition="connected")
    return row


def kept(cast: Cast) -> list[dict[str, Any]]:
    """All that is known of grants."""
    with tenant(cast.account):
        return [{**row, "pair": Token.objects.get(pk=row["id"]).pair} for row in Token.objects.values()]


@pytest.mark.parametrize("which", ["typed", "consented"])
@pytest.mark.parametrize("waits", [False, True])
def test_a_new_client_secret_is_tried_although_a_token_is_kept(
    zoho: Zoho, cast: Cast, api: ApiClient, request: pytest.FixtureRequest, which: str, waits: bool
) -> None:
    """And although the grant waits after a failure: the old secret may be why."""
    row = request.getfixturevalue(which)
    if waits:
        with tenant(cast.account):
            Token.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1), status="backoff", failures=3)
    before, calls = kept(cast), len(zoho.calls)
    zoho.answer = REFUSAL
    refused = api.post(f"integrations/{row.pk}/rotate", {"credentials": {"client_secret": "wrong"}})
    assert (refused.status, refused.code) == (422, "application_refused")
    assert zoho.calls[-1]["client_secret"] == "wrong"
    assert kept(cast) == before
    assert reread(cast, row).credentials["client_secret"] == "the-client-secret"
    zoho.answer, zoho.valid = None, {f"access-{calls + 2}"}
    rotated = api.post(f"integrations/{row.pk}/rotate", {"credentials": {"client_secret": "new"}}).json
    assert rotated["ok"], rotated
    assert (zoho.calls[-1]["client_secret"], len(zoho.calls)) == ("new", calls + 2)
    (now,) = kept(cast)
    assert (now["pair"]["access_token"], now["status"]) == (f"access-{calls + 2}", "active")
    with client_of(reread(cast, row)) as client:
        client.test()
    assert len(zoho.calls) == calls + 2


def test_another_client_id_needs_a_new_consent_and_says_so(
    zoho: Zoho, cast: Cast, api: ApiClient, consented: Integration
) -> None:
    """RFC 6749 section 6: a refresh token is bound to the client that it was given to."""
    before, other = kept(cast), {"client_id": "1000.other", "client_secret": "another"}
    refused = api.post(f"integrations/{consented.pk}/rotate", {"credentials": other})
    assert (refused.status, refused.code) == (422, "consent_needed")
    assert "another client ID" in refused.json["detail"]
    assert "connect it again" in refused.json["detail"]
    with tenant(cast.account), pytest.raises(saving.NotSaved) as not_saved:
        saving.change_if_it_works(lock_integration(consented.pk), actor=OWNER, credentials=other)
    assert not_saved.value.outcome.code == "consent_needed"
    assert (kept(cast), zoho.calls) == (before, [])
    with client_of(reread(cast, consented)) as client:
        client.test()
    changed = api.patch(f"integrations/{consented.pk}", {"credentials": other}).json
    assert changed["status"] == "not_configured"
    assert "another client ID" in changed["last_error_message"]
    assert "Connect it again" in api.get(f"integrations/{consented.pk}/health").json["todo"]
    assert (kept(cast), zoho.calls, zoho.given_back) == ([], [], [])
    with pytest.raises(NotSignedIn):
        client_of(reread(cast, consented))


def test_another_client_id_that_is_saved_anyway_waits_for_consent(
    zoho: Zoho, cast: Cast, consented: Integration
) -> None:
    with tenant(cast.account):
        other = {"client_id": "1000.other", "client_secret": "another"}
        saving.change_anyway(lock_integration(consented.pk), actor=OWNER, credentials=other)
        now = Integration.objects.get()
        assert (now.status, now.last_tested_at, now.credentials) == ("not_configured", None, other)
        assert now.last_error_todo.startswith("Connect it again")
    assert (kept(cast), zoho.calls) == ([], [])


def test_a_secret_that_is_changed_for_the_same_client_id_keeps_consent(
    zoho: Zoho, cast: Cast, api: ApiClient, consented: Integration
) -> None:
    changed = api.patch(f"integrations/{consented.pk}", {"credentials": {"client_secret": "new"}}).json
    assert changed["status"] == "connected"
    assert len(kept(cast)) == 1


def test_nothing_stays_of_a_new_connection_that_does_not_work(zoho: Zoho, cast: Cast) -> None:
    values = {"category": "crm", "provider_name": "zoho", "credentials": TYPED, "settings": {}}
    zoho.answer = {"error": "invalid_code"}
    with tenant(cast.account), pytest.raises(saving.NotSaved) as not_saved:
        saving.connect_if_it_works(actor=OWNER, **values)
    assert not_saved.value.outcome.code == "credential_refused"
    assert kept(cast) == []
    zoho.answer, zoho.valid = None, set()  # it gives a token, and then does not take it
    with tenant(cast.account), pytest.raises(saving.NotSaved):
        saving.connect_if_it_works(actor=OWNER, **values)
    assert kept(cast) == []
    zoho.valid = {f"access-{len(zoho.calls) + 1}"}
    with tenant(cast.account):
        row = saving.connect_if_it_works(actor=OWNER, **values)
        assert [token["kind"] for token in kept(cast)] == [kind_of(row)]


def test_nothing_stays_of_a_change_that_does_not_work(zoho: Zoho, cast: Cast, typed: Integration) -> None:
    before, zoho.answer = kept(cast), {"error": "invalid_code"}
    with tenant(cast.account), pytest.raises(saving.NotSaved):
        saving.change_if_it_works(
            lock_integration(typed.pk), actor=OWNER, credentials={"refresh_token": "1000.wrong", "client_id": "x"}
        )
    assert zoho.calls[-1]["refresh_token"] == "1000.wrong"
    assert kept(cast) == before


def test_nothing_stays_of_a_rotation_that_fails(zoho: Zoho, cast: Cast, api: ApiClient, typed: Integration) -> None:
    before, zoho.answer = kept(cast), {"error": "invalid_code"}
    refused = api.post(f"integrations/{typed.pk}/rotate", {"credentials": {"refresh_token": "1000.wrong"}})
    assert (refused.status, refused.code) == (422, "credential_refused")
    assert zoho.calls[-1]["refresh_token"] == "1000.wrong"
    assert kept(cast) == before


@pytest.mark.parametrize("what", ["disconnect", "remove", "replace"])
def test_a_client_under_way_does_not_bring_back_what_was_taken_away(
    zoho: Zoho, cast: Cast, api: ApiClient, typed: Integration, what: str
) -> None:
    with client_of(typed) as client:
        client.test()
        if what == "disconnect":
            assert api.delete(f"integrations/{typed.pk}/connect").status == 204
        elif what == "remove":
            assert api.delete(f"integrations/{typed.pk}").status == 204
        else:
            assert api.patch(f"integrations/{typed.pk}", {"credentials": {"refresh_token": "1000.new"}}).status == 200
        zoho.valid, calls = set(), len(zoho.calls)
        with pytest.raises(NotSignedIn):
            client.test()
    assert (kept(cast), len(zoho.calls)) == ([], calls)


def test_consent_takes_the_place_of_what_was_typed_also_in_the_vault(
    zoho: Zoho, cast: Cast, typed: Integration
) -> None:
    from apps.integrations.oauth.connecting import _keep

    with tenant(cast.account):
        _keep(
            lock_integration(typed.pk), Grant("access-9", "by-consent", granted_at=timezone.now()), "zoe", None, OWNER
        )
    assert [token["kind"] for token in kept(cast)] == [f"{PREFIX}:{typed.pk}"]
