"""``account/features``."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from tests.accounts.features.conftest import stage
from tests.accounts.signin.people import trail
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("A-11", "P-05", "A-10")]


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    with tenant(cast.account):
        project = AINativeProject.objects.get()
        project.take_credentials("prj-1", "zdb_secret_project_key_0001")
        project.status = "ready"
        project.save()
    return by_key(cast.account, Role.ADMIN)


def shown(api: ApiClient, name: str) -> dict[str, Any]:
    return next(one for one in api.get("account/features").json["features"] if one["name"] == name)


def switch(api: ApiClient, name: str, enabled: Any, **headers: str) -> Any:
    return api.patch("account/features", {"features": [{"name": name, "enabled": enabled}]}, **headers)


def test_everybody_reads_the_three_features(api: ApiClient, cast: Cast) -> None:
    for role in Role:
        answer = by_key(cast.account, role).get("account/features")
        assert [one["name"] for one in answer.json["features"]] == [
            "semantic_search",
            "smart_suggestions",
            "agent_memory",
        ]
        for one in answer.json["features"]:
            assert (one["enabled"], one["available"], one["stage"], one["reason"]) == (True, True, "on", "")


def test_an_admin_switches_one_and_the_others_stay(api: ApiClient, cast: Cast) -> None:
    answer = switch(api, "agent_memory", False)
    assert answer.status == 200
    assert answer.json == api.get("account/features").json
    assert [one["enabled"] for one in answer.json["features"]] == [True, True, False]
    one = shown(api, "agent_memory")
    assert (one["choice"], one["available"], one["reason_code"]) == (False, True, "switched_off")
    assert one["reason"] == "Agent memory is switched off by your account."
    assert trail(cast.account)[0].action == "feature.switched_off"
    switch(api, "agent_memory", None)
    assert shown(api, "agent_memory")["choice"] is None


@pytest.mark.parametrize("below", [True, False])
def test_names_and_switches_alone_say_the_same(api: ApiClient, below: bool) -> None:
    wanted: dict[str, Any] = {"agent_memory": False, "semantic_search": True}
    answer = api.patch("account/features", {"features": wanted} if below else wanted)
    assert answer.status == 200
    assert [one["enabled"] for one in answer.json["features"]] == [True, True, False]


def test_what_was_read_may_be_sent_back_whole(api: ApiClient, cast: Cast) -> None:
    read = api.get("account/features")
    before = len(trail(cast.account))
    answer = api.patch("account/features", read.json, If_Match=read.headers["ETag"])
    assert (answer.status, answer.json) == (200, read.json)
    assert len(trail(cast.account)) == before


def test_a_reader_who_missed_a_change_is_told(api: ApiClient) -> None:
    old = api.get("account/features").headers["ETag"]
    switch(api, "agent_memory", False)
    assert switch(api, "semantic_search", False, If_Match=old).code == "precondition_failed"
    assert shown(api, "semantic_search")["enabled"] is True
    assert api.get("account/features", If_None_Match=old).status == 200
    assert api.get("account/features", If_None_Match=api.get("account/features").headers["ETag"]).status == 304


def test_what_the_operator_has_not_let_out_can_not_be_switched_on(api: ApiClient) -> None:
    stage("semantic_search", "off")
    one = shown(api, "semantic_search")
    assert (one["enabled"], one["available"], one["stage"]) == (False, False, "off")
    refused = api.patch(
        "account/features",
        {"features": [{"name": "agent_memory", "enabled": False}, {"name": "semantic_search", "enabled": True}]},
    )
    assert (refused.status, refused.json["code"], refused.json["reason"]) == (403, "feature_off", "not_available")
    assert refused.json["detail"] == "Semantic search is not available yet."
    assert shown(api, "agent_memory")["enabled"] is True, "all or none"


def test_without_a_project_the_switch_stands_and_the_reason_says_what_is_missing(cast: Cast) -> None:
    api = by_key(cast.account)
    one = shown(api, "smart_suggestions")
    assert (one["enabled"], one["available"], one["reason_code"]) == (True, False, "needs_project")
    assert one["reason"] == "Smart suggestions needs the AI project, which is not ready."
    assert switch(api, "smart_suggestions", False).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "features"),
        ({"features": {}}, "features"),
        ({"telepathy": True}, "telepathy"),
        ({"features": {"telepathy": True}}, "features"),
        ({"agent_memory": "perhaps"}, "features.0.enabled"),
        ({"features": [{"enabled": True}]}, "features.0.name"),
        ({"features": [{"name": "telepathy", "enabled": True}]}, "features.0.name"),
        ({"features": [{"name": "agent_memory", "enabled": "perhaps"}]}, "features.0.enabled"),
        ({"features": [{"name": "agent_memory", "on": True}]}, "features.0.on"),
    ],
)
def test_a_wrong_body_is_refused_by_name(api: ApiClient, body: Any, field: str) -> None:
    refused = api.patch("account/features", body)
    assert (refused.status, [name.removesuffix(".non_field_errors") for name in refused.faults]) == (400, [field])


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_switch_nothing(api: ApiClient, cast: Cast, role: Role) -> None:
    assert switch(by_key(cast.account, role), "agent_memory", False).code == "permission_denied"
