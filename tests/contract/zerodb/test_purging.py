"""What is left of a project a month after its deletion: its id, which is never used again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ZeroKey, ZeroProject
from apps.integrations.models.zerodb_owned import ProjectModel
from apps.integrations.zerodb.server import walls
from apps.integrations.zerodb.server.store import purge

pytestmark = pytest.mark.covers("P-11")


@pytest.fixture
def in_parts(monkeypatch, django_db_blocker):
    """Two rows at once, and the database at hand."""
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    with django_db_blocker.unblock():
        yield


def fill(store) -> None:
    assert store.post("embeddings/embed-and-store", json={"texts": list("abcde")}).status_code == 200
    store.post("embeddings/search", json={"query": "a"})
    assert store.post("database/memory", json={"content": "fact"}).status_code == 201
    assert store.post("tables", json={"table_name": "t", "schema": {"fields": {"a": "string"}}}).status_code == 201
    assert store.post("tables/t/rows", json={"row_data": [{"a": "x"}] * 5}).status_code == 201
    assert store.post("database/events", json={"event_type": "e", "data": {}}).status_code == 201


def rows_of(project: dict) -> int:
    with platform("count what is left in a test"):
        return sum(model.objects.filter(project_id=project["id"]).count() for model in ProjectModel.__subclasses__())


def delete_long_ago(caller, project: dict) -> None:
    assert caller.http.delete(f"projects/{project['id']}").status_code == 200
    with platform("let time pass in a test"):
        ZeroProject.objects.filter(id=project["id"]).update(deleted_at=timezone.now() - timedelta(days=31))


def test_a_project_goes_part_by_part_with_its_keys_and_no_other_is_touched(alice, bob, project, store, in_parts):
    fill(store)
    other = bob.create_project()
    bob.http.post(f"{other['id']}/embeddings/embed-and-store", json={"text": "kept"})
    delete_long_ago(alice, project)
    assert rows_of(project) > 10
    purge.purge_deleted_projects()
    assert rows_of(project) == 0 and rows_of(other) == 1
    with platform("look for keys in a test"):
        assert not ZeroKey.objects.filter(project_id=project["id"]).exists()
    answer = alice.http.post(f"{project['id']}/embeddings/embed-and-store", json={"text": "again"})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "PROJECT_NOT_FOUND")


def test_a_crash_in_between_loses_one_part_and_the_next_call_goes_on(alice, project, store, in_parts, monkeypatch):
    fill(store)
    delete_long_ago(alice, project)
    before, entered, enter = rows_of(project), [], walls.project

    def project_scope(project_id):
        entered.append(project_id)
        if len(entered) == 8:
            raise RuntimeError("the worker is killed")
        return enter(project_id)

    monkeypatch.setattr(walls, "project", project_scope)
    with pytest.raises(RuntimeError):
        purge.purge_deleted_projects()
    assert 0 < rows_of(project) < before
    purge.purge_deleted_projects()
    assert rows_of(project) == 0
