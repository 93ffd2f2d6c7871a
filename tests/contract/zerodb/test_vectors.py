"""Section 6 of the contract: vectors that callers bring themselves."""

import json
import re

import httpx2
import pytest

from apps.integrations.zerodb.server.store import usage

pytestmark = pytest.mark.covers("P-11")

DIMENSIONS = [384, 768, 1024, 1536]


def ok(answer: httpx2.Response) -> dict:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body["processing_time_ms"], int) and body["processing_time_ms"] >= 0
    return body


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def put(store, vector_id: str, values: list[float], **fields) -> dict:
    body = {"vector_id": vector_id, "vector_embedding": values, "document": f"document of {vector_id}", **fields}
    return ok(store.post("database/vectors/upsert", json=body))


class TestUpsert:
    @pytest.mark.parametrize("dimensions", DIMENSIONS)
    def test_form_a_in_every_length(self, store, make_vector, dimensions):
        values, metadata = make_vector(1, dimensions), {"deep": {"list": [1, None, "x"]}}
        first = put(store, "v1", values, dimensions=dimensions, metadata=metadata)
        assert first.keys() >= {"vector_id", "dimensions", "namespace", "metadata", "created", "stored_at"}
        assert (first["vector_id"], first["dimensions"], first["namespace"]) == ("v1", dimensions, "default")
        assert first["created"] is True and first["metadata"] == metadata
        second = put(store, "v1", values, metadata={})
        assert second["created"] is False and second["created_at"] == first["created_at"]
        shown = ok(store.get("database/vectors/v1", params={"include_vector": True}))
        assert shown["vector"] == pytest.approx(values, abs=1e-6) and shown["metadata"] == {}

    def test_form_b_is_a_list(self, store, make_vector):
        body = {"vectors": [{"id": f"b{n}", "values": make_vector(n), "metadata": {"n": n}} for n in range(3)]}
        answer = ok(store.post("database/vectors/upsert", json={**body, "namespace": "b"}))
        assert answer["upserted_count"] == 3 and answer["namespace"] == "b"
        assert answer["vectors"][0] == {"id": "b0", "status": "created", "dimensions": 384}

    def test_form_c_has_no_document(self, store, make_vector):
        for status, metadata, document in [
            ("created", {"text": "in metadata"}, "in metadata"),
            ("updated", {"content": "other name"}, "other name"),
            ("updated", {}, ""),
        ]:
            body = {"id": "c1", "vector": make_vector(1), "metadata": metadata}
            answer = ok(store.post("database/vectors/upsert", json=body))
            assert (answer["id"], answer["status"], answer["dimension"]) == ("c1", status, 384)
            assert ok(store.get("database/vectors/c1"))["document"] == document

    @pytest.mark.parametrize(
        ("method", "path", "name", "values"),
        [
            ("PUT", "database/vectors", "items", "vector"),
            ("POST", "database/vectors/batch-upsert", "vectors", "vector"),
        ],
    )
    def test_many_at_once(self, store, make_vector, method, path, name, values):
        entries = [{"id": f"m{n}", values: make_vector(n)} for n in range(2)] + [{values: make_vector(9)}]
        answer = ok(store.request(method, path, json={name: entries}))
        assert answer["ids"][:2] == ["m0", "m1"] and re.fullmatch(r"vec_[0-9a-f]{16}", answer["ids"][2])
        assert (answer["upserted_count"], answer["inserted"], answer["updated"]) == (3, 3, 0)
        assert (answer["total"], answer["successful"], answer["failed"], answer["errors"]) == (3, 3, 0, [])
        assert ok(store.request(method, path, json={name: entries[:2]}))["updated"] == 2

    @pytest.mark.parametrize("count", [1, 2, 383, 385, 1535, 4096])
    def test_another_length_is_refused_with_the_right_ones(self, store, count):
        body = {"vector_embedding": [0.1] * count, "document": "d"}
        detail = refused(store.post("database/vectors/upsert", json=body), 422, "DIMENSION_MISMATCH")
        assert str(count) in detail and "not supported" in detail
        assert all(str(length) in detail for length in DIMENSIONS)

    def test_a_length_other_than_declared_is_refused(self, store, make_vector):
        body = {"vector_embedding": make_vector(1, 768), "dimensions": 384, "document": "d"}
        detail = refused(store.post("database/vectors/upsert", json=body), 422, "DIMENSION_MISMATCH")
        assert "768" in detail and "mismatch" in detail.lower()

    def test_an_existing_vector_keeps_its_length(self, store, make_vector):
        put(store, "v1", make_vector(1, 384))
        body = {"vector_id": "v1", "vector_embedding": make_vector(1, 768), "document": "d"}
        detail = refused(store.post("database/vectors/upsert", json=body), 400, "DIMENSION_CHANGE_NOT_ALLOWED")
        assert "v1" in detail
        assert ok(store.get("database/vectors/v1"))["dimensions"] == 384

    @pytest.mark.parametrize(
        "values", [None, [], "text", {"a": 1}, [[0.1] * 384], ["0.1"] * 384, [None] * 384, [True] * 384]
    )
    def test_what_is_no_vector_is_refused(self, store, values):
        answer = store.post("database/vectors/upsert", json={"vector_embedding": values, "document": "d"})
        detail = refused(answer, 422)
        if values == []:
            assert "empty" in detail or "cannot" in detail

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e18", "1e39", "1e999"])
    def test_numbers_must_be_finite_and_comparable(self, store, number):
        content = f'{{"vector_embedding": [{", ".join([number] * 384)}], "document": "d"}}'
        refused(store.post("database/vectors/upsert", content=content), 422)

    def test_the_largest_numbers_are_found(self, store):
        body = {"vector_embedding": [1e17] * 1536, "document": "d", "vector_id": "large"}
        ok(store.post("database/vectors/upsert", json=body))
        (hit,) = ok(store.post("database/vectors/search", json={"query_vector": [1e17] * 1536}))["results"]
        assert (hit["id"], hit["score"]) == ("large", 1.0)

    @pytest.mark.parametrize("document", [None, "", "  ", 5])
    def test_form_a_needs_a_document(self, store, make_vector, document):
        body = {"vector_embedding": make_vector(1), "document": document}
        refused(store.post("database/vectors/upsert", json=body), 422)

    def test_a_batch_names_each_bad_entry_and_stores_nothing(self, store, make_vector):
        entries = [{"id": "good", "vector": make_vector(1)}, {"id": "bad", "vector": "x"}, 5]
        answer = store.post("database/vectors/batch-upsert", json={"vectors": entries})
        refused(answer, 422)
        places = [error["loc"] for error in answer.json()["validation_errors"]]
        assert places == [["body", "vectors"], ["body", "vectors", 1, "vector"]] or places == [
            ["body", "vectors", 1, "vector"],
            ["body", "vectors"],
        ]
        assert ok(store.get("database/vectors"))["total"] == 0

    def test_at_most_a_thousand_in_a_batch(self, store):
        entries = [{"id": "x"}] * 1001
        refused(store.post("database/vectors/batch-upsert", json={"vectors": entries}), 422)


