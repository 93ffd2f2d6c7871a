"""Grants that lie idle are renewed all the same, and a lost one is told of once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import Integration
from apps.integrations.oauth import renewing
from apps.integrations.oauth.access import client_of, kind_of
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.oauth.leftovers import clear_left
from apps.integrations.providers.errors import SignInAgain
from apps.integrations.services import connections
from apps.integrations.services.calling import calling
from apps.integrations.tasks import renew_grant
from apps.vault.models import AuditEntry, Token
from apps.vault.tokens import Grant, adopt, store
from tests.api_client import by_key
from tests.factories import Cast
from tests.integrations.oauth.zoho import OWN, OWNER, TYPED, Zoho, make, reread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("I-09", "V-04")]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What workers were asked to renew; there are none in a test."""
    cache.clear()
    messages: list[tuple[str, str]] = []
    monkeypatch.setattr(renew_grant, "delay", lambda *arguments: messages.append(arguments))
    return messages


@pytest.fixture
def row(zoho: Zoho, cast: Cast) -> Integration:
    """Connected by consent; its access token ends in ten minutes."""
    row, now = make(cast, OWN), timezone.now()
    with tenant(cast.account):
        ends = now + timedelta(minutes=10)
        store(f"{PREFIX}:{row.pk}", Grant("access-0", "consented", granted_at=now, expires_at=ends), actor=OWNER)
        Token.objects.update(granted_at=now - timedelta(minutes=50))
        Integration.objects.update(condition="connected")
    return row


def work_off(asked: list[tuple[str, str]]) -> None:
    while asked:
        renew_grant(*asked.pop())


def losses(cast: Cast) -> list[AuditEntry]:
    with tenant(cast.account):
        entries = list(AuditEntry.objects.filter(action="integration.consent_lost"))
        _ = [entry.payload for entry in entries]  # readable in here alone
    return entries


def test_what_is_due_is_renewed_although_nobody_calls(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]]
) -> None:
    assert renewing.sweep() == 1
    assert asked == [(str(cast.account.pk), str(row.pk))]
    assert renewing.sweep() == 0, "it was asked for already"
    work_off(asked)
    assert [call["refresh_token"] for call in zoho.calls] == ["consented"]
    with tenant(cast.account):
        assert Token.objects.get().pair["access_token"] == "access-1"
        assert Integration.objects.get().last_used_at is None
    cache.clear()
    assert renewing.sweep() == 0, "it is not due any more"


@pytest.mark.parametrize("why", ["disabled", "suspended", "waits", "not due", "application", "no connection"])
def test_what_is_not_due_or_not_in_use_is_left_alone(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]], why: str
) -> None:
    hour = timezone.now() + timedelta(hours=1)
    with tenant(cast.account):
        if why == "disabled":
            connections.switch(connections.lock_integration(row.pk), on=False, actor=OWNER)
        elif why == "waits":
            Token.objects.update(next_attempt_at=hour, status="backoff")
        elif why == "not due":
            Token.objects.update(expires_at=hour)
        elif why == "application":
            Integration.objects.update(settings={"grant": "client_credentials"})
        elif why == "no connection":
            Token.objects.update(kind="somebody-elses:0")
    if why == "suspended":
        with platform("suspend an account in a test"):
            Account.objects.filter(pk=cast.account.pk).update(status=Account.Status.SUSPENDED)
    assert (renewing.sweep(), asked) == (0, [])
    if why in {"disabled", "suspended", "not due"}:
        renewing.renew(cast.account.pk, row.pk)  # a message that was on its way before
    assert zoho.calls == []


def test_a_sweep_asks_for_no_more_than_workers_can_do(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "MOST", 1)
    with tenant(cast.account):
        other = connections.connect(actor=OWNER, category="crm", provider_name="zoho", name="B", credentials=OWN)
        past = timezone.now() - timedelta(hours=1)
        store(f"{PREFIX}:{other.pk}", Grant("access-0", "b", granted_at=past, expires_at=past), actor=OWNER)
    assert (renewing.sweep(), renewing.sweep(), renewing.sweep()) == (1, 1, 0)
    assert [integration for _, integration in asked] == [str(other.pk), str(row.pk)], "the latest end comes last"


def test_a_grant_that_is_lost_is_shown_and_told_of_once(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]]
) -> None:
    zoho.answer = {"error": "invalid_code"}
    start = timezone.now()
    for hours in (1, 3, 5, 7, 9):
        cache.clear()
        with time_machine.travel(start + timedelta(hours=hours), tick=True):
            renewing.sweep()
            work_off(asked)
    assert len(zoho.calls) == 3
    assert reread(cast, row).status == "reauth_required"
    (entry,) = losses(cast)
    assert (entry.entity_id, entry.payload["changes"]["error"]) == (str(row.pk), "Zoho CRM: invalid_code")
    with tenant(cast.account):
        again = timezone.now()
        store(f"{PREFIX}:{row.pk}", Grant("access-0", "again", granted_at=again, expires_at=again), actor=OWNER)
        Token.objects.update(refusals=2)
    cache.clear()
    renewing.sweep()
    work_off(asked)
    assert len(losses(cast)) == 2, "consent that was given anew can be lost anew"


def test_a_loss_that_a_call_noticed_is_told_of_although_the_call_undid_all(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]]
) -> None:
    zoho.answer = {"error": "invalid_code"}
    with tenant(cast.account):
        Token.objects.update(refusals=2, expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(SignInAgain), tenant(cast.account), calling("crm.find_contact", actor=OWNER):
        pass
    assert losses(cast) == []
    assert renewing.sweep() == 1
    work_off(asked)
    assert len(losses(cast)) == 1
    assert len(zoho.calls) == 1


def test_a_renewal_that_works_again_ends_the_waiting(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]]
) -> None:
    zoho.status, start = 503, timezone.now()
    with time_machine.travel(start + timedelta(hours=1), tick=True):
        renewing.sweep()
        work_off(asked)
    assert reread(cast, row).status == "backoff"
    zoho.status = 200
    cache.clear()
    with time_machine.travel(start + timedelta(hours=2), tick=True):
        renewing.sweep()
        work_off(asked)
    assert reread(cast, row).status == "connected"


def test_a_connection_whose_provider_is_gone_stops_nobody(
    zoho: Zoho, cast: Cast, row: Integration, asked: list[tuple[str, str]]
) -> None:
    with tenant(cast.account):
        Token.objects.update(status="reauth_required")
        Integration.objects.update(provider="gone")
    renewing.sweep()
    work_off(asked)
    assert clear_left(now=timezone.now() + timedelta(hours=2)) == 0
    assert (zoho.calls, losses(cast)) == ([], [])


def test_grants_that_no_connection_uses_are_cleared_away(zoho: Zoho, cast: Cast) -> None:
    """Of a trial whose process died; those of a trial that runs are younger."""
    row = make(cast, TYPED)
    with client_of(row) as client:
        client.test()
    with tenant(cast.account):
        past = timezone.now() - timedelta(hours=1)
        for kind in (f"{PREFIX}:{row.pk}:abandoned", f"{PREFIX}:{cast.account.pk}", "somebody-elses"):
            adopt(kind, Grant("", "tried", granted_at=past, expires_at=past))
    assert clear_left(now=timezone.now()) == 0
    assert clear_left(now=timezone.now() + timedelta(hours=2)) == 2
    with tenant(cast.account):
        assert set(Token.objects.values_list("kind", flat=True)) == {kind_of(row), "somebody-elses"}
    assert by_key(cast.account, Role.ADMIN).get("tokens").status == 200
