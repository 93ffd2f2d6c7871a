"""A mail server that is away delays mails and breaks no page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.actors import Actor
from apps.accounts.models import Account, Invitation, Job, User
from apps.accounts.roles import Role
from apps.accounts.services import invitations
from apps.accounts.tenancy.scope import tenant
from tests.accounts.pages.conftest import signed_in
from tests.api_client import by_key
from tests.factories import PASSWORD, Cast, make_user
from tests.stand_ins import smtp
from tests.threads import at_once
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("A-06", "X-07")]
SYSTEM = Actor.system("test")
NOBODY = 1
BROWSER = {"Accept": "text/html"}


def invitation_of(account: Account) -> Invitation:
    with tenant(account):
        return Invitation.objects.get()


def link(body: Any) -> str:
    found = re.search(r"/accounts/invitations/\S+", str(body))
    assert found
    return found[0]


class TestInvitations:
    def test_inviting_answers_as_ever_and_the_mail_comes_later(self, cast: Cast, settings: Any) -> None:
        smtp.send_to(settings, NOBODY)
        api = by_key(cast.account, Role.ADMIN)
        made = api.post("invitations", {"email": "dora@new.example"})
        assert made.status == 201
        assert work_off(cast.account) == ["queued"]
        shown = api.get(f"invitations/{made.json['id']}").json
        assert shown["sent_at"] is None and "can't be reached" in shown["mail_problem"]
        page = signed_in(cast.alice).get(f"/app/{cast.account.slug}/members/").content.decode()
        assert "The mail server can&#x27;t be reached at the moment. It is tried again by itself." in page
        with smtp.running(settings) as server:
            assert work_off(cast.account) == ["done"]
        assert [message["To"] for message in server.mails] == ["dora@new.example"]
        shown = api.get(f"invitations/{made.json['id']}").json
        assert shown["sent_at"] is not None and shown["mail_problem"] == ""

    def test_the_page_invites_while_the_server_is_away(self, cast: Cast, settings: Any) -> None:
        smtp.send_to(settings, NOBODY)
        answer = signed_in(cast.alice).post(
            f"/app/{cast.account.slug}/members/invite/", {"emails": "dora@new.example", "role": "viewer"}
        )
        assert answer.status_code == 302

    def test_a_mail_whose_fate_is_unknown_is_sent_again_with_the_same_link(self, cast: Cast, settings: Any) -> None:
        with smtp.running(settings) as server, tenant(cast.account):
            invitations.invite(account=cast.account, email="dora@new.example", role=Role.VIEWER, actor=SYSTEM)
        with smtp.running(settings) as server:
            server.hang_up_after_data = True
            assert work_off(cast.account) == ["queued"]
            server.hang_up_after_data = False
            assert work_off(cast.account) == ["done"]
        first, second = (link(message.get_payload()) for message in server.mails)
        assert first == second
        assert Client().get(first).status_code == 200

    def test_an_address_the_server_refuses_is_told_and_not_tried_again(self, cast: Cast, settings: Any) -> None:
        with tenant(cast.account):
            invitations.invite(account=cast.account, email="dora@new.example", role=Role.VIEWER, actor=SYSTEM)
        with smtp.running(settings) as server:
            server.to_recipient = "550 no such mailbox dora@new.example"
            assert work_off(cast.account) == ["failed"]
        problem = invitation_of(cast.account).mail_problem
        assert "takes no mail for this address" in problem
        with tenant(cast.account):
            job = Job.objects.get(kind="invitation.mail")
        assert "dora" not in f"{job.error}{job.payload}{job.result}"

    def test_a_full_mailbox_is_tried_again(self, cast: Cast, settings: Any) -> None:
        with tenant(cast.account):
            invitations.invite(account=cast.account, email="dora@new.example", role=Role.VIEWER, actor=SYSTEM)
        with smtp.running(settings) as server:
            server.to_recipient = "452 mailbox full"
            assert work_off(cast.account) == ["queued"]

    def test_sending_again_clears_the_problem_and_only_the_newest_link_is_mailed(
        self, cast: Cast, settings: Any
    ) -> None:
        smtp.send_to(settings, NOBODY)
        with tenant(cast.account):
            invitations.invite(account=cast.account, email="dora@new.example", role=Role.VIEWER, actor=SYSTEM)
        work_off(cast.account)
        with tenant(cast.account):
            again = invitations.resend(Invitation.objects.get(), account=cast.account, actor=SYSTEM)
        assert again.mail_problem == ""
        with smtp.running(settings) as server:
            assert work_off(cast.account) == ["done", "done"]
        (message,) = server.mails
        assert Client().get(link(message.get_payload())).status_code == 200

    def test_a_withdrawn_invitation_is_not_mailed(self, cast: Cast) -> None:
        with tenant(cast.account):
            invited = invitations.invite(account=cast.account, email="d@new.example", role=Role.VIEWER, actor=SYSTEM)
            invitations.revoke(invited, actor=SYSTEM)
        assert work_off(cast.account) == ["done"]
        assert mail.outbox == []

    def test_its_link_works_after_the_secret_key_was_changed_before_it_was_sent(
        self, cast: Cast, settings: Any
    ) -> None:
        with tenant(cast.account):
            invitations.invite(account=cast.account, email="dora@new.example", role=Role.VIEWER, actor=SYSTEM)
        settings.SECRET_KEY = "another one " * 5
        work_off(cast.account)
        (message,) = mail.outbox
        assert Client().get(link(message.body)).status_code == 200

    def test_two_invitations_of_one_address_at_once_are_one_and_a_refusal_that_names_the_field(
        self, cast: Cast
    ) -> None:
        for number in range(4):
            body = {"email": f"dora{number}@new.example"}
            answers = at_once(*[lambda: by_key(cast.account, Role.ADMIN).post("invitations", body)] * 4)  # noqa: B023
            assert sorted(answer.status for answer in answers) == [201, 400, 400, 400]
            refused = [answer.faults for answer in answers if answer.status == 400]
            assert refused == [{"email": "invited"}] * 3
        assert work_off(cast.account) == ["done"] * 4
        assert len(mail.outbox) == 4


class TestSignIn:
    """Mails of the sign-in pages are sent at once; when they can't be, the next page says so."""

    def test_signing_up(self, settings: Any) -> None:
        smtp.send_to(settings, NOBODY)
        client = Client()
        form = {"name": "Zoë", "company": "Fairweather", "email": "zoe@x.example", "password1": "a long quiet sentence"}
        page = client.post("/accounts/signup/", form, follow=True, headers=BROWSER)
        assert page.status_code == 200
        shown = page.content.decode()
        assert "The mail server can&#x27;t be reached at the moment. So no mail was sent." in shown
        assert shown.count('role="alert"') == 1 and "is-ok" not in shown
        assert User.objects.filter(email="zoe@x.example").exists()

    @pytest.mark.parametrize("known", [True, False])
    def test_a_forgotten_password_says_the_same_for_known_and_unknown_addresses(
        self, settings: Any, known: bool
    ) -> None:
        smtp.send_to(settings, NOBODY)
        if known:
            make_user("ann@people.example")
        page = Client().post("/accounts/password/reset/", {"email": "ann@people.example"}, follow=True, headers=BROWSER)
        assert page.status_code == 200
        assert "So no mail was sent. Try again in a few minutes" in page.content.decode()

    def test_a_notice_that_can_not_be_sent_does_not_undo_what_it_tells_of(self, settings: Any) -> None:
        user = make_user("ann@people.example")
        smtp.send_to(settings, NOBODY)
        client = signed_in(user)
        new = "a long quiet sentence"
        form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        page = client.post("/accounts/password/change/", form, follow=True, headers=BROWSER)
        assert page.status_code == 200
        user.refresh_from_db()
        assert user.check_password("a long quiet sentence")
        assert "no mail was sent" not in page.content.decode()
