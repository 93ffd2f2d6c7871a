"""Section 7 of the contract: remembered facts, and the append-only log of agents."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest

pytestmark = pytest.mark.covers("P-11")


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def remember(store, content: str, **fields) -> dict:
    answer = store.post("database/memory", json={"content": content, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


class TestFacts:
    def test_create_and_read(self, store, project):
        fact = remember(store, "Prefers e-mail", title="Channel", tags=["preference"], metadata={"contact_id": 7})
        assert fact["id"] == fact["memory_id"] and fact["project_id"] == project["id"]
        assert fact["priority"] == "medium" and fact["tags"] == ["preference"] and fact["metadata"] == {"contact_id": 7}
        assert store.get(f"database/memory/{fact['id']}").json() == fact

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"content": "  "},
            {"content": "c", "priority": "urgent"},
            {"content": "c", "tags": "no list"},
            {"content": "c", "tags": [1]},
            {"content": "c", "metadata": []},
            {"content": "c", "expires_at": "tomorrow"},
        ],
    )
    def test_bad_fields(self, store, body):
        refused(store.post("database/memory", json=body), 422)

    def test_list_newest_first_with_filters(self, store):
        for number in range(4):
            remember(
                store,
                f"fact {number}",
                tags=["even" if number % 2 == 0 else "odd", "all"],
                metadata={"contact_id": number, "kind": "note"},
                user_id=f"u{number % 2}",
                priority="high" if number == 3 else "low",
            )

        def listed(**params) -> list[str]:
            answer = store.get("database/memory", params=params).json()
            assert answer["total"] >= len(answer["memories"])
            return [memory["content"] for memory in answer["memories"]]

        assert listed() == ["fact 3", "fact 2", "fact 1", "fact 0"]
        assert listed(limit=2, offset=1) == ["fact 2", "fact 1"]
        assert listed(user_id="u1") == ["fact 3", "fact 1"]
        assert listed(tags="even,all") == ["fact 2", "fact 0"]
        assert listed(priority="high") == ["fact 3"]
        assert listed(search="FACT 2") == ["fact 2"]
        assert listed(contact_id=1) == ["fact 1"]
        assert listed(contact_id="1", kind="note") == ["fact 1"]
        assert listed(contact_id="1' OR '1'='1") == []
        assert listed(**{"a%sb'": "x"}) == []
        answer = store.get("database/memory", params={"limit": 2}).json()
        assert (answer["total"], answer["limit"], answer["offset"]) == (4, 2, 0)

    def test_search_by_meaning(self, store):
        remember(store, "The customer wants to be contacted by e-mail only", user_id="u1", metadata={"k": 1})
        remember(store, "Lives in Lisbon and works at night", user_id="u2", metadata={"k": 2})
        answer = store.post("database/memory/search", json={"query": "How should we reach them?", "limit": 5}).json()
        assert answer["total"] == 2
        best = answer["results"][0]
        assert best["content"].startswith("The customer wants")
        assert best["score"] == best["similarity"] == best["similarity_score"] > answer["results"][1]["score"]
        assert best.keys() >= {"id", "content", "metadata", "tags", "created_at"}
        for fields in ({"user_id": "u2"}, {"filter_metadata": {"k": 2}}):
            body = {"query": "contact", **fields}
            (only,) = store.post("database/memory/search", json=body).json()["results"]
            assert only["content"].startswith("Lives in Lisbon")

    def test_search_by_words(self, store):
        remember(store, "Invoice 4711 was paid")
        remember(store, "Invoice 4712 is open")
        body = {"query": "invoice 4712", "semantic": False}
        found = store.post("database/memory/search", json=body).json()["results"]
        assert [(hit["content"], hit["score"]) for hit in found] == [
            ("Invoice 4712 is open", 1.0),
            ("Invoice 4711 was paid", 0.5),
        ]
        assert store.post("database/memory/search", json={**body, "query": "absent"}).json()["results"] == []
        refused(store.post("database/memory/search", json={"query": " "}), 422)

    def test_change_makes_it_found_by_its_new_meaning(self, store):
        fact = remember(store, "Likes football")
        changed = store.patch(f"database/memory/{fact['id']}", json={"content": "Allergic to peanuts", "tags": ["h"]})
        assert changed.json()["content"] == "Allergic to peanuts" and changed.json()["tags"] == ["h"]
        assert changed.json()["updated_at"] > fact["updated_at"]
        body = {"query": "food allergy", "threshold": 0.3}
        (hit,) = store.post("database/memory/search", json=body).json()["results"]
        assert hit["id"] == fact["id"]
        refused(store.patch(f"database/memory/{fact['id']}", json={"content": ""}), 422)

    def test_delete_and_unknown(self, store):
        fact = remember(store, "gone soon")
        assert store.delete(f"database/memory/{fact['id']}").json() == {"deleted": True, "id": fact["id"]}
        for memory_id in (fact["id"], str(uuid4()), "no-uuid"):
            for method, path, body in [
                ("GET", "", None),
                ("PATCH", "", {"title": "t"}),
                ("DELETE", "", None),
                ("GET", "/related", None),
            ]:
                answer = store.request(method, f"database/memory/{memory_id}{path}", json=body)
                assert memory_id in refused(answer, 404, "MEMORY_NOT_FOUND")

    def test_many_at_once_or_none(self, store):
        body = {"memories": [{"content": f"fact {number}"} for number in range(3)]}
        answer = store.post("database/memory/bulk", json=body)
        assert answer.status_code == 201 and answer.json()["created"] == 3 and len(answer.json()["ids"]) == 3
        body["memories"].append({"content": ""})
        refused(store.post("database/memory/bulk", json=body), 422)
        assert store.get("database/memory").json()["total"] == 3

    def test_related_leaves_itself_out(self, store):
        about = remember(store, "Wants a refund for order 12")
        near = remember(store, "Asked twice to get the money back")
        remember(store, "Has a dog called Rex")
        answer = store.get(f"database/memory/{about['id']}/related", params={"limit": 1}).json()
        assert [memory["id"] for memory in answer["memories"]] == [near["id"]]

    def test_expired_facts_are_forgotten(self, store):
        later, past = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, -1))
        kept = remember(store, "still true", expires_at=later.isoformat())
        gone = remember(store, "true no longer", expires_at=past.isoformat())
        assert [memory["id"] for memory in store.get("database/memory").json()["memories"]] == [kept["id"]]
        found = store.post("database/memory/search", json={"query": "true no longer"}).json()["results"]
        assert [memory["id"] for memory in found] == [kept["id"]]
        refused(store.get(f"database/memory/{gone['id']}"), 404, "MEMORY_NOT_FOUND")

    def test_projects_do_not_share_memories(self, alice, store):
        fact = remember(store, "of one project")
        other = alice.create_project()
        assert alice.http.get(f"{other['id']}/database/memory").json()["total"] == 0
        refused(alice.http.get(f"{other['id']}/database/memory/{fact['id']}"), 404, "MEMORY_NOT_FOUND")


KINDS = ["decision", "context", "state", "observation", "goal", "plan", "result", "error"]


def log(store, **fields) -> dict:
    body = {"agent_id": "agent-1", "run_id": "run-1", "memory_type": "decision", "content": "Chose B", **fields}
    answer = store.post("agent-memory", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


class TestAgentLog:
    @pytest.mark.parametrize("kind", KINDS)
    def test_write_and_read(self, store, project, kind):
        entry = log(store, memory_type=kind, metadata={"a": 1})
        assert re.fullmatch(r"mem_[0-9a-f]{16}", entry["memory_id"]) and entry["created"] is True
        assert entry.keys() == {
            "memory_id", "agent_id", "run_id", "memory_type", "namespace", "timestamp", "created",
        }  # fmt: skip
        whole = store.get(f"agent-memory/{entry['memory_id']}").json()
        assert whole["content"] == "Chose B" and whole["metadata"] == {"a": 1} and whole["project_id"] == project["id"]
        assert whole["timestamp"] == entry["timestamp"] and whole["memory_type"] == kind

    @pytest.mark.parametrize(
        "fields",
        [{"memory_type": "dream"}, {"content": " "}, {"agent_id": ""}, {"run_id": "r" * 256}, {"metadata": "x"}],
    )
    def test_bad_fields(self, store, fields):
        body = {"agent_id": "a", "run_id": "r", "memory_type": "goal", "content": "c", **fields}
        refused(store.post("agent-memory", json=body), 422)

    def test_filters_and_pages(self, store):
        for number in range(4):
            log(store, agent_id=f"a{number % 2}", run_id=f"r{number}", memory_type=KINDS[number % 2])
        log(store, namespace="other")

        def listed(**params) -> list[str]:
            return [memory["run_id"] for memory in store.get("agent-memory", params=params).json()["memories"]]

        assert listed() == ["run-1", "r3", "r2", "r1", "r0"]  # of all namespaces
        assert listed(namespace="default") == ["r3", "r2", "r1", "r0"]
        assert listed(agent_id="a1", run_id="r3") == ["r3"]
        assert listed(memory_type="decision", run_id="r2") == ["r2"]
        assert listed(limit=1, offset=2) == ["r2"]
        assert listed(namespace="other") == ["run-1"]
        answer = store.get("agent-memory", params={"agent_id": "a1", "namespace": "default"}).json()
        assert answer["total"] == 2 and answer["filters_applied"] == {"agent_id": "a1", "namespace": "default"}
        assert store.get("agent-memory").json()["filters_applied"] == {}
        for wrong in ({"limit": 0}, {"limit": 1001}, {"memory_type": "dream"}):
            refused(store.get("agent-memory", params=wrong), 422)

    def test_an_entry_in_another_namespace_is_not_found(self, store):
        entry = log(store, namespace="one")
        path = f"agent-memory/{entry['memory_id']}"
        assert store.get(path, params={"namespace": "one"}).status_code == 200
        refused(store.get(path, params={"namespace": "two"}), 404, "MEMORY_NOT_FOUND")
        refused(store.get("agent-memory/mem_0000000000000000"), 404, "MEMORY_NOT_FOUND")

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_nothing_is_ever_changed(self, store, method):
        entry = log(store)
        for path in ("agent-memory", f"agent-memory/{entry['memory_id']}", "agent-memory/unknown", "agent-memory/a/b"):
            refused(store.request(method, path, json={"content": "x"}), 403, "IMMUTABLE_RECORD")
        assert store.get(f"agent-memory/{entry['memory_id']}").json()["content"] == "Chose B"


class TestFeedback:
    """``database/rlhf``: rated answers of a machine."""

    RATED = {
        "interaction_type": "reply",
        "prompt": "Where is my order?",
        "response": "On its way.",
        "rating": 4,
        "feedback": "kind",
        "metadata": {"account_id": 7},
    }

    def test_it_is_recorded(self, store, project):
        answer = store.post("database/rlhf", json=self.RATED)
        assert answer.status_code == 201
        recorded = answer.json()
        assert recorded.items() >= {**self.RATED, "status": "recorded", "project_id": project["id"]}.items()
        assert recorded["id"] and recorded["created_at"].endswith("Z")

    @pytest.mark.parametrize(
        "wrong",
        [{"rating": 0}, {"rating": 6}, {"rating": "good"}, {"prompt": " "}, {"response": None}, {"metadata": []}],
    )
    def test_bad_fields(self, store, wrong):
        refused(store.post("database/rlhf", json=self.RATED | wrong), 422)
        assert store.get("database/rlhf/stats").json()["total"] == 0

    def test_what_the_ratings_come_to(self, store):
        for rating, kind, account in ((5, "reply", 7), (2, "reply", "7"), (1, "summary", 8)):
            fields = {"rating": rating, "interaction_type": kind, "metadata": {"account_id": account}}
            assert store.post("database/rlhf", json=self.RATED | fields).status_code == 201
        unrated = {name: value for name, value in self.RATED.items() if name != "rating"}
        assert store.post("database/rlhf", json=unrated | {"metadata": {}}).json()["rating"] is None
        whole = store.get("database/rlhf/stats").json()
        assert (whole["total"], whole["average_rating"]) == (4, 2.667)
        assert whole["rating_distribution"] == {"1": 1, "2": 1, "3": 0, "4": 0, "5": 1}
        assert whole["by_type"]["summary"] == {"count": 1, "average_rating": 1.0}
        of_account = store.get("database/rlhf/stats", params={"account_id": "7"}).json()
        assert (of_account["total"], of_account["average_rating"]) == (2, 3.5)
        nothing = store.get("database/rlhf/stats", params={"account_id": "9"}).json()
        assert (nothing["total"], nothing["average_rating"], nothing["by_type"]) == (0, None, {})
