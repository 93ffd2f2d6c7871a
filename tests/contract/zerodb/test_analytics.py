"""Section 8 of the contract: analytics, and section 4.2: calls per minute."""

import csv
import io

import httpx2
import pytest
import time_machine

pytestmark = pytest.mark.covers("P-11")


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def ok(answer: httpx2.Response) -> dict:
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def filled(store):
    """A project with two events, a text and a decision of an agent."""
    for number in range(2):
        store.post("database/events", json={"event_type": "e", "data": {"n": number}})
    store.post("embeddings/embed-and-store", json={"text": "a text"})
    entry = {"agent_id": "a1", "run_id": "r", "memory_type": "decision", "content": "chose"}
    store.post("agent-memory", json=entry)
    return store


class TestOfAProject:
    def test_usage(self, filled, project):
        answer = ok(filled.get("database/analytics/usage"))
        assert answer["project_id"] == project["id"] and answer["granularity"] == "daily"
        assert answer["totals"] == {
            "vectors": 1, "memories": 0, "agent_memories": 1, "rows": 0, "events": 2, "feedback": 0,
        }  # fmt: skip
        (day,) = answer["data"]
        assert day["events"] == 2 and day["date"].endswith("T00:00:00Z")
        assert answer["usage"]["vectors_stored"] == 1

    @pytest.mark.parametrize("granularity", ["hourly", "daily", "weekly", "monthly"])
    def test_usage_in_steps_within_bounds(self, filled, granularity):
        params = {"granularity": granularity, "start_date": "2020-01-01T00:00:00", "end_date": "2020-02-01"}
        assert ok(filled.get("database/analytics/usage", params=params))["data"] == []
        answer = ok(filled.get("database/analytics/usage", params={"granularity": granularity}))
        assert answer["totals"]["events"] == 2 and len(answer["data"]) == 1

    def test_storage_and_performance(self, filled):
        storage = ok(filled.get("database/analytics/storage"))
        assert storage["total_bytes"] > 1500 and storage["namespaces"][0]["name"] == "default"
        metrics = ok(filled.get("database/analytics/performance"))["metrics"]
        assert metrics["search_ms"] > 0 and metrics["count_ms"] > 0
        assert ok(filled.get("database/analytics/performance?metric_type=search"))["metrics"].keys() == {"search_ms"}

    def test_what_there_is_none_of(self, filled):
        assert ok(filled.get("database/analytics/costs"))["total_cost_usd"] == 0
        queries = ok(filled.get("database/analytics/queries"))
        assert (queries["queries"], queries["recorded"]) == ([], False)

    def test_trends_have_a_number_for_each_day(self, filled):
        answer = ok(filled.get("database/analytics/trends", params={"metric": "events", "period": 7}))
        assert len(answer["data"]) == 8 and [day["value"] for day in answer["data"]] == [0] * 7 + [2]
        answer = ok(filled.get("database/analytics/trends", params={"metric": "decisions", "period": "7d"}))
        assert answer["data"][-1]["value"] == 1

    def test_trends_are_of_vectors_unless_told_otherwise(self, filled):
        unnamed, vectors = (ok(filled.get(f"database/analytics/trends{query}")) for query in ("", "?metric=vectors"))
        assert unnamed["metric"] == "vectors" and unnamed["data"] == vectors["data"]

    def test_a_day_that_stands_out(self, filled):
        found = ok(filled.get("database/analytics/anomalies"))["anomalies"]
        assert {anomaly["metric"] for anomaly in found} == {"events", "vectors", "agent_memories"}
        assert all(anomaly["severity"] == "high" and anomaly["value"] > anomaly["expected"] for anomaly in found)
        for params in ({"severity": "low"}, {"severity": "low", "granularity": "weekly"}):
            assert ok(filled.get("database/analytics/anomalies", params=params))["total"] == 0

    def test_export(self, filled):
        answer = ok(filled.post("database/analytics/export", json={"report_type": "usage", "format": "csv"}))
        (row,) = csv.DictReader(io.StringIO(answer["content"]))
        assert row["events"] == "2" and answer["format"] == "csv"
        assert ok(filled.post("database/analytics/export", json={}))["data"]["entries"][0]["events"] == 2

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("usage?granularity=yearly", "VALIDATION_ERROR"),
            ("usage?start_date=soon", "INVALID_TIMESTAMP"),
            ("usage?start_date=2026-02-01&end_date=2026-01-01", "INVALID_TIMESTAMP"),
            ("trends?metric=mood", "VALIDATION_ERROR"),
            ("trends?metric=events&period=0", "VALIDATION_ERROR"),
            ("anomalies?severity=dire", "VALIDATION_ERROR"),
        ],
    )
    def test_bad_parameters(self, store, path, code):
        refused(store.get(f"database/analytics/{path}"), 422, code)


