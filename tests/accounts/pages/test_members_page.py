"""Members and invitations, as people see and change them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.models import Invitation, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from tests.accounts.pages.conftest import signed_in
from tests.factories import Cast, make_user
from tests.working import work_off

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]


def membership(cast: Cast, role: Role) -> Membership:
    with tenant(cast.account):
        return Membership.objects.select_related("user").get(user=cast.members[role])


@pytest.mark.covers("A-05", "A-06")
@pytest.mark.parametrize("role", list(Role))
def test_everyone_sees_the_people_and_only_admins_may_change_them(as_role: AsRole, base: str, role: Role) -> None:
    page = as_role(role).get(f"{base}members/").content.decode()
    assert page.count('<tr id="member-') == 4
    may = role in {Role.OWNER, Role.ADMIN}
    assert ('name="emails"' in page) == may
    assert ('aria-label="Role of' in page) == may


@pytest.mark.covers("A-06")
def test_an_admin_changes_a_role_and_gets_the_row_back(as_role: AsRole, base: str, cast: Cast) -> None:
    bob = membership(cast, Role.MEMBER)
    answer = as_role(Role.ADMIN).post(
        f"{base}members/{bob.id}/role/", {"role": "viewer"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer.content.decode().startswith(f'<tr id="member-{bob.id}"')
    assert "is a viewer now" in answer.content.decode()
    assert membership(cast, Role.MEMBER).role == Role.VIEWER


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
@pytest.mark.parametrize("path", ["members/{id}/role/", "members/{id}/remove/", "members/invite/"])
def test_lower_roles_are_refused(as_role: AsRole, base: str, cast: Cast, role: Role, path: str) -> None:
    target = membership(cast, Role.ADMIN)
    answer = as_role(role).post(base + path.format(id=target.id), {"role": "viewer", "emails": "x@y.example"})
    assert answer.status_code == 403
    assert "Your role may not do that" in answer.content.decode()
    assert membership(cast, Role.ADMIN).role == Role.ADMIN
    assert not mail.outbox


@pytest.mark.covers("A-05")
def test_an_admin_can_neither_make_nor_unmake_owners(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.ADMIN)
    with tenant(cast.account):
        alice = Membership.objects.get(user=cast.alice)
    assert client.post(f"{base}members/{alice.id}/role/", {"role": "viewer"}).status_code == 403
    bob = membership(cast, Role.MEMBER)
    assert client.post(f"{base}members/{bob.id}/role/", {"role": "owner"}).status_code == 403
    page = client.get(f"{base}members/").content.decode()
    assert '<option value="owner"' not in page


@pytest.mark.covers("A-06")
def test_the_last_owner_stays(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.OWNER)
    with tenant(cast.account):
        alice = Membership.objects.get(user=cast.alice)
    row = client.post(f"{base}members/{alice.id}/role/", {"role": "admin"}, headers={"HX-Request": "true"})
    assert "needs an owner. Make someone else owner first." in row.content.decode()
    assert '<option value="owner" selected>' in row.content.decode()
    dialog = client.post(f"{base}members/{alice.id}/remove/", headers={"HX-Request": "true"})
    assert dialog.status_code == 422
    assert "needs an owner" in dialog.content.decode()


@pytest.mark.covers("A-06")
def test_removing_asks_first_and_then_the_person_is_out(as_role: AsRole, base: str, cast: Cast) -> None:
    bob = membership(cast, Role.MEMBER)
    client = as_role(Role.OWNER)
    question = client.get(f"{base}members/{bob.id}/remove/", headers={"HX-Request": "true"}).content.decode()
    assert "<dialog" in question
    assert "stays in the audit trail" in question
    answer = client.post(f"{base}members/{bob.id}/remove/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"{base}members/")
    assert signed_in(cast.bob).get(base).status_code == 404


@pytest.mark.covers("A-06")
def test_a_member_leaves_by_themselves(as_role: AsRole, base: str, cast: Cast) -> None:
    viewer = membership(cast, Role.VIEWER)
    client = as_role(Role.VIEWER)
    assert client.post(f"{base}members/{viewer.id}/remove/").headers["Location"] == "/"
    assert client.get(base).status_code == 404


@pytest.mark.covers("A-06")
@pytest.mark.django_db(transaction=True)
def test_several_people_are_invited_at_once_and_get_a_link(as_role: AsRole, base: str, cast: Cast) -> None:
    answer = as_role(Role.ADMIN).post(
        f"{base}members/invite/", {"emails": "Lars@x.example, ines@x.example", "role": "member"}
    )
    assert answer.status_code == 302
    work_off(cast.account)
    assert sorted(message.to[0] for message in mail.outbox) == ["ines@x.example", "lars@x.example"]
    assert "/accounts/invitations/" in mail.outbox[0].body


@pytest.mark.covers("A-06")
@pytest.mark.django_db(transaction=True)
def test_one_bad_address_sends_none(as_role: AsRole, base: str, cast: Cast) -> None:
    for emails, words in (
        ("lars@x.example, nonsense", "“nonsense” is not an e-mail address"),
        (f"lars@x.example {cast.bob.email}", "is a member already"),
    ):
        answer = as_role(Role.OWNER).post(f"{base}members/invite/", {"emails": emails, "role": "member"})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert words in page
        assert f'value="{emails}"' in page and '<option value="member" selected' in page, "what was typed stays"
    assert not mail.outbox
    with tenant(cast.account):
        assert not Invitation.objects.exists()


@pytest.mark.covers("A-06")
@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_sent_again_and_withdrawn(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.OWNER)
    client.post(f"{base}members/invite/", {"emails": "lars@x.example", "role": "viewer"})
    with tenant(cast.account):
        invitation = Invitation.objects.get()
    work_off(cast.account)
    first = link(mail.outbox[0].body)
    client.post(f"{base}members/invitations/{invitation.id}/resend/")
    work_off(cast.account)
    second = link(mail.outbox[1].body)
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    card = client.post(
        f"{base}members/invitations/{invitation.id}/withdraw/", headers={"HX-Request": "true"}
    ).content.decode()
    assert "lars@x.example is withdrawn" in card
    assert Client().get(second).status_code == 404
    again = client.post(f"{base}members/invitations/{invitation.id}/withdraw/", headers={"HX-Request": "true"})
    assert "revoked already" in again.content.decode()


@pytest.mark.covers("A-06")
@pytest.mark.django_db(transaction=True)
def test_an_invited_colleague_with_a_sign_in_joins_by_one_click(as_role: AsRole, base: str, cast: Cast) -> None:
    ines = make_user("ines@x.example")
    as_role(Role.OWNER).post(f"{base}members/invite/", {"emails": ines.email, "role": "viewer"})
    work_off(cast.account)
    address = link(mail.outbox[0].body)
    assert "Sign in as ines@x.example" in Client().get(address).content.decode()
    wrong = signed_in(cast.charlie)
    assert "This invitation is for ines@x.example" in wrong.get(address).content.decode()
    assert wrong.post(address).status_code == 422
    client = signed_in(ines)
    assert client.post(address).headers["Location"] == base
    assert client.get(base).status_code == 200


@pytest.mark.covers("A-07")
def test_another_accounts_members_are_not_found(base: str, cast: Cast) -> None:
    bob = membership(cast, Role.MEMBER)
    stranger = signed_in(cast.charlie)
    own = f"/app/{cast.stranger_account.slug}/"
    assert stranger.post(f"{own}members/{bob.id}/role/", {"role": "viewer"}).status_code == 404
    assert stranger.get(f"{base}members/").status_code == 404
    assert membership(cast, Role.MEMBER).role == Role.MEMBER


def link(body: str) -> str:
    found = re.search(r"(/accounts/invitations/\S+)", body)
    assert found
    return found[1]


@pytest.mark.covers("A-06")
def test_people_are_seen_when_they_come_and_admins_see_who_lacks_a_second_factor(
    as_role: AsRole, base: str, cast: Cast
) -> None:
    page = as_role(Role.VIEWER).get(f"{base}members/").content.decode()
    assert "Second factor" not in page
    assert page.count("Never") == 3
    page = as_role(Role.ADMIN).get(f"{base}members/").content.decode()
    assert "Second factor" in page
    assert page.count("Never") == 2
    assert "Just now" in page
