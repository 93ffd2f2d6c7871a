"""How many vectors a namespace holds, by the tier of its project (table 4.2 of the contract)."""

import httpx2
import pytest

pytestmark = pytest.mark.covers("P-11")

UNIT = [1] + [0] * 383


def batch(caller, project: dict, first: int, count: int, **fields) -> httpx2.Response:
    vectors = [{"id": f"v{number}", "vector": UNIT} for number in range(first, first + count)]
    return caller.http.post(f"{project['id']}/database/vectors/batch-upsert", json={"vectors": vectors, **fields})


def held(caller, project: dict, namespace: str = "default") -> int:
    params = {"namespace": namespace}
    count: int = caller.http.get(f"{project['id']}/database/vectors/stats", params=params).json()["count"]
    return count


def refused(answer: httpx2.Response) -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (429, "PROJECT_LIMIT_EXCEEDED"), answer.text
    assert "retry-after" not in answer.headers  # waiting does not help
    return answer.json()["detail"]


def test_a_free_namespace_holds_a_thousand_and_not_one_more(alice):
    project = alice.create_project(tier="free")
    assert batch(alice, project, 0, 1000).status_code == 200
    detail = refused(batch(alice, project, 1000, 1))
    for words in ("tier 'free'", "'default'", "1000", "upgrade to 'starter'", "support@ainative.studio"):
        assert words in detail
    one = {"text": "one more"}
    refused(alice.http.post(f"{project['id']}/embeddings/embed-and-store", json=one))
    refused(alice.http.post(f"{project['id']}/database/vectors/upsert", json={"vector": UNIT}))
    assert held(alice, project) == 1000


def test_what_takes_the_place_of_another_needs_no_room(alice):
    project = alice.create_project(tier="free")
    batch(alice, project, 0, 1000)
    assert batch(alice, project, 990, 10).json()["updated"] == 10
    refused(batch(alice, project, 999, 2))  # one of them is new, so neither is stored
    assert alice.http.delete(f"{project['id']}/database/vectors/v0").status_code == 200
    assert batch(alice, project, 2000, 1).status_code == 200


def test_each_namespace_and_each_project_counts_for_itself(alice):
    full, other = alice.create_project(tier="free"), alice.create_project(tier="free")
    batch(alice, full, 0, 1000)
    assert batch(alice, full, 0, 1, namespace="another").status_code == 200
    assert batch(alice, other, 0, 1).status_code == 200


@pytest.mark.parametrize("tier", ["starter", "pro", "professional", "enterprise"])
def test_a_higher_tier_holds_more(alice, tier):
    project = alice.create_project(tier=tier)
    assert batch(alice, project, 0, 1000).status_code == batch(alice, project, 1000, 1).status_code == 200


def test_the_products_own_caller_has_no_limit(make_caller):
    caller = make_caller(unlimited=True)
    project = caller.create_project(tier="free")
    batch(caller, project, 0, 1000)
    assert batch(caller, project, 1000, 1).status_code == 200


def test_an_operator_can_lift_the_limit(alice, settings):
    settings.ZERODB_DOCUMENT_LIMITS = False
    project = alice.create_project(tier="free")
    batch(alice, project, 0, 1000)
    assert batch(alice, project, 1000, 1).status_code == 200