class TestSearch:
    def test_the_nearest_come_first(self, store, make_vector):
        for number in range(20):
            put(store, f"v{number}", make_vector(number), metadata={"n": number})
        answer = ok(store.post("database/vectors/search", json={"query_vector": make_vector(7), "top_k": 5}))
        assert answer["count"] == answer["total"] == answer["total_results"] == len(answer["results"]) == 5
        assert answer["results"][0]["id"] == "v7" and answer["results"][0]["score"] >= 0.999
        assert answer["results"][0]["metadata"] == {"n": 7} and answer["dimensions"] == 384
        scores = [hit["score"] for hit in answer["results"]]
        assert scores == sorted(scores, reverse=True)

    @pytest.mark.parametrize("name", ["query_vector", "vector"])
    def test_filters_thresholds_and_toggles(self, store, make_vector, name):
        for number in range(4):
            put(store, f"v{number}", make_vector(number), metadata={"even": number % 2 == 0})
        body = {name: make_vector(0)}

        def found(**fields) -> list[dict]:
            return ok(store.post("database/vectors/search", json={**body, **fields}))["results"]

        assert {hit["id"] for hit in found(filter={"even": True})} == {"v0", "v2"}
        assert [hit["id"] for hit in found(threshold=0.99)] == ["v0"]
        assert "metadata" not in found(include_metadata=False)[0] and "vector" not in found()[0]
        assert found(include_values=True)[0]["vector"] == pytest.approx(body[name], abs=1e-6)
        assert len(found(limit=3)) == 3

    @pytest.mark.parametrize(
        "fields", [{"top_k": 0}, {"top_k": 101}, {"limit": 1001}, {"threshold": 2}, {"namespace": "../x"}]
    )
    def test_out_of_bounds(self, store, make_vector, fields):
        answer = store.post("database/vectors/search", json={"query_vector": make_vector(1), **fields})
        assert answer.status_code == 422

    def test_a_search_sees_one_length(self, store, make_vector):
        put(store, "short", make_vector(1, 384), namespace="mixed")
        put(store, "long", make_vector(1, 1536), namespace="mixed")
        for dimensions, expected in [(384, "short"), (1536, "long"), (768, None)]:
            body = {"query_vector": make_vector(1, dimensions), "namespace": "mixed"}
            ids = [hit["id"] for hit in ok(store.post("database/vectors/search", json=body))["results"]]
            assert ids == ([expected] if expected else [])

    def test_a_vector_of_zeros_is_like_nothing(self, store, make_vector):
        put(store, "zeros", [0.0] * 384)
        (hit,) = ok(store.post("database/vectors/search", json={"query_vector": make_vector(1)}))["results"]
        assert hit["score"] == 0

    def test_embeddings_and_vectors_are_one_store(self, store):
        generated = store.post("embeddings/generate", json={"text": "a refund"}).json()["embedding"]
        put(store, "by-vector", generated)
        store.post("embeddings/embed-and-store", json={"text": "a refund", "vector_id": "by-text"})
        by_text = store.post("embeddings/search", json={"query": "a refund"}).json()["results"]
        by_vector = ok(store.post("database/vectors/search", json={"query_vector": generated}))["results"]
        for hits in (by_text, by_vector):
            assert [hit["id"] for hit in hits] == ["by-vector", "by-text"]
            assert all(hit["score"] >= 0.99 for hit in hits)