class TestWithTheProjectInTheQuery:
    def test_all_four(self, alice, filled, project):
        def ask(path: str, **params) -> dict:
            return ok(alice.http.get(f"analytics/{path}", params={"project_id": project["id"], **params}))

        assert ask("spend", period="30d")["total_spend"] == 0
        assert ask("activity")["agents"][0]["agent_id"] == "a1"
        assert ask("trends", metric="decisions")["data"][-1]["value"] == 1
        assert ask("trends")["metric"] == "vectors"
        assert ask("health")["score"] == 100
        alice.http.patch(f"projects/{project['id']}/status", json={"status": "SUSPENDED"})
        assert ask("health")["status"] == "degraded"

    @pytest.mark.parametrize("path", ["spend", "activity", "trends", "health"])
    def test_the_project_is_named_and_the_callers(self, alice, bob, project, path):
        refused(alice.http.get(f"analytics/{path}"), 422)
        params = {"project_id": project["id"], "metric": "spend"}
        refused(bob.http.get(f"analytics/{path}", params=params), 404, "PROJECT_NOT_FOUND")


class TestCallsPerMinute:
    def test_nothing_is_counted_unless_switched_on(self, alice, make_vector):
        project = alice.create_project(tier="free")
        for number in range(12):
            answer = alice.http.post(f"{project['id']}/database/vectors/upsert", json={"vector": make_vector(number)})
            assert answer.status_code == 200 and "x-ratelimit-limit" not in answer.headers

    def test_by_tier_with_headers_and_again_in_the_next_minute(self, alice, make_vector, settings):
        settings.ZERODB_RATE_LIMITS = True
        project, body = alice.create_project(tier="free"), {"vector": make_vector(1), "id": "v"}
        path = f"{project['id']}/database/vectors/upsert"
        with time_machine.travel("2026-01-01T12:00:10Z", tick=False):
            left = [alice.http.post(path, json=body).headers["x-ratelimit-remaining"] for _ in range(10)]
            assert left == [str(number) for number in range(9, -1, -1)]
            answer = alice.http.post(path, json=body)
            assert "free" in refused(answer, 429, "RATE_LIMIT_EXCEEDED")
            assert answer.headers["retry-after"] == "50" and answer.headers["x-ratelimit-remaining"] == "0"
            assert answer.headers["x-ratelimit-limit"] == "10"
            search = {"query_vector": make_vector(1)}
            found = alice.http.post(f"{project['id']}/database/vectors/search", json=search)
            assert (found.status_code, found.headers["x-ratelimit-limit"]) == (200, "20")
            items = {"items": [{"id": "v", "vector": make_vector(1)}]}
            refused(alice.http.put(f"{project['id']}/database/vectors", json=items), 429, "RATE_LIMIT_EXCEEDED")
            assert alice.http.get(f"{project['id']}/database/vectors").status_code == 200
            by_operation = {"operation": "upsert_vector", "params": {"project_id": project["id"], **body}}
            refused(alice.http.post("zerodb/mcp/execute", json=by_operation), 429, "RATE_LIMIT_EXCEEDED")
        with time_machine.travel("2026-01-01T12:01:00Z", tick=False):
            assert alice.http.post(path, json=body).status_code == 200


def test_a_suspended_project_takes_changes_of_its_life_alone(alice, project):
    path = f"projects/{project['id']}"
    alice.http.patch(f"{path}/status", json={"status": "suspended"})
    refused(alice.http.patch(path, json={"name": "x"}), 403, "PROJECT_SUSPENDED")
    refused(alice.http.patch(f"{path}/settings", json={"a": 1}), 403, "PROJECT_SUSPENDED")
    assert alice.http.get(path).json()["name"] == project["name"]
    assert alice.http.put(f"{path}/status", json={"status": "ACTIVE"}).json()["status"] == "ACTIVE"
    assert alice.http.patch(path, json={"name": "x"}).json()["name"] == "x"
    alice.http.patch(f"{path}/status", json={"status": "SUSPENDED"})
    assert alice.http.delete(path).json()["deleted"] is True
