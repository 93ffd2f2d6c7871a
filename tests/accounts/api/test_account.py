"""The account itself through the API."""

from __future__ import annotations

import pytest

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-05", "A-10")]


def test_every_role_reads_it(cast: Cast) -> None:
    for role in Role:
        read = by_key(cast.account, role).get("account")
        assert read.json["id"] == str(cast.account.id)
        assert set(read.json) == {"id", "name", "slug", "status", "default_region", "created_at", "updated_at"}


def test_admins_change_it_and_it_shows_at_once(cast: Cast) -> None:
    admin, viewer = by_key(cast.account, Role.ADMIN), by_key(cast.account, Role.VIEWER)
    viewer.get("account")
    changed = admin.patch("account", {"name": "Alice & Sons", "slug": "alice-sons", "default_region": "ie"})
    assert changed.status == 200
    assert changed.json["default_region"] == "IE"
    assert viewer.get("account").json == changed.json
    assert ApiClient(user=cast.bob, X_Account="alice-sons").get("account").json == changed.json


def test_a_new_region_is_the_one_phones_are_read_in(cast: Cast) -> None:
    admin = ApiClient(user=cast.members[Role.ADMIN])
    admin.patch("account", {"default_region": "FR"})
    assert admin.post("contacts", {"phone": "01 23 45 67 89"}).json["phone"] == "+33123456789"


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_others_change_nothing(cast: Cast, role: Role) -> None:
    assert by_key(cast.account, role).patch("account", {"name": "Mine"}).code == "permission_denied"


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({"name": ""}, {"name": "blank"}),
        ({"name": None}, {"name": "null"}),
        ({"name": ["x"]}, {"name": "invalid"}),
        ({"name": "x" * 121}, {"name": "max_length"}),
        ({"name": 5}, {"name": "invalid"}),
        ({"name": "Two\nlines"}, {"name": "control_character"}),
        ({"name": "Turned \u202ednuora"}, {"name": "control_character"}),
        ({"name": "\u200b\ufeff"}, {"name": "invisible"}),
        ({"slug": "Not A Slug"}, {"slug": "invalid"}),
        ({"slug": "-x-"}, {"slug": "invalid"}),
        ({"slug": "admin"}, {"slug": "reserved"}),
        ({"default_region": "ZZ"}, {"default_region": "unknown_region"}),
        ({"default_region": "GBR"}, {"default_region": "max_length"}),
        ({"plan": "gold"}, {"plan": "unknown"}),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_rule(
    cast: Cast, values: dict[str, object], faults: dict[str, str]
) -> None:
    owner = by_key(cast.account)
    before = owner.get("account").json
    assert owner.patch("account", values).faults == faults
    assert owner.get("account").json == before


def test_an_address_that_another_account_has_is_refused(cast: Cast) -> None:
    assert by_key(cast.account).patch("account", {"slug": cast.stranger_account.slug}).faults == {"slug": "unique"}


def test_nobody_overwrites_what_they_have_not_seen(cast: Cast) -> None:
    owner = by_key(cast.account)
    etag = owner.get("account").headers["ETag"]
    assert owner.patch("account", {"name": "First"}, If_Match=etag).status == 200
    assert owner.patch("account", {"name": "Second"}, If_Match=etag).code == "precondition_failed"
    assert owner.get("account").json["name"] == "First"


def test_a_suspended_account_is_read_and_not_changed(cast: Cast) -> None:
    with platform("suspend an account in a test"):
        Account.objects.filter(pk=cast.account.pk).update(status="suspended")
    for api in (ApiClient(user=cast.alice), by_key(cast.account)):
        assert api.get("contacts").status == 200
        refused = api.post("contacts", {"name": "Zoë"})
        assert (refused.status, refused.code) == (403, "account_suspended")
        assert api.patch("account", {"name": "Renamed"}).code == "account_suspended"