class TestReadAndList:
    def test_get_one(self, store, make_vector):
        put(store, "v1", make_vector(1), metadata={"a": 1}, namespace="ns")
        answer = ok(store.get("database/vectors/v1", params={"namespace": "ns"}))
        assert answer["id"] == answer["vector_id"] == "v1" and answer["dimension"] == answer["dimensions"] == 384
        assert answer["document"] == "document of v1" and answer["metadata"] == {"a": 1}
        assert "vector" not in answer
        detail = refused(store.get("database/vectors/v1"), 404, "VECTOR_NOT_FOUND")
        assert "v1" in detail and "default" in detail

    @pytest.mark.parametrize("path", ["database/vectors", "database/vectors/list"])
    def test_pages_newest_first_without_embeddings(self, store, make_vector, path):
        for number in range(5):
            put(store, f"v{number}", make_vector(number), metadata={"n": number})
        answer = ok(store.get(path, params={"limit": 2, "offset": 1}))
        assert [vector["id"] for vector in answer["vectors"]] == ["v3", "v2"]
        assert (answer["total"], answer["limit"], answer["offset"]) == (5, 2, 1)
        assert "embedding" not in answer["vectors"][0] and "vector" not in answer["vectors"][0]
        filtered = ok(store.get(path, params={"filters": json.dumps({"n": {"$gte": 3}})}))
        assert [vector["id"] for vector in filtered["vectors"]] == ["v4", "v3"] and filtered["total"] == 2
        refused(store.get(path, params={"filters": "{"}), 422)
        refused(store.get(path, params={"filters": '{"$or": 1}'}), 422, "INVALID_METADATA_FILTER")

    def test_by_ids_in_their_order(self, store, make_vector):
        for number in range(3):
            put(store, f"v{number}", make_vector(number))
        params = {"ids": "v2,none,v0", "include_values": True}
        answer = ok(store.get("database/vectors", params=params))
        assert [vector["id"] for vector in answer["vectors"]] == ["v2", "v0"]
        assert len(answer["vectors"][0]["values"]) == 384

    def test_by_namespace_in_the_oldest_form(self, alice, make_vector):
        body = {"id": "v1", "vector": make_vector(1), "namespace": "old-space"}
        assert alice.http.post("database/vectors/upsert", json=body).status_code == 200
        answer = ok(alice.http.get("database/vectors/old-space"))
        assert (answer["namespace"], answer["total"], answer["vectors"][0]["id"]) == ("old-space", 1, "v1")
        assert ok(alice.http.get("database/vectors/never-used"))["vectors"] == []

    def test_stats(self, store, make_vector):
        assert ok(store.get("database/vectors/stats"))["count"] == 0
        put(store, "v1", make_vector(1), namespace="a")
        put(store, "v2", make_vector(2), namespace="b")
        answer = ok(store.get("database/vectors/stats"))
        assert (answer["total_vectors"], answer["count"], answer["dimensions"]) == (2, 2, 384)
        assert answer["namespaces"] == ["a", "b"] and answer["storage_bytes"] > 2 * 4 * 384
        assert ok(store.get("database/vectors/stats", params={"namespace": "a"}))["count"] == 1


