"""Section 8 of the contract: events."""

import re

import httpx2
import pytest

pytestmark = pytest.mark.covers("P-11")

EVENT = {"event_type": "agent_decision", "data": {"agent_id": "a1", "deep": {"score": 0.95}}}


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def log(store, **fields) -> dict:
    answer = store.post("database/events", json=EVENT | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_create_and_read(store, project):
    made = log(store, timestamp="2026-01-10T18:30:00.123Z")
    assert re.fullmatch(r"evt_[0-9a-f]{16}", made["event_id"])
    assert made["event_type"] == "agent_decision" and made["status"] == "created"
    assert made["data"] == EVENT["data"]
    assert made["timestamp"] == "2026-01-10T18:30:00.123Z"
    found = store.get(f"database/events/{made['event_id']}").json()
    assert found["data"] == EVENT["data"] and found["project_id"] == project["id"]
    assert found["timestamp"] == made["timestamp"]


def test_without_a_time_it_is_now(store):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", log(store)["timestamp"])


@pytest.mark.parametrize("time", ["2026-01-10T18:30:00Z", "2026-01-10T18:30:00-05:00", "2026-01-10T18:30:00"])
def test_a_time_is_answered_as_it_was_written(store, time):
    assert log(store, timestamp=time)["timestamp"] == time


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", "2026-01-10", "18:30"])
def test_a_bad_time_is_refused(store, time):
    answer = store.post("database/events", json=EVENT | {"timestamp": time})
    assert "ISO8601" in refused(answer, 422, "INVALID_TIMESTAMP")
    assert answer.json()["validation_errors"][0]["loc"] == ["body", "timestamp"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["event_type", "data"]),
        ({"data": {}}, ["event_type"]),
        ({"event_type": "x"}, ["data"]),
        ({"event_type": " ", "data": {}}, ["event_type"]),
        ({"event_type": "x" * 101, "data": {}}, ["event_type"]),
        ({"event_type": 5, "data": {}}, ["event_type"]),
        ({"event_type": "x", "data": "text"}, ["data"]),
        ({"event_type": "x", "data": []}, ["data"]),
    ],
)
def test_bad_fields(store, body, fields):
    answer = store.post("database/events", json=body)
    refused(answer, 422)
    assert [entry["loc"] for entry in answer.json()["validation_errors"]] == [["body", name] for name in fields]


def test_list_newest_first_with_filters_and_pages(store):
    for day, kind in ((1, "a"), (3, "b"), (2, "a")):
        log(store, event_type=kind, timestamp=f"2026-01-0{day}T00:00:00Z", source=f"s{day}")

    def listed(**params) -> list[str]:
        answer = store.get("database/events", params=params)
        assert answer.status_code == 200, answer.text
        return [event["source"] for event in answer.json()["events"]]

    assert listed() == ["s3", "s2", "s1"]
    assert listed(event_type="a") == ["s2", "s1"]
    assert listed(event_types="a,b", limit=2, offset=1) == ["s2", "s1"]
    assert listed(start_date="2026-01-02T00:00:00Z") == ["s3", "s2"]
    assert listed(end_date="2026-01-01") == ["s1"]
    assert listed(source="s3") == ["s3"]
    answer = store.get("database/events", params={"limit": 1}).json()
    assert (answer["total"], answer["limit"], answer["offset"], len(answer["events"])) == (3, 1, 0, 1)
    refused(store.get("database/events", params={"limit": 0}), 422)
    refused(store.get("database/events", params={"start_date": "soon"}), 422, "INVALID_TIMESTAMP")


def test_what_there_is_of_each_type(store):
    for day, kind in ((1, "a"), (3, "b"), (2, "a")):
        log(store, event_type=kind, timestamp=f"2026-01-0{day}T00:00:00Z")
    answer = store.get("database/events/stats").json()
    assert answer["total"] == 3 and answer["by_type"] == {"a": 2, "b": 1}
    assert answer["first_event_at"] == "2026-01-01T00:00:00Z" and answer["last_event_at"] == "2026-01-03T00:00:00Z"


def test_an_unknown_event(store):
    assert "evt_none" in refused(store.get("database/events/evt_none"), 404, "EVENT_NOT_FOUND")


def test_events_without_the_prefix_do_not_exist(alice, project):
    for path in ("events", f"{project['id']}/events"):
        refused(alice.http.post(path, json=EVENT), 404, "PATH_NOT_FOUND")


def test_events_of_every_path_form_are_the_same(alice, project):
    for path, headers in [
        (f"{project['id']}/database/events", {}),
        (f"projects/{project['id']}/database/events", {}),
        ("database/events", {"X-Project-ID": project["id"]}),
    ]:
        assert alice.http.post(path, json=EVENT, headers=headers).status_code == 201, path
    assert alice.http.get(f"{project['id']}/database/events").json()["total"] == 3
    assert alice.http.post("database/events", json=EVENT).status_code == 201  # the default project
    assert alice.http.get("database/events").json()["total"] == 1


def test_a_suspended_project_is_read_and_not_written(alice, store, project):
    log(store)
    alice.http.patch(f"projects/{project['id']}/status", json={"status": "SUSPENDED"})
    assert store.get("database/events").json()["total"] == 1
    refused(store.post("database/events", json=EVENT), 403, "PROJECT_SUSPENDED")
