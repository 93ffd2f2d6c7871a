"""From nothing to an account, and from an invitation to a membership."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.models import Account, Membership, User
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform
from tests.factories import Cast
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True)]
BROWSER = {"Accept": "text/html"}
NEW = {
    "name": "Zoë Fairweather",
    "company": "Fairweather Lettings",
    "email": "zoe@fairweather.example",
    "password1": "a long quiet sentence",
}


def memberships(email: str) -> list[tuple[str, str]]:
    with platform("look at memberships in a test"):
        return list(Membership.objects.filter(user__email=email).values_list("account__name", "role"))


@pytest.mark.covers("A-01")
def test_signing_up_makes_the_account_and_confirming_lets_one_in() -> None:
    client = Client()
    assert client.post("/accounts/signup/", NEW).headers["Location"] == "/accounts/confirm-email/"
    assert memberships(NEW["email"]) == [("Fairweather Lettings", Role.OWNER)]
    assert User.objects.get(email=NEW["email"]).name == "Zoë Fairweather"
    assert client.get("/", headers=BROWSER).headers["Location"] == "/accounts/login/?next=/"
    found = re.search(r"(/accounts/confirm-email/\S+)", mail.outbox[0].body)
    assert found
    assert "zoe@fairweather.example" in client.get(found[1]).content.decode()
    client.post(found[1])
    page = client.get("/", follow=True, headers=BROWSER)
    assert page.redirect_chain[-1][0] == "/app/fairweather-lettings/"
    assert "Welcome to Strongroom, Zoë" in page.content.decode()


def faulty_and_kept(page: str) -> tuple[set[str], dict[str, str]]:
    """The names of the fields marked as wrong, and what stands in each field."""
    tags = {name: tag for tag, name in re.findall(r'(<input[^>]* name="(\w+)"[^>]*>)', page)}
    kept = {name: found[1] for name, tag in tags.items() if (found := re.search(r' value="([^"]*)"', tag))}
    return {name for name, tag in tags.items() if 'aria-invalid="true"' in tag}, kept


@pytest.mark.covers("A-01")
def test_wrong_input_names_its_field_and_keeps_the_rest() -> None:
    answer = Client().post("/accounts/signup/", {**NEW, "email": "zoe(at)mail", "password1": "short"})
    faulty, kept = faulty_and_kept(answer.content.decode())
    assert faulty == {"email", "password1"}
    assert (kept["email"], kept["name"], kept["company"]) == ("zoe(at)mail", NEW["name"], NEW["company"])
    assert "password1" not in kept, "passwords are not sent back"


@pytest.mark.covers("A-01")
def test_each_missing_field_says_what_it_wants_and_nothing_is_made() -> None:
    page = Client().post("/accounts/signup/", {}).content.decode()
    for words in (
        "Write your name.",
        "Write the name of your company",
        "Write an e-mail address.",
        "Choose a password.",
    ):
        assert words in page
    assert "This field is required" not in page
    with platform("look at accounts in a test"):
        assert not Account.objects.exists()


@pytest.mark.covers("A-01")
def test_a_taken_address_is_not_given_away(cast: Cast) -> None:
    answer = Client().post("/accounts/signup/", {**NEW, "email": cast.alice.email})
    assert answer.headers["Location"] == "/accounts/confirm-email/"
    assert mail.outbox[0].subject == "You already have a sign-in at Strongroom"
    assert cast.alice.email in mail.outbox[0].body
    assert memberships(cast.alice.email) == [(cast.account.name, Role.OWNER)]


@pytest.mark.covers("A-06")
def test_an_invited_stranger_joins_and_makes_no_account(cast: Cast) -> None:
    owner = Client()
    owner.force_login(cast.alice, "allauth.account.auth_backends.AuthenticationBackend")
    owner.post(f"/app/{cast.account.slug}/members/invite/", {"emails": "new@person.example", "role": "viewer"})
    work_off(cast.account)
    found = re.search(r"(/accounts/invitations/\S+)", mail.outbox[0].body)
    assert found
    client = Client()
    assert f"Join {cast.account.name}".replace("&", "&amp;") in client.get(found[1]).content.decode()
    form = client.get("/accounts/signup/").content.decode()
    assert 'name="company"' not in form and "Create sign-in and join" in form
    sent = {"name": "New Person", "email": "new@person.example", "password1": "short"}
    faulty, kept = faulty_and_kept(client.post("/accounts/signup/", sent).content.decode())
    assert (faulty, kept["name"], kept["email"]) == ({"password1"}, "New Person", "new@person.example")
    client.post(
        "/accounts/signup/",
        {"name": "New Person", "email": "somebody@else.example", "password1": "a long quiet sentence"},
    )
    # The link proves the mailbox it was sent to: that address is taken, confirmed, and no other.
    assert memberships("new@person.example") == [(cast.account.name, Role.VIEWER)]
    assert not User.objects.filter(email="somebody@else.example").exists()
    assert client.get("/", headers=BROWSER).headers["Location"] == f"/app/{cast.account.slug}/"


@pytest.mark.covers("A-01")
def test_wrong_passwords_say_nothing_about_who_exists(cast: Cast) -> None:
    words = "That e-mail and password don’t match."
    for email in (cast.alice.email, "nobody@people.example"):
        page = Client().post("/accounts/login/", {"login": email, "password": "wrong"})
        assert words in page.content.decode()


@pytest.mark.covers("A-01")
def test_after_five_wrong_passwords_sign_in_pauses(cast: Cast) -> None:
    client = Client()
    for _ in range(5):
        client.post("/accounts/login/", {"login": cast.alice.email, "password": "wrong"})
    page = client.post("/accounts/login/", {"login": cast.alice.email, "password": "wrong"})
    assert "Sign-in for this address pauses for five minutes" in page.content.decode()


@pytest.mark.covers("A-01")
def test_remember_me_decides_how_long_a_session_lasts(cast: Cast) -> None:
    for remember, kept in (({}, True), ({"remember": "on"}, False)):
        client = Client()
        client.post("/accounts/login/", {"login": cast.alice.email, "password": "correct-horse-battery", **remember})
        assert client.session.get_expire_at_browser_close() is kept
