"""API keys through the API: shown once, own or all, never more than their maker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import APIKey
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import AuditEntry
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-09")]

FIELDS = {
    "id", "name", "role", "scopes", "expires_at", "rate_limit_per_hour", "cost_limit_per_month", "currency",
    "enabled", "prefix", "created_by", "last_used_at", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def admin(cast: Cast) -> ApiClient:
    return ApiClient(user=cast.members[Role.ADMIN])


@pytest.fixture
def member(cast: Cast) -> ApiClient:
    return ApiClient(user=cast.bob)


def test_the_text_of_a_key_is_in_the_answer_that_makes_it_and_nowhere_else(admin: ApiClient, cast: Cast) -> None:
    made = admin.post("api-keys", {"name": "Website"})
    assert made.status == 201
    assert set(made.json) == FIELDS | {"key"}
    assert made.headers["Cache-Control"] == "no-store"
    text = made.json["key"]
    assert text.startswith(f"{made.json['prefix']}_")
    assert ApiClient(key=text).get("contacts").status == 200
    read = admin.get(f"api-keys/{made.json['id']}")
    assert set(read.json) == FIELDS
    secret = text.rpartition("_")[2]
    for place in (read.content, admin.get("api-keys").content):
        assert secret.encode() not in place
    with tenant(cast.account):
        row = APIKey.objects.get(pk=made.json["id"])
        assert secret not in str(row.__dict__)
        assert all(secret not in str(entry.payload) for entry in AuditEntry.objects.all())


def test_all_settings_read_back_as_they_were_sent(admin: ApiClient) -> None:
    settings = {
        "name": "Nightly",
        "role": "viewer",
        "scopes": ["contacts.view", "jobs.*"],
        "expires_at": (timezone.now() + timedelta(days=1)).isoformat().replace("+00:00", "Z"),
        "rate_limit_per_hour": 10,
        "cost_limit_per_month": "12.5000",
        "enabled": False,
    }
    made = admin.post("api-keys", settings).json
    assert made | settings == made


BAD: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"name": "required"}),
    ({"name": ""}, {"name": "blank"}),
    ({"name": "x" * 121}, {"name": "max_length"}),
    ({"name": "x", "role": "king"}, {"role": "invalid_choice"}),
    ({"name": "x", "scopes": "contacts.view"}, {"scopes": "not_a_list"}),
    ({"name": "x", "scopes": ["contacts.fly"]}, {"scopes": "unknown_scope"}),
    ({"name": "x", "scopes": [1, {}]}, {"scopes.0": "invalid", "scopes.1": "invalid"}),
    ({"name": 5}, {"name": "invalid"}),
    ({"name": "two\nlines"}, {"name": "control_character"}),
    ({"name": "\u200b"}, {"name": "invisible"}),
    ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "past"}),
    ({"name": "x", "expires_at": "soon"}, {"expires_at": "invalid"}),
    ({"name": "x", "rate_limit_per_hour": -1}, {"rate_limit_per_hour": "min_value"}),
    ({"name": "x", "rate_limit_per_hour": 2**31}, {"rate_limit_per_hour": "max_value"}),
    ({"name": "x", "cost_limit_per_month": "-1"}, {"cost_limit_per_month": "min_value"}),
    ({"name": "x", "cost_limit_per_month": "1e99"}, {"cost_limit_per_month": "max_digits"}),
    ({"name": "x", "cost_limit_per_month": "NaN"}, {"cost_limit_per_month": "invalid"}),
    ({"name": "x", "enabled": "perhaps"}, {"enabled": "invalid"}),
    ({"name": "x", "key": "sr_mine"}, {"key": "unknown"}),
]  # fmt: skip


@pytest.mark.parametrize(("values", "faults"), BAD)
def test_a_wrong_setting_is_refused_by_name_and_rule(
    admin: ApiClient, cast: Cast, values: dict[str, Any], faults: dict[str, str]
) -> None:
    assert admin.post("api-keys", values).faults == faults
    with tenant(cast.account):
        assert not APIKey.objects.exists()


def test_a_disabled_or_deleted_key_stops_working_at_once(admin: ApiClient) -> None:
    made = admin.post("api-keys", {"name": "Website"}).json
    key, path = ApiClient(key=made["key"]), f"api-keys/{made['id']}"
    assert key.get("contacts").status == 200
    assert admin.patch(path, {"enabled": False}).json["enabled"] is False
    assert key.get("contacts").code == "invalid_key"
    admin.patch(path, {"enabled": True})
    assert key.get("contacts").status == 200
    assert admin.delete(path).status == 204
    assert key.get("contacts").code == "invalid_key"
    assert admin.get(path).code == "not_found"


def test_rotating_gives_new_text_and_ends_the_old_one(admin: ApiClient) -> None:
    made = admin.post("api-keys", {"name": "Website"}).json
    rotated = admin.post(f"api-keys/{made['id']}/rotate")
    assert rotated.status == 200
    assert rotated.json["id"] == made["id"]
    assert ApiClient(key=made["key"]).get("contacts").code == "invalid_key"
    assert ApiClient(key=rotated.json["key"]).get("contacts").status == 200


def test_use_of_a_key_shows(admin: ApiClient) -> None:
    made = admin.post("api-keys", {"name": "Website"}).json
    assert made["last_used_at"] is None
    ApiClient(key=made["key"]).get("contacts")
    assert admin.get(f"api-keys/{made['id']}").json["last_used_at"] is not None


@pytest.mark.covers("A-05")
def test_members_see_and_manage_the_keys_they_made(admin: ApiClient, member: ApiClient, cast: Cast) -> None:
    of_admin = admin.post("api-keys", {"name": "Admin's"}).json["id"]
    own = member.post("api-keys", {"name": "Bob's"}).json["id"]
    assert [row["id"] for row in member.get("api-keys").json["results"]] == [own]
    assert {row["id"] for row in admin.get("api-keys").json["results"]} == {own, of_admin}
    assert member.get(f"api-keys/{own}").status == 200
    assert member.patch(f"api-keys/{own}", {"name": "Renamed"}).status == 200
    for refused in (
        member.get(f"api-keys/{of_admin}"),
        member.patch(f"api-keys/{of_admin}", {"name": "Mine"}),
        member.post(f"api-keys/{of_admin}/rotate"),
        member.delete(f"api-keys/{of_admin}"),
    ):
        assert refused.code == "permission_denied"
    assert admin.delete(f"api-keys/{own}").status == 204


@pytest.mark.covers("A-05")
def test_viewers_have_nothing_to_do_with_keys(admin: ApiClient, cast: Cast) -> None:
    made = admin.post("api-keys", {"name": "x"}).json["id"]
    viewer = ApiClient(user=cast.members[Role.VIEWER])
    for refused in (
        viewer.get("api-keys"),
        viewer.post("api-keys", {"name": "x", "role": "viewer"}),
        viewer.get(f"api-keys/{made}"),
        viewer.delete(f"api-keys/{made}"),
    ):
        assert refused.code == "permission_denied"


def test_nobody_makes_raises_or_takes_over_a_key_above_their_role(
    admin: ApiClient, member: ApiClient, cast: Cast
) -> None:
    assert member.post("api-keys", {"name": "x", "role": "admin"}).code == "permission_denied"
    own = member.post("api-keys", {"name": "x"}).json["id"]
    assert member.patch(f"api-keys/{own}", {"role": "owner"}).code == "permission_denied"
    owners = ApiClient(user=cast.alice).post("api-keys", {"name": "x", "role": "owner"}).json["id"]
    assert admin.post(f"api-keys/{owners}/rotate").code == "permission_denied"
    assert admin.patch(f"api-keys/{owners}", {"enabled": False}).status == 200


def test_a_key_with_scopes_does_only_what_they_name(cast: Cast) -> None:
    key = by_key(cast.account, scopes=["contacts.view"])
    assert key.get("contacts").status == 200
    assert key.post("contacts", {"name": "x"}).code == "permission_denied"
    assert key.get("members").code == "permission_denied"


def test_a_key_with_scopes_makes_no_wider_key_and_takes_over_none(admin: ApiClient, cast: Cast) -> None:
    key = by_key(cast.account, scopes=["api_keys.*", "contacts.*"])
    assert key.post("api-keys", {"name": "x"}).code == "permission_denied"
    assert key.post("api-keys", {"name": "x", "scopes": ["audit.view"]}).code == "permission_denied"
    made = key.post("api-keys", {"name": "x", "scopes": ["contacts.view"]})
    assert made.status == 201
    assert key.patch(f"api-keys/{made.json['id']}", {"scopes": []}).code == "permission_denied"
    wide = admin.post("api-keys", {"name": "wide"}).json["id"]
    assert key.post(f"api-keys/{wide}/rotate").code == "permission_denied"


def test_a_small_key_has_no_power_over_the_larger_keys_of_its_maker(cast: Cast) -> None:
    alice = ApiClient(user=cast.alice)
    large = alice.post("api-keys", {"name": "large", "role": "owner"}).json
    small = ApiClient(key=alice.post("api-keys", {"name": "small", "role": "member"}).json["key"])
    assert small.patch(f"api-keys/{large['id']}", {"enabled": False}).code == "permission_denied"
    assert small.delete(f"api-keys/{large['id']}").code == "permission_denied"
    assert ApiClient(key=large["key"]).get("contacts").status == 200