class TestDelete:
    def test_delete_then_gone(self, store, make_vector):
        put(store, "v1", make_vector(1), namespace="ns")
        detail = refused(store.delete("database/vectors/v1"), 404, "VECTOR_NOT_FOUND")
        assert "v1" in detail
        answer = ok(store.delete("database/vectors/v1", params={"namespace": "ns"}))
        assert answer["deleted"] is True and answer["id"] == answer["vector_id"] == "v1" and answer["message"]
        refused(store.delete("database/vectors/v1", params={"namespace": "ns"}), 404, "VECTOR_NOT_FOUND")

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    @pytest.mark.parametrize("name", ["id", "vector_id"])
    def test_by_body(self, store, make_vector, method, name):
        put(store, "v1", make_vector(1))
        assert ok(store.request(method, "database/vectors/delete", json={name: "v1"}))["deleted"] is True
        refused(store.request(method, "database/vectors/delete", json={name: "v1"}), 404, "VECTOR_NOT_FOUND")
        refused(store.request(method, "database/vectors/delete", json={}), 422)

    @pytest.mark.parametrize(
        ("body", "left"),
        [
            ({"ids": ["v0", "v2", "none"]}, {"v1"}),
            ({"filter": {"n": {"$lt": 2}}}, {"v2"}),
            ({"delete_all": True}, set()),
        ],
    )
    def test_many_at_once(self, store, make_vector, body, left):
        for number in range(3):
            put(store, f"v{number}", make_vector(number), metadata={"n": number})
        put(store, "elsewhere", make_vector(5), namespace="other")
        answer = ok(store.request("DELETE", "database/vectors", json=body))
        assert answer["deleted_count"] == 3 - len(left)
        assert {vector["id"] for vector in ok(store.get("database/vectors"))["vectors"]} == left
        assert ok(store.get("database/vectors", params={"namespace": "other"}))["total"] == 1

    def test_everything_is_never_deleted_by_omission(self, store, make_vector):
        put(store, "v1", make_vector(1))
        for body in ({}, {"filter": {}}, {"delete_all": False}):
            refused(store.request("DELETE", "database/vectors", json=body), 422)
        assert ok(store.request("DELETE", "database/vectors", json={"ids": []}))["deleted_count"] == 0
        assert ok(store.get("database/vectors"))["total"] == 1

    def test_metadata_is_replaced(self, store, make_vector):
        put(store, "v1", make_vector(1), metadata={"a": 1})
        answer = ok(store.patch("database/vectors/v1/metadata", json={"metadata": {"b": 2}}))
        assert answer["metadata"] == {"b": 2} and answer["id"] == "v1"
        refused(store.patch("database/vectors/none/metadata", json={"metadata": {}}), 404, "VECTOR_NOT_FOUND")
        refused(store.patch("database/vectors/v1/metadata", json={}), 422)

    def test_metadata_of_a_vector_in_another_namespace(self, store, make_vector):
        put(store, "v1", make_vector(1), namespace="ns", metadata={"a": 1})
        change = {"metadata": {"b": 2}}
        refused(store.patch("database/vectors/v1/metadata", json=change), 404, "VECTOR_NOT_FOUND")
        in_body = ok(store.patch("database/vectors/v1/metadata", json=change | {"namespace": "ns"}))
        in_query = ok(store.patch("database/vectors/v1/metadata", json=change, params={"namespace": "ns"}))
        assert in_body["metadata"] == in_query["metadata"] == {"b": 2}


def test_scores_can_be_left_out(store, make_vector):
    put(store, "v1", make_vector(1))
    search = {"query_vector": make_vector(1)}
    (shown,) = ok(store.post("database/vectors/search", json=search))["results"]
    (bare,) = ok(store.post("database/vectors/search", json=search | {"include_similarity_score": False}))["results"]
    assert set(shown) - set(bare) == {"score", "similarity", "similarity_score"}


def test_the_size_of_many_vectors_is_measured_once_a_minute_and_their_number_always(store, make_vector, monkeypatch):
    monkeypatch.setattr(usage, "MEASURED_EACH_TIME", 2)
    seen = []
    for number in range(4):
        store.post("database/vectors/upsert", json={"id": f"v{number}", "vector": make_vector(number)})
        stats = store.get("database/vectors/stats").json()
        seen.append((stats["count"], stats["storage_bytes"]))
    assert [count for count, _ in seen] == [1, 2, 3, 4]
    sizes = [size for _, size in seen]
    assert sizes[0] < sizes[1] < sizes[2] == sizes[3]
