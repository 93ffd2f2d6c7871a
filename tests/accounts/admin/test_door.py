"""Who gets into the admin, and by what."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from apps.accounts.models import User
from apps.accounts.signin import static_tokens
from tests.accounts.signin.people import (
    actions,
    code,
    enrol,
    platform_trail,
    sign_in,
    sign_in_with_code,
    super_admin,
)
from tests.factories import PASSWORD, make_account, make_user

pytestmark = [pytest.mark.covers("A-04"), pytest.mark.django_db(transaction=True)]


def opens(client: Client) -> bool:
    answer = client.get("/admin/")
    assert answer.status_code in {200, 302}
    return answer.status_code == 200


def led_to(client: Client) -> str:
    """Where somebody at the closed door is sent in the end."""
    answer = client.get("/admin/", follow=True)
    return str(answer.redirect_chain[-1][0])


def break_glass(client: Client, user: User, token: str, password: str = PASSWORD) -> Any:
    return client.post("/admin/break-glass/", {"username": user.email, "password": password, "otp_token": token})


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    assert led_to(client) == "/accounts/login/?next=%2Fadmin%2F"


def test_the_stock_log_in_of_django_is_not_there(client: Client) -> None:
    rita = super_admin()
    answer = client.post("/admin/login/", {"username": rita.email, "password": PASSWORD})
    assert answer.headers["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_a_password_alone_does_not_open_it_and_leads_to_enrolling(client: Client) -> None:
    sign_in(client, super_admin())
    assert not opens(client)
    assert led_to(client).startswith("/accounts/2fa/?next=")


def test_a_session_from_before_the_second_factor_is_asked_for_a_code(client: Client) -> None:
    rita = super_admin()
    sign_in(client, rita)
    enrol(rita)
    assert not opens(client)
    door = led_to(client)
    assert door.startswith("/accounts/2fa/reauthenticate/?next=")
    assert client.post(door, {"code": code()}).headers["Location"] == "/admin/"
    assert opens(client)


@pytest.mark.covers("A-03")
def test_the_code_of_an_authenticator_opens_it(client: Client) -> None:
    rita = super_admin()
    enrol(rita)
    answer = sign_in_with_code(client, rita)
    assert client.get(answer.headers["Location"], headers={"accept": "text/html"}).headers["Location"] == "/admin/"
    assert opens(client)


def test_a_recovery_code_signs_in_and_does_not_open_it(client: Client) -> None:
    rita = super_admin()
    enrol(rita)
    recovery = RecoveryCodes.activate(rita).generate_codes()[0]
    sign_in(client, rita)
    assert client.post("/accounts/2fa/authenticate/", {"code": recovery}).status_code == 302
    assert client.get("/accounts/profile/").status_code == 200
    assert not opens(client)


def test_an_authenticator_that_was_removed_closes_it_at_the_next_request(client: Client) -> None:
    rita = super_admin()
    authenticator = enrol(rita)
    sign_in_with_code(client, rita)
    assert opens(client)
    authenticator.delete()
    assert not opens(client)


def test_a_second_factor_is_asked_again_after_some_hours(client: Client, settings: Any) -> None:
    rita = super_admin()
    enrol(rita)
    sign_in_with_code(client, rita)
    assert opens(client)
    with time_machine.travel(time.time() + settings.ADMIN_SECOND_FACTOR_SECONDS + 60, tick=True):
        assert not opens(client)


def test_nobody_below_super_admin_gets_in_whatever_they_show(client: Client) -> None:
    for fields in ({}, {"is_staff": True}, {"is_superuser": True}):
        user = make_user(**fields)
        make_account(owner=user)
        enrol(user)
        other = Client()
        sign_in_with_code(other, user)
        assert not opens(other)
        assert other.get("/admin/", follow=True).status_code == 403


def test_a_super_admin_who_was_switched_off_is_out_at_the_next_request(client: Client) -> None:
    rita = super_admin()
    enrol(rita)
    sign_in_with_code(client, rita)
    assert opens(client)
    User.objects.filter(pk=rita.pk).update(is_active=False)
    assert not opens(client)


def test_a_static_token_opens_it_once(client: Client) -> None:
    rita = super_admin()
    token, *_ = static_tokens.mint(rita)
    assert break_glass(client, rita, token).headers["Location"] == "/admin/"
    assert opens(client)
    again = Client()
    assert break_glass(again, rita, token).status_code == 422
    assert not opens(again)
    assert actions(platform_trail()) == ["user.signed_in", "staff.break_glass_used", "second_factor.failed"]
    assert platform_trail()[1].changes == {"tokens_left": 4}


def test_a_token_of_django_otps_own_command_works_too(client: Client) -> None:
    rita = super_admin()
    call_command("addstatictoken", rita.email, token="abcd2345", stdout=io.StringIO())
    assert break_glass(client, rita, "ABCD2345").status_code == 302
    assert opens(client)


def test_what_lies_in_the_database_is_no_token(client: Client) -> None:
    rita = super_admin()
    tokens = static_tokens.mint(rita)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert not stored & {token.replace("-", "") for token in tokens}
    assert break_glass(client, rita, stored.pop()).status_code == 422


def test_a_static_token_needs_the_password_and_a_super_admin(client: Client) -> None:
    rita, ordinary = super_admin(), make_user()
    answers = [
        break_glass(client, rita, static_tokens.mint(rita)[0], "wrong-wrong-wrong"),
        break_glass(client, ordinary, static_tokens.mint(ordinary)[0]),
        break_glass(client, rita, "aaaa-bbbb-cccc-dddd"),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert all("don’t fit together" in answer.content.decode() for answer in answers)
    assert not opens(client)


def test_a_session_by_static_token_ends_with_the_tokens_device_and_with_time(client: Client, settings: Any) -> None:
    rita = super_admin()
    token, *_ = static_tokens.mint(rita)
    break_glass(client, rita, token)
    assert opens(client)
    with time_machine.travel(time.time() + settings.ADMIN_SECOND_FACTOR_SECONDS + 60, tick=True):
        assert not opens(client)
    StaticDevice.objects.all().delete()
    assert not opens(client)


def test_break_glass_pauses_after_wrong_tokens(client: Client) -> None:
    rita = super_admin()
    right, *_ = static_tokens.mint(rita)
    assert break_glass(client, rita, "aaaa-bbbb-cccc-dddd").status_code == 422
    paused = break_glass(client, rita, right)
    assert "pauses" in paused.content.decode()
    with time_machine.travel(time.time() + timedelta(minutes=6).total_seconds(), tick=True):
        assert break_glass(client, rita, right).status_code == 302


def test_break_glass_pauses_after_wrong_passwords(client: Client) -> None:
    rita = super_admin()
    for _ in range(5):
        break_glass(client, rita, "aaaa-bbbb-cccc-dddd", "wrong-wrong-wrong")
    paused = break_glass(client, rita, static_tokens.mint(rita)[0])
    assert paused.status_code == 422
    assert "pauses for five minutes" in paused.content.decode()


def made(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_super_admin", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_makes_a_super_admin_and_prints_tokens_once(client: Client) -> None:
    said = made("Boss@platform.example", "--name=Boss")
    boss = User.objects.get(email="boss@platform.example")
    password = said.split("Password: ")[1].split()[0]
    token = said.splitlines()[-1].strip()
    assert boss.name == "Boss"
    assert break_glass(client, boss, token, password).status_code == 302
    assert opens(client)
    again = made("boss@platform.example")
    assert "was a super admin already" in again
    assert "4 unused tokens are left" in again
    assert "Password" not in again
    fresh = made("boss@platform.example", "--new-tokens").splitlines()[-1].strip()
    assert break_glass(Client(), boss, token, password).status_code == 422
    assert fresh != token


def test_the_command_takes_the_password_from_the_environment(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setenv("SUPER_ADMIN_PASSWORD", "a-good-long-password")
    assert "a-good-long-password" not in made("boss@platform.example")
    assert User.objects.get().check_password("a-good-long-password")
    assert actions(platform_trail()) == ["staff.super_admin_made", "staff.static_tokens_minted"]


def test_the_command_promotes_a_person_who_is_there_and_keeps_their_password() -> None:
    user = make_user("ann@people.example")
    assert "is a super admin now" in made("ann@people.example")
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff, user.check_password(PASSWORD)) == (True, True, True)


def test_the_command_refuses_bad_addresses_and_weak_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError):
        made("not an address")
    monkeypatch.setenv("SUPER_ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError):
        made("boss@platform.example")
    assert not User.objects.exists()


def test_second_factors_cost_other_pages_nothing(client: Client, django_assert_max_num_queries: Any) -> None:
    user = make_user()
    account = make_account(owner=user)
    enrol(user)
    sign_in_with_code(client, user)
    client.get(f"/app/{account.slug}/members/")
    with django_assert_max_num_queries(60) as captured:
        client.get(f"/app/{account.slug}/members/")
    asked = [query["sql"] for query in captured.captured_queries if "otp_static" in query["sql"]]
    assert asked == []
    assert Authenticator.objects.count() == 1
