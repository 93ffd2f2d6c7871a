"""Members through the API: roles, leaving, and the owner that stays."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.accounts.models import Account, Membership, User
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import AuditEntry
from tests.api_client import ApiClient
from tests.factories import Cast, add_member

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-05", "A-06")]


def membership_id(account: Account, user: User) -> str:
    with tenant(account):
        return str(Membership.objects.get(user=user).pk)


def as_role(cast: Cast, role: Role) -> ApiClient:
    return ApiClient(user=cast.members[role])


def test_everybody_sees_who_is_in_the_account(cast: Cast) -> None:
    for role in Role:
        found = as_role(cast, role).get("members").json["results"]
        assert {(row["email"], row["role"]) for row in found} == {
            (user.email, member_role.value) for member_role, user in cast.members.items()
        }
    one = as_role(cast, Role.VIEWER).get(f"members/{found[0]['id']}").json
    assert one == found[0]
    assert set(one) == {"id", "user_id", "email", "name", "role", "last_seen_at", "created_at"}


def test_an_admin_changes_roles_and_the_trail_says_so(cast: Cast) -> None:
    bob = membership_id(cast.account, cast.bob)
    changed = as_role(cast, Role.ADMIN).patch(f"members/{bob}", {"role": "viewer"})
    assert (changed.status, changed.json["role"]) == (200, "viewer")
    with tenant(cast.account):
        assert AuditEntry.objects.get(action="member.role_changed").payload["changes"] == {"role": ["member", "viewer"]}


def test_a_wrong_role_is_refused(cast: Cast) -> None:
    path = f"members/{membership_id(cast.account, cast.bob)}"
    owner = as_role(cast, Role.OWNER)
    assert owner.patch(path, {"role": "king"}).faults == {"role": "invalid_choice"}
    assert owner.patch(path, {}).faults == {"role": "required"}
    assert owner.patch(path, {"role": "admin", "mood": "good"}).faults == {"mood": "unknown"}


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_change_and_remove_nobody(cast: Cast, role: Role) -> None:
    path = f"members/{membership_id(cast.account, cast.members[Role.ADMIN])}"
    assert as_role(cast, role).patch(path, {"role": "viewer"}).code == "permission_denied"
    assert as_role(cast, role).delete(path).code == "permission_denied"


def test_only_owners_make_and_unmake_owners(cast: Cast) -> None:
    add_member(cast.account, Role.OWNER)
    bob, alice = membership_id(cast.account, cast.bob), membership_id(cast.account, cast.alice)
    admin, owner = as_role(cast, Role.ADMIN), as_role(cast, Role.OWNER)
    assert admin.patch(f"members/{bob}", {"role": "owner"}).code == "permission_denied"
    assert admin.patch(f"members/{alice}", {"role": "viewer"}).code == "permission_denied"
    assert admin.delete(f"members/{alice}").code == "permission_denied"
    assert owner.patch(f"members/{bob}", {"role": "owner"}).json["role"] == "owner"


def test_the_last_owner_stays(cast: Cast) -> None:
    path = f"members/{membership_id(cast.account, cast.alice)}"
    owner = as_role(cast, Role.OWNER)
    assert owner.patch(path, {"role": "admin"}).faults == {"role": "last_owner"}
    assert owner.delete(path).faults == {"role": "last_owner"}
    assert owner.get(path).json["role"] == "owner"


def test_anybody_leaves_and_their_keys_end(cast: Cast) -> None:
    bob = as_role(cast, Role.MEMBER)
    key = ApiClient(key=bob.post("api-keys", {"name": "Bob's"}).json["key"])
    assert key.get("contacts").status == 200
    assert bob.delete(f"members/{membership_id(cast.account, cast.bob)}").status == 204
    assert key.get("contacts").code == "invalid_key"
    assert bob.get("members").code == "not_found"


def test_keys_come_down_with_their_maker(cast: Cast) -> None:
    admin = as_role(cast, Role.ADMIN)
    made = admin.post("api-keys", {"name": "x", "role": "admin"}).json
    small = admin.post("api-keys", {"name": "y", "role": "viewer"}).json
    assert ApiClient(key=made["key"]).get("api-keys").status == 200
    path = f"members/{membership_id(cast.account, cast.members[Role.ADMIN])}"
    as_role(cast, Role.OWNER).patch(path, {"role": "member"})
    owner = as_role(cast, Role.OWNER)
    assert owner.get(f"api-keys/{made['id']}").json["role"] == "member"
    assert owner.get(f"api-keys/{small['id']}").json["role"] == "viewer"
    assert ApiClient(key=made["key"]).patch("account", {"name": "Mine"}).code == "permission_denied"


def test_somebody_elses_member_and_a_missing_one_answer_alike(cast: Cast) -> None:
    foreign = membership_id(cast.stranger_account, cast.charlie)
    owner = as_role(cast, Role.OWNER)
    for method, body in (("GET", None), ("PATCH", {"role": "viewer"}), ("DELETE", None)):
        answers = [owner(method, f"members/{which}", body) for which in (foreign, uuid4())]
        assert [answer.code for answer in answers] == ["not_found"] * 2
        assert answers[0].indistinct == answers[1].indistinct


def test_a_person_of_two_accounts_says_which_one_is_meant(cast: Cast) -> None:
    add_member(cast.stranger_account, Role.VIEWER, cast.bob)
    first, second = str(cast.account.id), str(cast.stranger_account.id)
    assert ApiClient(user=cast.bob, X_Account=first).get("account").json["id"] == first
    assert ApiClient(user=cast.bob, X_Account=second).get("account").json["id"] == second
    assert ApiClient(user=cast.bob, X_Account=cast.stranger_account.slug).get("account").json["id"] == second


def test_an_account_one_is_not_in_answers_like_one_that_does_not_exist(cast: Cast) -> None:
    answers = [
        ApiClient(user=cast.bob, X_Account=name).get("account")
        for name in (cast.stranger_account.slug, str(cast.stranger_account.id), "no-such-account", str(uuid4()))
    ]
    assert {answer.code for answer in answers} == {"not_found"}
    assert len({answer.indistinct for answer in answers}) == 1
