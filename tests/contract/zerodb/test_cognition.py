"""Section 7 of the contract: scored recall over the log of agents, and what may never be changed."""

import re
from datetime import timedelta

import httpx2
import pytest
from django.utils import timezone

from apps.integrations.models import ZeroAgentMemory, ZeroProject
from apps.integrations.zerodb.server import walls

pytestmark = pytest.mark.covers("P-11")


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def remember(store, content: str, **fields) -> dict:
    answer = store.post("memory/remember", json={"agent_id": "a1", "content": content, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def recall(store, query: str, **fields) -> list[dict]:
    answer = store.post("memory/recall", json={"query": query, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["memories"]


class TestRemember:
    def test_it_is_one_entry_of_the_log(self, store):
        made = remember(store, "We decided to refund the parcel", run_id="r1", metadata={"k": 1})
        assert re.fullmatch(r"mem_[0-9a-f]{16}", made["memory_id"])
        assert (made["memory_type"], made["category"], made["namespace"]) == ("working", "decision", "default")
        entry = store.get(f"agent-memory/{made['memory_id']}").json()
        assert entry["content"] == "We decided to refund the parcel" and entry["run_id"] == "r1"
        assert entry["metadata"].items() >= {"k": 1, "importance": made["importance"], "category": "decision"}.items()
        listed = store.get("agent-memory", params={"memory_type": "working"}).json()
        assert listed["total"] == 1 and entry["timestamp"] == made["timestamp"]

    @pytest.mark.parametrize(
        ("fields", "least", "most"),
        [
            ({}, 0.3, 0.32),
            ({"memory_type": "procedural"}, 0.7, 0.72),
            ({"memory_type": "semantic", "metadata": {"urgent": True}}, 0.75, 0.77),
            ({"metadata": {"priority": "critical"}}, 0.5, 0.52),
            ({"importance_hint": 0.9}, 0.9, 0.9),
            ({"importance_hint": 0}, 0, 0),
        ],
    )
    def test_how_much_it_matters(self, store, fields, least, most):
        assert least <= remember(store, "Prefers e-mail", **fields)["importance"] <= most

    @pytest.mark.parametrize(
        ("content", "kind", "category"),
        [
            ("The import failed while we approved it", "working", "error"),
            ("Rejected the offer", "working", "decision"),
            ("Upcoming release", "working", "plan"),
            ("A spike in traffic", "working", "observation"),
            ("She replied at once", "episodic", "interaction"),
            ("Paris is in France", "semantic", "knowledge"),
            ("Paris is in France", "working", "other"),
        ],
    )
    def test_what_it_is_about(self, store, content, kind, category):
        assert remember(store, content, memory_type=kind)["category"] == category

    @pytest.mark.parametrize(
        "wrong",
        [
            {"agent_id": ""},
            {"agent_id": None},
            {"content": " "},
            {"memory_type": "dream"},
            {"importance_hint": 1.1},
            {"importance_hint": "high"},
            {"namespace": "../x"},
            {"metadata": []},
        ],
    )
    def test_bad_fields(self, store, wrong):
        answer = store.post("memory/remember", json={"agent_id": "a", "content": "c", **wrong})
        assert answer.status_code == 422, answer.text


class TestRecall:
    def test_best_first_by_the_whole_score(self, store):
        remember(store, "The customer wants to be contacted by e-mail only")
        remember(store, "Lives in Lisbon and works at night")
        found = recall(store, "How should we reach them?")
        assert [item["content"][:3] for item in found] == ["The", "Liv"]
        best = found[0]
        expected = best["similarity_score"] * 0.6 + best["recency_weight"] * 0.3 + best["importance"] * 0.1
        assert best["composite_score"] == pytest.approx(expected, abs=1e-5) and best["recency_weight"] > 0.99
        assert best.keys() >= {"memory_id", "agent_id", "category", "memory_type", "timestamp"}

    def test_the_answer_says_how_it_was_scored(self, store):
        weights = {"similarity": 1, "recency": 0, "importance": 0, "half_life_days": 1}
        answer = store.post("memory/recall", json={"query": "x", "weights": weights}).json()
        assert answer["memories"] == [] and answer["query"] == "x" and answer["weights"] == weights
        usual = store.post("memory/recall", json={"query": "x"}).json()["weights"]
        assert usual == {"similarity": 0.6, "recency": 0.3, "importance": 0.1, "half_life_days": 7.0}

    def test_importance_can_outweigh_likeness(self, store):
        remember(store, "The parcel is late", importance_hint=0)
        remember(store, "Something else entirely", importance_hint=1)
        weights = {"similarity": 0, "recency": 0, "importance": 1}
        assert recall(store, "late parcel", weights=weights, limit=1)[0]["content"] == "Something else entirely"
        assert recall(store, "late parcel", limit=1)[0]["content"] == "The parcel is late"

    def test_recency_halves_with_each_half_life(self, alice, store, project, django_db_blocker):
        made = remember(store, "An old fact")
        with django_db_blocker.unblock(), walls.caller(alice.id):
            project_id = ZeroProject.objects.get(public_id=project["id"]).id
            with walls.project(project_id):
                old = timezone.now() - timedelta(days=14)
                ZeroAgentMemory.objects.filter(memory_id=made["memory_id"]).update(created_at=old)
        assert recall(store, "fact")[0]["recency_weight"] == pytest.approx(0.25, abs=0.001)

    def test_of_one_agent_and_one_namespace(self, store):
        remember(store, "of one")
        remember(store, "of two", agent_id="a2")
        remember(store, "elsewhere", namespace="other")
        assert {item["content"] for item in recall(store, "of")} == {"of one", "of two"}
        assert [item["content"] for item in recall(store, "of", agent_id="a2")] == ["of two"]
        assert [item["content"] for item in recall(store, "of", namespace="other")] == ["elsewhere"]

    def test_entries_of_the_plain_log_are_recalled_too(self, store):
        entry = {"agent_id": "a", "run_id": "r", "memory_type": "plan", "content": "Ship on Monday"}
        assert store.post("agent-memory", json=entry).status_code == 201
        (found,) = recall(store, "when do we ship?")
        assert (found["content"], found["importance"], found["category"]) == ("Ship on Monday", 0.5, "other")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"query": " "},
            {"query": "x", "limit": 0},
            {"query": "x", "limit": 101},
            {"query": "x", "weights": {"similarity": 2}},
            {"query": "x", "weights": {"half_life_days": 0}},
        ],
    )
    def test_bad_fields(self, store, body):
        refused(store.post("memory/recall", json=body), 422)


class TestReflection:
    def test_patterns_contradictions_and_gaps(self, store):
        remember(store, "Decided that the customer accepts refunds by bank transfer")
        remember(store, "Decided that the customer does not accept refunds by bank transfer")
        remember(store, "Approved the refunds of May")
        answer = store.post("memory/reflect", json={"agent_id": "a1"}).json()
        assert (answer["agent_id"], answer["window_days"], answer["memory_count"]) == ("a1", 30, 3)
        assert answer["patterns"][0] == {"label": "refunds", "count": 3, "category": "decision"}
        (contradiction,) = answer["contradictions"]
        assert len(contradiction["memory_ids"]) == 2 and contradiction["topic"]
        assert {gap["category"] for gap in answer["gaps"]} == {"observation", "knowledge", "plan"}

    def test_nothing_to_look_back_on(self, store):
        answer = store.post("memory/reflect", json={"agent_id": "nobody"}).json()
        assert (answer["memory_count"], answer["patterns"], answer["gaps"]) == (0, [], [])

    @pytest.mark.parametrize("days", [0, 366, "many"])
    def test_bad_windows(self, store, days):
        refused(store.post("memory/reflect", json={"window_days": days}), 422)

    def test_profile(self, store):
        for content in ("Refunds take five days", "Refunds need a receipt", "Noticed many refunds"):
            remember(store, content, memory_type="semantic")
        answer = store.get("memory/profile/a1").json()
        assert (answer["agent_id"], answer["memory_count"]) == ("a1", 3)
        assert answer["categories"] == [{"category": "knowledge", "count": 2}, {"category": "observation", "count": 1}]
        assert answer["topics"][0]["topic"] == "refunds" and answer["topics"][0]["count"] == 3
        assert answer["expertise_areas"] == ["refunds"]
        assert answer["first_memory_at"] < answer["last_memory_at"]

    def test_profile_of_nobody(self, store):
        answer = store.get("memory/profile/nobody").json()
        assert (answer["memory_count"], answer["topics"], answer["first_memory_at"]) == (0, [], None)


class TestRecords:
    @pytest.mark.parametrize("kind", ["agents", "compliance-events", "x402-requests", "agent-memory"])
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_are_never_changed(self, alice, kind, method):
        for path in (f"proj_x/{kind}", f"proj_x/{kind}/1", f"proj_x/{kind}/1/below"):
            refused(alice.http.request(method, path, json={}), 403, "IMMUTABLE_RECORD")
        refused(alice.http.request(method, f"projects/proj_x/{kind}/1", json={}), 404, "PATH_NOT_FOUND")
        refused(alice.http.get(f"proj_x/{kind}/1/below"), 404, "PATH_NOT_FOUND")

    def test_agents_are_those_that_wrote_to_the_log(self, store, project):
        remember(store, "one")
        remember(store, "two")
        remember(store, "three", agent_id="a2")
        answer = store.get("agents").json()
        assert [(agent["agent_id"], agent["memory_count"]) for agent in answer["agents"]] == [("a1", 2), ("a2", 1)]
        assert answer["total"] == 2 and answer["agents"][0]["project_id"] == project["id"]
        assert store.get("agents/a1").json() == answer["agents"][0]
        assert "nobody" in refused(store.get("agents/nobody"), 404, "AGENT_NOT_FOUND")

    def test_a_project_that_nobody_created_has_none(self, alice):
        for path in ("proj_x/agents", "proj_x/agents/a1"):
            assert "proj_x" in refused(alice.http.get(path), 404, "PROJECT_NOT_FOUND")
