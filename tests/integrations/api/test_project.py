"""The account's AI project through the API."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("P-01", "P-03")]


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


def make_ready(cast: Cast) -> None:
    with tenant(cast.account):
        project = AINativeProject.objects.get()
        project.take_credentials("prj-1", "zdb_secret_project_key_0001")
        project.status = "ready"
        project.save()


def test_everybody_sees_where_it_has_got_to_and_nobody_its_key(cast: Cast) -> None:
    for role in Role:
        shown = by_key(cast.account, role).get("project").json
        assert set(shown) == {"project_id", "status", "error", "settings", "provisioned_at"}
        assert (shown["project_id"], shown["status"]) == (None, "pending")
    make_ready(cast)
    answer = by_key(cast.account).get("project")
    assert (answer.json["project_id"], answer.json["status"]) == ("prj-1", "ready")
    assert b"key_0001" not in answer.content


def test_asking_for_it_answers_with_the_one_job(api: ApiClient, cast: Cast) -> None:
    first, second = api.post("project/provision"), api.post("project/provision")
    assert first.status == second.status == 202
    assert first.json["kind"] == "project.provision"
    assert first.json["id"] == second.json["id"]
    assert api.get(first.headers["Location"].removeprefix("/api/v1/")).json["id"] == first.json["id"]
    with tenant(cast.account):
        assert Job.objects.filter(kind="project.provision").count() == 1


def test_a_project_that_is_there_is_not_made_again(api: ApiClient, cast: Cast) -> None:
    make_ready(cast)
    refused = api.post("project/provision")
    assert (refused.status, refused.code) == (409, "already_provisioned")


def test_settings_are_changed_one_by_one(api: ApiClient) -> None:
    changed = api.patch("project/settings", {"auto_indexing": False, "features": {"agent_memory": False}})
    assert changed.status == 200
    settings = changed.json["settings"]
    assert settings["auto_indexing"] is False
    assert settings["features"] == {"semantic_search": True, "smart_suggestions": True, "agent_memory": False}
    assert api.get("project").json == changed.json


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"embeddings_model": "no/such-model"}, "embeddings_model"),
        ({"vector_dimensions": 7}, "vector_dimensions"),
        ({"auto_indexing": "perhaps"}, "auto_indexing"),
        ({"same_matter_from": 1.5}, "same_matter_from"),
        ({"features": []}, "features"),
        ({"features": {"telepathy": True}}, "features.telepathy"),
        ({"api_key": "mine"}, "api_key"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(api: ApiClient, values: dict[str, Any], field: str) -> None:
    before = api.get("project").json
    refused = api.patch("project/settings", values)
    assert (refused.status, list(refused.faults)) == (400, [field])
    assert api.get("project").json == before


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_change_nothing(cast: Cast, role: Role) -> None:
    api = by_key(cast.account, role)
    assert api.post("project/provision").code == "permission_denied"
    assert api.patch("project/settings", {"auto_indexing": False}).code == "permission_denied"
