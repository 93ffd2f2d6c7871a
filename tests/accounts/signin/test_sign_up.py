"""Signing up, confirming, signing in and out, through the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.actors import Actor
from apps.accounts.models import Account, Membership, User
from apps.accounts.roles import Role
from apps.accounts.services.invitations import invite
from apps.accounts.tenancy.scope import platform, tenant
from tests.accounts.signin.people import actions, link_in, platform_trail, sign_in, trail
from tests.factories import PASSWORD, make_account, make_user
from tests.working import work_off

pytestmark = [pytest.mark.covers("A-01"), pytest.mark.django_db(transaction=True)]

FORM = {
    "name": "Ann Founder",
    "company": "Harbour & Pine",
    "email": "ann@people.example",
    "password1": "correct-horse-battery",
}


def sign_up(client: Client, **changes: str) -> Any:
    return client.post("/accounts/signup/", {**FORM, **changes})


def home(client: Client) -> str:
    """Where the front address leads a person to."""
    return client.get("/", headers={"accept": "text/html"}).headers["Location"]


def accounts() -> list[Account]:
    with platform("count in a test"):
        return list(Account.objects.all())


def test_signing_up_makes_person_and_account_together(client: Client) -> None:
    answer = sign_up(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/confirm-email/")
    user = User.objects.get(email="ann@people.example")
    assert user.name == "Ann Founder"
    [account] = accounts()
    assert (account.name, account.slug) == ("Harbour & Pine", "harbour-pine")
    with tenant(account):
        assert Membership.objects.get().role == Role.OWNER
    assert actions(trail(account)) == ["account.created", "user.signed_up"]


@pytest.mark.parametrize("company", [" ", "Two\u2028lines", "Turned \u202ednuora", "\u200b", "x" * 121])
def test_a_company_name_that_cannot_be_leaves_no_person_behind(client: Client, company: str) -> None:
    answer = sign_up(client, company=company)
    assert answer.status_code == 200
    assert not User.objects.exists()
    assert not accounts()


def test_nobody_gets_in_before_the_mailbox_is_confirmed(client: Client) -> None:
    sign_up(client)
    answer = sign_in(Client(), User.objects.get())
    assert answer.headers["Location"] == "/accounts/confirm-email/"
    assert client.get("/app/harbour-pine/").status_code == 302


def test_the_mails_link_confirms_and_the_password_opens(client: Client) -> None:
    sign_up(client)
    [message] = mail.outbox
    link = link_in(message.body, "/accounts/confirm-email/")
    assert client.get(link).status_code == 200
    assert client.post(link).status_code == 302
    assert sign_in(client, User.objects.get(), remember="on").headers["Location"] == "/"
    assert home(client) == "/app/harbour-pine/"
    [account] = accounts()
    assert actions(trail(account))[2:] == ["user.email_confirmed", "user.signed_in"]


def test_signing_up_with_a_known_address_looks_the_same_and_makes_nothing(client: Client) -> None:
    make_account(owner=make_user("ann@people.example"))
    known = sign_up(client)
    unknown = sign_up(Client(), email="ben@people.example")
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    assert {message.to[0] for message in mail.outbox} == {"ann@people.example", "ben@people.example"}
    assert len(accounts()) == 2
    assert User.objects.get(email="ann@people.example").check_password(PASSWORD)


def test_an_invited_person_joins_without_confirming_the_mailbox_again(client: Client) -> None:
    owner = make_user()
    account = make_account("Kestrel Freight", owner)
    with tenant(account):
        invite(
            account=account,
            email="ben@people.example",
            role=Role.MEMBER,
            actor=Actor.member(Membership.objects.select_related("user").get()),
        )
    work_off(account)
    link = link_in(mail.outbox.pop().body, "/accounts/invitations/")
    assert client.get(link).status_code == 200
    answer = sign_up(client, name="Ben", email="ben@people.example", company="")
    assert answer.status_code == 302, answer.content.decode()
    with tenant(account):
        assert Membership.objects.get(user__email="ben@people.example").role == Role.MEMBER
    assert client.get("/app/kestrel-freight/").status_code == 200
    assert len(accounts()) == 1
    assert {"invitation.accepted", "user.signed_up", "user.signed_in"} <= set(actions(trail(account)))


@pytest.mark.parametrize(("remember", "at_browsers_end"), [({"remember": "on"}, False), ({}, True)])
def test_remember_me_decides_how_long_a_session_lasts(client: Client, remember: Any, at_browsers_end: bool) -> None:
    user = make_user()
    make_account(owner=user)
    sign_in(client, user, **remember)
    assert client.session.get_expire_at_browser_close() is at_browsers_end


def test_one_comes_back_to_the_account_one_was_in_last(client: Client) -> None:
    user = make_user()
    first, second = make_account("First", user), make_account("Second", user)
    sign_in(client, user)
    assert client.get(f"/app/{second.slug}/").status_code == 200
    client.post("/accounts/logout/")
    sign_in(client, user)
    assert home(client) == f"/app/{second.slug}/"
    assert client.get(f"/app/{first.slug}/").status_code == 200
    assert home(client) == f"/app/{first.slug}/"


def test_who_has_no_account_is_asked_to_make_one(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    assert home(client) == "/accounts/new/"
    assert client.post("/accounts/new/", {"name": "New Company"}).headers["Location"] == "/app/new-company/"
    assert actions(platform_trail()) == ["user.signed_in"]


def test_signing_out_ends_the_session(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    sign_in(client, user)
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get(f"/app/{account.slug}/").status_code == 302
    assert actions(trail(account))[1:] == ["user.signed_in", "user.signed_out"]


def test_a_forgotten_password_is_reset_by_mail(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    client.post("/accounts/password/reset/", {"email": user.email})
    link = link_in(mail.outbox[0].body, "/accounts/password/reset/key/")
    form = client.get(link, follow=True)
    answer = client.post(
        form.redirect_chain[-1][0], {"password1": "another-horse-battery", "password2": "another-horse-battery"}
    )
    assert answer.status_code == 302
    sign_in(client, user, "another-horse-battery")
    assert client.get(f"/app/{account.slug}/").status_code == 200
    assert actions(trail(account))[1:] == ["user.password_reset", "user.signed_in"]


def test_a_reset_for_an_unknown_address_looks_the_same(client: Client) -> None:
    known = client.post("/accounts/password/reset/", {"email": make_user().email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@people.example"})
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])


def test_sessions_are_listed_and_end_when_told_to(client: Client) -> None:
    user = make_user()
    account = make_account(owner=user)
    elsewhere = Client(headers={"user-agent": "Firefox elsewhere"})
    sign_in(client, user)
    sign_in(elsewhere, user)
    assert b"Firefox" in client.get("/accounts/sessions/").content
    assert client.post("/accounts/sessions/").status_code == 302
    assert elsewhere.get(f"/app/{account.slug}/").status_code == 302
    assert client.get(f"/app/{account.slug}/").status_code == 200
    ended = trail(account)[0]
    assert (ended.action, ended.changes["user_agent"]) == ("session.ended", "Firefox elsewhere")
