"""Invitations through the API."""

from __future__ import annotations

import re
from typing import Any

import pytest

from apps.accounts.roles import Role
from tests.api_client import ApiClient, by_key
from tests.factories import Cast
from tests.working import work_off

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-05", "A-06")]


@pytest.fixture
def admin(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


def test_an_invitation_is_sent_by_mail_and_its_link_is_in_no_answer(
    admin: ApiClient, cast: Cast, mailoutbox: list[Any]
) -> None:
    made = admin.post("invitations", {"email": "Dora@New.example", "role": "viewer"})
    assert (made.json["sent_at"], made.json["mail_problem"]) == (None, "")
    work_off(cast.account)
    assert admin.get(f"invitations/{made.json['id']}").json["sent_at"] is not None
    assert made.status == 201
    assert made.headers["Location"] == f"/api/v1/invitations/{made.json['id']}"
    assert {name: made.json[name] for name in ("email", "role", "status")} == {
        "email": "dora@new.example",
        "role": "viewer",
        "status": "open",
    }
    (mail,) = mailoutbox
    assert mail.to == ["dora@new.example"]
    (link,) = re.findall(r"http\S+", mail.body)
    token = max(link.split("/"), key=len)
    assert len(token) > 30
    for answer in (made, admin.get("invitations"), admin.get(f"invitations/{made.json['id']}")):
        assert token.encode() not in answer.content


def test_it_is_sent_again_withdrawn_and_then_ended(admin: ApiClient) -> None:
    made = admin.post("invitations", {"email": "dora@new.example"}).json
    path = f"invitations/{made['id']}"
    again = admin.post(f"{path}/resend")
    assert (again.status, again.json["status"]) == (200, "open")
    assert again.json["expires_at"] > made["expires_at"]
    assert admin.delete(path).status == 204
    assert admin.get(path).json["status"] == "revoked"
    assert admin.delete(path).code == "conflict"
    assert admin.post(f"{path}/resend").code == "conflict"


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({}, {"email": "required"}),
        ({"email": "dora"}, {"email": "invalid"}),
        ({"email": None}, {"email": "null"}),
        ({"email": "dora@new.example", "role": "king"}, {"role": "invalid_choice"}),
        ({"email": "dora@new.example", "token": "x"}, {"token": "unknown"}),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_rule(
    admin: ApiClient, values: dict[str, object], faults: dict[str, str]
) -> None:
    assert admin.post("invitations", values).faults == faults
    assert admin.get("invitations").json["results"] == []


def test_members_and_people_who_are_invited_are_not_invited_again(admin: ApiClient, cast: Cast) -> None:
    assert admin.post("invitations", {"email": cast.bob.email}).faults == {"email": "member"}
    admin.post("invitations", {"email": "dora@new.example"})
    assert admin.post("invitations", {"email": "dora@new.example"}).faults == {"email": "invited"}


def test_only_owners_invite_owners(admin: ApiClient, cast: Cast) -> None:
    assert admin.post("invitations", {"email": "d@new.example", "role": "owner"}).code == "permission_denied"
    assert by_key(cast.account).post("invitations", {"email": "d@new.example", "role": "owner"}).status == 201


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_neither_invite_nor_see_who_is_invited(admin: ApiClient, cast: Cast, role: Role) -> None:
    made = admin.post("invitations", {"email": "dora@new.example"}).json["id"]
    other = by_key(cast.account, role)
    for refused in (
        other.get("invitations"),
        other.post("invitations", {"email": "eve@new.example"}),
        other.get(f"invitations/{made}"),
        other.delete(f"invitations/{made}"),
        other.post(f"invitations/{made}/resend"),
    ):
        assert refused.code == "permission_denied"


def test_somebody_elses_invitation_is_not_there(admin: ApiClient, cast: Cast) -> None:
    foreign = by_key(cast.stranger_account).post("invitations", {"email": "dora@new.example"}).json["id"]
    for answer in (
        admin.get(f"invitations/{foreign}"),
        admin.delete(f"invitations/{foreign}"),
        admin.post(f"invitations/{foreign}/resend"),
    ):
        assert answer.code == "not_found"
