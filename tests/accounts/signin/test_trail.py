"""What sign-in leaves in the audit trails, and that nothing happens without it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.db import connection, connections
from django.test import Client

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform
from apps.vault.keys import DecryptionFailed
from apps.vault.models import AuditHead
from tests import database
from tests.accounts.signin.people import (
    SECRET,
    actions,
    code,
    enrol,
    platform_trail,
    sign_in,
    sign_in_with_code,
    super_admin,
    trail,
)
from tests.factories import PASSWORD, add_member, make_account, make_user

pytestmark = [pytest.mark.covers("V-06", "A-01"), pytest.mark.django_db(transaction=True)]


def test_a_sign_in_stands_in_the_trail_of_every_account_of_the_person(client: Client) -> None:
    user = make_user()
    own, other, foreign = make_account(owner=user), make_account(), make_account()
    add_member(other, Role.VIEWER, user)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}, headers={"user-agent": "Firefox"})
    for account in (own, other):
        line = trail(account)[0]
        assert (line.action, line.actor, line.ip, line.user_agent) == (
            "user.signed_in",
            user.email,
            "127.0.0.1",
            "Firefox",
        )
    assert actions(trail(foreign)) == ["account.created"]
    assert platform_trail() == []


def test_a_wrong_password_is_recorded_and_never_written_down(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    sign_in(client, user, "hunter2-hunter2")
    line = trail(account)[0]
    assert (line.action, line.changes) == ("user.sign_in_failed", {"reason": "wrong password"})
    assert "hunter2" not in json.dumps([line._asdict() for line in trail(account)], default=str)


def test_an_unknown_address_is_recorded_masked_in_the_platforms_trail(client: Client) -> None:
    for _ in range(2):
        client.post("/accounts/login/", {"login": "Nobody@people.example", "password": "whatever-it-is"})
    first, second = platform_trail()
    assert first.action == "user.sign_in_failed"
    assert first.actor == "n•••@p•••"
    assert first.changes == second.changes
    assert "nobody" not in json.dumps(first._asdict(), default=str).lower()


def test_super_admins_stand_in_the_platforms_trail(client: Client) -> None:
    rita = super_admin()
    sign_in(client, rita)
    assert actions(platform_trail()) == ["user.signed_in"]


def test_too_many_tries_pause_the_address_and_are_recorded_once(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    for _ in range(8):
        answer = sign_in(client, user, "wrong-wrong-wrong")
    assert b"pauses for five minutes" in answer.content
    assert b"pauses for five minutes" in sign_in(Client(), user).content
    reasons = [line.changes["reason"] for line in trail(account) if line.action == "user.sign_in_failed"]
    assert sorted(reasons) == ["too many tries", *["wrong password"] * 5]


def test_the_limits_are_shared_through_the_cache_and_not_kept_in_a_process() -> None:
    assert isinstance(cache._connections[cache._alias], RedisCache)  # type: ignore[attr-defined]


def test_changing_the_password_is_recorded(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    sign_in(client, user)
    form = {"oldpassword": PASSWORD, "password1": "another-horse-battery", "password2": "another-horse-battery"}
    assert client.post("/accounts/password/change/", form).status_code == 302
    assert actions(trail(account))[2:] == ["user.password_changed"]
    assert mail.outbox[0].to == [user.email]


def test_a_second_factor_is_recorded_when_added_used_refused_and_removed(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    sign_in(client, user)
    assert client.get("/accounts/2fa/totp/activate/").headers["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/", {"password": PASSWORD})
    client.get("/accounts/2fa/totp/activate/")
    session = client.session
    session["mfa.totp.secret"] = SECRET
    session.save()
    assert client.post("/accounts/2fa/totp/activate/", {"code": code()}).status_code == 302
    client.post("/accounts/logout/")
    sign_in(client, user)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    client.post("/accounts/2fa/reauthenticate/?next=/accounts/2fa/totp/deactivate/", {"code": code()})
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert actions(trail(account))[2:] == [
        "second_factor.added",
        "second_factor.added",
        "user.signed_out",
        "second_factor.failed",
        "second_factor.used",
        "user.signed_in",
        "second_factor.used",
        "second_factor.removed",
        "second_factor.removed",
    ]


@pytest.mark.covers("A-03")
def test_the_secrets_of_second_factors_lie_encrypted() -> None:
    user = make_user()
    totp = enrol(user)
    codes = RecoveryCodes.activate(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert SECRET not in stored
    assert len(codes.generate_codes()) == 10
    assert Authenticator.objects.get(pk=totp.pk).wrap().validate_code(code())
    totp.data["secret"] = SECRET
    with pytest.raises(DecryptionFailed):
        totp.wrap().validate_code(code())
    with pytest.raises(DecryptionFailed):
        totp.save()  # nothing goes into the table in clear


def _without_a_trail(user: User) -> None:
    with database.owner_connection(connections["default"].settings_dict["NAME"]) as owner:
        owner.execute("ALTER TABLE vault_audithead NO FORCE ROW LEVEL SECURITY")
        owner.execute("DELETE FROM vault_audithead")
        owner.execute("ALTER TABLE vault_audithead FORCE ROW LEVEL SECURITY")
    with platform("look in a test"):
        assert not AuditHead.objects.exists()


@pytest.fixture
def quiet_client() -> Client:
    """A client that shows the 500 page instead of raising."""
    return Client(raise_request_exception=False)


def test_a_sign_in_that_cannot_be_audited_does_not_happen(quiet_client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    _without_a_trail(user)
    assert sign_in(quiet_client, user).status_code == 500
    assert quiet_client.get(f"/app/{account.slug}/").status_code == 302


def test_a_new_password_that_cannot_be_audited_is_not_set(quiet_client: Client) -> None:
    user = make_user()
    make_account(owner=user)
    sign_in(quiet_client, user)
    _without_a_trail(user)
    form = {"oldpassword": PASSWORD, "password1": "another-horse-battery", "password2": "another-horse-battery"}
    assert quiet_client.post("/accounts/password/change/", form).status_code == 500
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert mail.outbox == []


def test_a_second_factor_that_cannot_be_audited_stays(quiet_client: Client) -> None:
    user = make_user()
    make_account(owner=user)
    totp: Any = enrol(user)
    _without_a_trail(user)
    with pytest.raises(Exception, match="no audit trail"):
        totp.delete()
    assert Authenticator.objects.filter(user=user).exists()
    sign_in_with_code_fails = sign_in(quiet_client, user)
    assert sign_in_with_code_fails.status_code == 302
    assert quiet_client.post("/accounts/2fa/authenticate/", {"code": code()}).status_code == 500


def test_signing_in_with_a_code_works(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    enrol(user)
    assert sign_in_with_code(client, user).status_code == 302
    assert client.get(f"/app/{account.slug}/").status_code == 200
