"""Section 5 of the contract: models, generate, compare, embed-and-store, search."""

import re
from uuid import UUID

import httpx2
import pytest

from tests.contract.zerodb.conftest import Caller

pytestmark = pytest.mark.covers("P-11")

REAL_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_MODEL = "BAAI/bge-small-en-v1.5"
ACCEPTED = [
    "BAAI/bge-small-en-v1.5",
    "sentence-transformers/all-MiniLM-L6-v2",
    "sentence-transformers/all-MiniLM-L12-v2",
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    "all-MiniLM-L6-v2",
]


def ok(answer: httpx2.Response) -> dict:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body["processing_time_ms"], int) and body["processing_time_ms"] >= 0
    return body


def refused(answer: httpx2.Response, status: int, code: str = "VALIDATION_ERROR") -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def put(store, text: str, **fields) -> dict:
    return ok(store.post("embeddings/embed-and-store", json={"text": text, **fields}))


def find(store, query: str, **fields) -> list[dict]:
    return ok(store.post("embeddings/search", json={"query": query, **fields}))["results"]


class TestModels:
    def test_the_list_is_open_and_has_one_default(self, stranger):
        models = stranger.get("embeddings/models").json()
        assert [model["name"] for model in models if model["is_default"]] == [DEFAULT_MODEL]
        assert len({model["name"] for model in models}) == len(models) >= 4
        assert all(model["dimensions"] == 384 and model["served_by"] == REAL_MODEL for model in models)
        assert all(model["description"] for model in models)

    def test_one_model_by_its_name_with_a_slash(self, alice):
        assert alice.http.get("embeddings/models/BAAI/bge-small-en-v1.5").json()["dimensions"] == 384
        assert "not supported" in refused(alice.http.get("embeddings/models/x/y"), 404, "MODEL_NOT_FOUND")


class TestGenerate:
    def test_one_text(self, store):
        answer = ok(store.post("embeddings/generate", json={"text": "  Hello there  "}))
        assert len(answer["embedding"]) == answer["dimensions"] == answer["dimension"] == 384
        assert answer["embeddings"] == [answer["embedding"]]
        assert answer["text"] == "Hello there" and answer["model"] == DEFAULT_MODEL

    @pytest.mark.parametrize("path", ["generate", "batch"])
    def test_many_texts(self, store, path):
        answer = ok(store.post(f"embeddings/{path}", json={"texts": ["one", "two", "three"], "normalize": True}))
        assert answer["count"] == len(answer["embeddings"]) == 3
        assert answer["cost_usd"] == 0 and "embedding" not in answer

    def test_the_same_text_gives_the_same_vector(self, store):
        first, second = (store.post("embeddings/generate", json={"text": "again"}).json() for _ in range(2))
        assert first["embedding"] == second["embedding"]

    @pytest.mark.parametrize("model", ACCEPTED)
    def test_every_384_dimension_name_is_accepted_and_the_answer_says_what_ran(self, store, model):
        answer = ok(store.post("embeddings/generate", json={"text": "x", "model": model}))
        assert answer["model"] == model and answer["served_by"] == REAL_MODEL and answer["dimensions"] == 384

    @pytest.mark.parametrize("text", ["日本語のテキスト 🎉 äöü", "word " * 3000, "x"])
    def test_unicode_and_long_texts(self, store, text):
        assert len(ok(store.post("embeddings/generate", json={"text": text}))["embedding"]) == 384

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": ""},
            {"text": " \n "},
            {"text": None},
            {"text": 5},
            {"texts": []},
            {"texts": ["a", " "]},
            {"texts": ["a"] * 101},
            {"texts": ["a", 1]},
            {"texts": "a"},
        ],
    )
    def test_nothing_to_embed_is_refused(self, store, body):
        refused(store.post("embeddings/generate", json=body), 422)

    def test_a_model_without_a_name_is_none(self, store):
        refused(store.post("embeddings/generate", json={"text": "x", "model": ""}), 404, "MODEL_NOT_FOUND")
        refused(store.post("embeddings/search", json={"query": "x", "model": ""}), 422, "INVALID_MODEL")
        assert ok(store.post("embeddings/generate", json={"text": "x", "model": None}))["model"] == DEFAULT_MODEL

    def test_an_unknown_model_is_404_here_and_422_elsewhere(self, store):
        bad = {"model": "openai/gpt-4"}
        details = [
            refused(store.post("embeddings/generate", json={"text": "x", **bad}), 404, "MODEL_NOT_FOUND"),
            refused(store.post("embeddings/search", json={"query": "x", **bad}), 422, "INVALID_MODEL"),
            refused(store.post("embeddings/embed-and-store", json={"text": "x", **bad}), 422, "INVALID_MODEL"),
            refused(store.post("embeddings/compare", json={"text1": "x", "text2": "y", **bad}), 422, "INVALID_MODEL"),
        ]
        for detail in details:
            assert "openai/gpt-4" in detail and "not supported" in detail and REAL_MODEL in detail

    def test_compare(self, store):
        same = ok(store.post("embeddings/compare", json={"text1": "a refund", "text2": "a refund"}))
        assert same["cosine_similarity"] == 1.0 and same["embedding1"] == pytest.approx(same["embedding2"], abs=1e-6)
        near = ok(store.post("embeddings/compare", json={"text1": "I want a refund", "text2": "give my money back"}))
        far = ok(store.post("embeddings/compare", json={"text1": "I want a refund", "text2": "snow on the hills"}))
        assert 0 <= far["cosine_similarity"] < near["cosine_similarity"] < 1
        assert refused(store.post("embeddings/compare", json={"text1": "only one"}), 422)


KEYS = {
    "vectors_stored", "vectors_inserted", "vectors_updated", "model", "dimensions", "namespace", "vector_ids",
    "results", "processing_time_ms", "details",
}  # fmt: skip


class TestEmbedAndStore:
    def test_one_text(self, store):
        answer = put(store, "Where is my parcel?", metadata={"topic": "delivery"})
        assert answer.keys() >= KEYS | {"vector_id", "text", "created", "stored_at"}
        assert len(answer["vector_id"]) == 36 and UUID(answer["vector_id"])
        assert answer["vector_ids"] == [answer["vector_id"]] and answer["details"] is None
        assert (answer["vectors_stored"], answer["vectors_inserted"], answer["vectors_updated"]) == (1, 1, 0)
        assert answer["results"] == [
            {
                "vector_id": answer["vector_id"],
                "document": "Where is my parcel?",
                "metadata": {"topic": "delivery"},
                "created": True,
            }
        ]

    @pytest.mark.parametrize(
        "body",
        [
            {"texts": ["alpha", "beta"], "metadata_list": [{"n": 1}, {"n": 2}]},
            {"texts": ["alpha", "beta"], "metadata": [{"n": 1}, {"n": 2}]},
            {"documents": ["alpha", "beta"], "metadata": [{"n": 1}, {"n": 2}]},
            {"documents": [{"text": "alpha", "metadata": {"n": 1}}, {"text": "beta", "metadata": {"n": 2}}]},
        ],
    )
    def test_many_in_every_shape(self, store, body):
        answer = ok(store.post("embeddings/embed-and-store", json={**body, "namespace": "many"}))
        assert answer.keys() >= KEYS and "vector_id" not in answer
        assert all(re.fullmatch(r"vec_[0-9a-f]{16}", vector_id) for vector_id in answer["vector_ids"])
        assert len(set(answer["vector_ids"])) == 2
        assert [entry["metadata"] for entry in answer["results"]] == [{"n": 1}, {"n": 2}]
        assert {hit["document"] for hit in find(store, "alpha", namespace="many")} == {"alpha", "beta"}

    def test_one_metadata_object_goes_to_all_texts_and_none_is_empty(self, store):
        answer = ok(store.post("embeddings/embed-and-store", json={"texts": ["a", "b"], "metadata": {"x": 1}}))
        assert [entry["metadata"] for entry in answer["results"]] == [{"x": 1}, {"x": 1}]
        for empty in ({"metadata_list": []}, {"metadata": []}, {}):
            answer = ok(store.post("embeddings/embed-and-store", json={"texts": ["a", "b"], **empty}))
            assert [entry["metadata"] for entry in answer["results"]] == [{}, {}]

    @pytest.mark.parametrize(
        "body",
        [
            {"texts": ["a", "b"], "vector_ids": ["one", "two"]},
            {"documents": ["a", "b"], "vector_ids": ["one", "two"]},
            {"documents": [{"id": "one", "text": "a"}, {"id": "two", "text": "b"}]},
        ],
    )
    def test_given_ids_are_kept(self, store, body):
        assert ok(store.post("embeddings/embed-and-store", json=body))["vector_ids"] == ["one", "two"]

    def test_details_come_on_request(self, store):
        body = {"texts": ["short", "l" * 80], "vector_ids": ["s", "l"], "include_details": True, "upsert": True}
        assert ok(store.post("embeddings/embed-and-store", json=body))["details"] == [
            {"vector_id": "s", "text_preview": "short", "status": "inserted"},
            {"vector_id": "l", "text_preview": "l" * 50 + "...", "status": "inserted"},
        ]
        assert ok(store.post("embeddings/embed-and-store", json=body))["details"][0]["status"] == "updated"

    def test_an_existing_id_is_a_conflict_that_says_how_to_replace(self, store):
        put(store, "first", vector_id="v1")
        answer = store.post("embeddings/embed-and-store", json={"text": "second", "vector_id": "v1"})
        detail = refused(answer, 409, "VECTOR_ALREADY_EXISTS")
        assert "v1" in detail and "upsert=True" in detail
        assert find(store, "first")[0]["document"] == "first"

    def test_upsert_replaces_everything_but_the_birthday(self, store):
        first = put(store, "old words", vector_id="v1", metadata={"a": 1}, upsert=True)
        second = put(store, "new words", vector_id="v1", metadata={"b": 2}, upsert=True)
        assert (first["created"], second["created"]) == (True, False)
        assert (second["vectors_inserted"], second["vectors_updated"]) == (0, 1)
        assert second["created_at"] == first["created_at"] and second["stored_at"] > first["stored_at"]
        (hit,) = find(store, "new words")
        assert hit["document"] == "new words" and hit["metadata"] == {"b": 2} and hit["score"] >= 0.99

    def test_objects_without_upsert_are_indexed_again(self, store):
        body = {"documents": [{"id": "msg-1", "text": "same id"}]}
        ok(store.post("embeddings/embed-and-store", json=body))
        assert ok(store.post("embeddings/embed-and-store", json=body))["vectors_updated"] == 1
        refused(store.post("embeddings/embed-and-store", json={**body, "upsert": False}), 409, "VECTOR_ALREADY_EXISTS")

    def test_the_same_id_in_another_namespace_is_another_vector(self, store):
        put(store, "in one", vector_id="v1", namespace="one")
        put(store, "in two", vector_id="v1", namespace="two")
        assert find(store, "in", namespace="one")[0]["document"] == "in one"

    def test_a_call_stores_all_or_nothing(self, store):
        put(store, "taken", vector_id="taken")
        body = {"texts": ["a", "b"], "vector_ids": ["free", "taken"]}
        refused(store.post("embeddings/embed-and-store", json=body), 409, "VECTOR_ALREADY_EXISTS")
        refused(store.get("database/vectors/free"), 404, "VECTOR_NOT_FOUND")
        body = {"texts": ["a", "b"], "vector_ids": ["twice", "twice"]}
        refused(store.post("embeddings/embed-and-store", json=body), 400, "DUPLICATE_DOCUMENT_ID")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": " "},
            {"texts": []},
            {"texts": ["a", ""]},
            {"texts": ["a"] * 101},
            {"texts": ["a", "b"], "metadata": [{"n": 1}]},
            {"texts": ["a", "b"], "vector_ids": ["one"]},
            {"texts": ["a"], "metadata": ["not an object"]},
            {"documents": []},
            {"documents": [{"id": "no text"}]},
            {"documents": [5]},
            {"text": "a", "metadata": "no object"},
        ],
    )
    def test_what_cannot_be_stored_is_refused(self, store, body):
        refused(store.post("embeddings/embed-and-store", json=body), 422)

    def test_a_hundred_texts_fit(self, store):
        body = {"texts": [f"text number {number}" for number in range(100)]}
        assert ok(store.post("embeddings/embed-and-store", json=body))["vectors_stored"] == 100


class TestSearch:
    @pytest.fixture
    def filled(self, store):
        texts = ["I want my money back", "Refund my order please", "The parcel never arrived", "Snow covers the hills"]
        metadata = [{"kind": "refund", "n": number} for number in range(3)] + [{"kind": "weather", "n": 3}]
        body = {"texts": texts, "metadata_list": metadata, "vector_ids": [f"v{n}" for n in range(4)]}
        ok(store.post("embeddings/embed-and-store", json=body))
        return store

    def test_the_best_come_first_with_one_score_under_three_names(self, filled):
        hits = find(filled, "I want my money back")
        scores = [hit["score"] for hit in hits]
        assert hits[0]["id"] == hits[0]["vector_id"] == "v0" and scores[0] >= 0.99
        assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
        assert {hit["id"] for hit in hits[:2]} == {"v0", "v1"}
        for hit in hits:
            assert hit["score"] == hit["similarity"] == hit["similarity_score"]
            assert hit["document"] == hit["text"]
            assert hit["namespace"] == "default" and hit["dimensions"] == 384 and hit["model"] == DEFAULT_MODEL
            assert "embedding" not in hit and hit["created_at"].endswith("Z")

    def test_the_answer_around_the_hits(self, filled):
        answer = ok(filled.post("embeddings/search", json={"query": " refund "}))
        assert answer["query"] == "refund" and answer["namespace"] == "default" and answer["model"] == DEFAULT_MODEL
        assert answer["total_results"] == len(answer["results"]) == 4

    @pytest.mark.parametrize("name", ["top_k", "limit"])
    def test_how_many(self, filled, name):
        assert len(find(filled, "refund", **{name: 2})) == 2
        for wrong in (0, 101, -1, "x", 1.5):
            refused(filled.post("embeddings/search", json={"query": "refund", name: wrong}), 422)

    def test_ten_by_default(self, store):
        ok(store.post("embeddings/embed-and-store", json={"texts": [f"number {number}" for number in range(12)]}))
        assert len(find(store, "number")) == 10
        assert len(find(store, "number", top_k=100)) == 12

    @pytest.mark.parametrize("name", ["similarity_threshold", "threshold"])
    def test_the_threshold_is_inclusive(self, filled, name):
        hits = find(filled, "refund")
        for hit in hits:
            kept = find(filled, "refund", **{name: hit["score"]})
            assert hit["id"] in {item["id"] for item in kept}
            assert all(item["score"] >= hit["score"] for item in kept)
        assert len(find(filled, "refund", **{name: 0.0})) == 4
        assert [hit["id"] for hit in find(filled, "I want my money back", **{name: 1.0})] == ["v0"]
        for wrong in (-0.1, 1.1, "high"):
            refused(filled.post("embeddings/search", json={"query": "refund", name: wrong}), 422)

    def test_ties_come_oldest_first_and_every_time_alike(self, store):
        for number in range(5):
            put(store, "the same words", vector_id=f"v{number}")
        for _ in range(3):
            assert [hit["id"] for hit in find(store, "the same words")] == ["v0", "v1", "v2", "v3", "v4"]

    def test_metadata_can_be_left_out_and_vectors_asked_for(self, filled):
        assert all("metadata" not in hit for hit in find(filled, "refund", include_metadata=False))
        for name in ("include_embeddings", "include_values", "include_vectors"):
            assert all(len(hit["embedding"]) == 384 for hit in find(filled, "refund", **{name: True}))

    def test_nothing_found_is_an_empty_list(self, store):
        assert find(store, "anything") == []
        assert find(store, "anything", namespace="never-used") == []

    def test_the_filter_comes_before_the_cut(self, filled):
        hits = find(filled, "I want my money back", top_k=1, metadata_filter={"kind": "weather"})
        assert [hit["id"] for hit in hits] == ["v3"]

    @pytest.mark.parametrize("name", ["metadata_filter", "filter", "filters", "filter_metadata"])
    def test_the_filters_other_names(self, filled, name):
        assert {hit["id"] for hit in find(filled, "refund", **{name: {"metadata.kind": "refund"}})} == {
            "v0",
            "v1",
            "v2",
        }

    @pytest.mark.parametrize("query", [None, "", "   ", 5])
    def test_a_question_is_needed(self, store, query):
        refused(store.post("embeddings/search", json={"query": query}), 422)


class TestNamespaces:
    @pytest.mark.parametrize("namespace", [None, "", "  ", "default", " default "])
    def test_absent_and_blank_mean_default(self, store, namespace):
        assert put(store, "x", namespace=namespace)["namespace"] == "default"

    def test_they_are_apart_and_case_matters(self, store):
        put(store, "lower", namespace="agents")
        put(store, "upper", namespace="Agents")
        assert [hit["document"] for hit in find(store, "x", namespace="agents")] == ["lower"]
        assert [hit["document"] for hit in find(store, "x", namespace="Agents")] == ["upper"]
        assert find(store, "x") == []

    @pytest.mark.parametrize("namespace", ["a", "agent_1.memory-x", "0", "n" * 128, "v1.2", "a..b"])
    def test_good_names(self, store, namespace):
        assert put(store, "x", namespace=namespace)["namespace"] == namespace

    @pytest.mark.parametrize(
        "namespace",
        ["a/b", "a\\b", "a b", "a@b", "#x", "$x", "../up", "a/../b", "_x", "-x", ".x", "n" * 129, "näme", 5, ["a"]],
    )
    def test_bad_names(self, store, namespace):
        for path, body in [
            ("embeddings/embed-and-store", {"text": "x"}),
            ("embeddings/search", {"query": "x"}),
            ("agent-memory", {"agent_id": "a", "run_id": "r", "memory_type": "goal", "content": "c"}),
        ]:
            refused(store.post(path, json={**body, "namespace": namespace}), 422, "INVALID_NAMESPACE")


STORED = {
    "int": {"n": 5, "tags": ["red", "blue"], "name": "Ada Lovelace", "ok": True},
    "float": {"n": 7.5, "tags": [], "name": "Bob", "ok": False},
    "null": {"n": None, "name": "5"},
    "none": {},
    "text": {"n": "5", "quo'te": 'a "b" %s {x}'},
}


@pytest.fixture(scope="module")
def filtered(zerodb_server, django_db_blocker):
    """The ids of STORED that match a filter."""
    with django_db_blocker.unblock():
        caller = Caller(zerodb_server)
    body = {"documents": [{"id": name, "text": name, "metadata": metadata} for name, metadata in STORED.items()]}
    ok(caller.http.post("embeddings/embed-and-store", json=body))
    yield lambda conditions: {hit["id"] for hit in find(caller.http, "anything", metadata_filter=conditions)}
    caller.http.close()


class TestMetadataFilter:
    @pytest.mark.parametrize(
        ("conditions", "expected"),
        [
            ({}, {"int", "float", "null", "none", "text"}),
            ({"n": 5}, {"int"}),
            ({"n": 5.0}, {"int"}),
            ({"n": "5"}, {"text"}),
            ({"n": None}, {"null", "none"}),
            ({"ok": True}, {"int"}),
            ({"tags": ["red", "blue"]}, {"int"}),
            ({"n": {"$eq": 7.5}}, {"float"}),
            ({"n": {"$equals": 7.5}}, {"float"}),
            ({"n": {"$ne": 5}}, {"float", "null", "none", "text"}),
            ({"n": {"$not_equals": None}}, {"int", "float", "text"}),
            ({"n": {"$gt": 5}}, {"float"}),
            ({"n": {"$gte": 5}}, {"int", "float"}),
            ({"n": {"$lt": 7.5}}, {"int"}),
            ({"n": {"$lte": 7.5, "$gt": 5}}, {"float"}),
            ({"n": {"$in": [5, None]}}, {"int", "null", "none"}),
            ({"n": {"$in": []}}, set()),
            ({"tags": {"$in": ["red"]}}, set()),
            ({"n": {"$nin": [5, "5"]}}, {"float", "null", "none"}),
            ({"n": {"$nin": []}}, {"int", "float", "null", "none", "text"}),
            ({"n": {"$exists": True}}, {"int", "float", "text"}),
            ({"n": {"$exists": False}}, {"null", "none"}),
            ({"name": {"$contains": "Love"}}, {"int"}),
            ({"tags": {"$contains": "red"}}, {"int"}),
            ({"tags": {"$contains": "re"}}, set()),
            ({"n": {"$contains": "5"}}, {"text"}),
            ({"n": 5, "name": {"$contains": "Ada"}}, {"int"}),
            ({"n": 5, "name": "Bob"}, set()),
            ({"quo'te": 'a "b" %s {x}'}, {"text"}),
            ({"quo'te": {"$contains": "%s"}}, {"text"}),
            ({"metadata.n": 5}, {"int"}),
        ],
    )
    def test_which_rows_match(self, filtered, conditions, expected):
        assert filtered(conditions) == expected

    @pytest.mark.parametrize(
        ("conditions", "words"),
        [
            ({"a": {"eq": 1}}, "must start with '$'"),
            ({"a": {"$regex": "x"}}, "Unsupported operator"),
            ({"a": {"$in": "x"}}, "requires a list value"),
            ({"a": {"$nin": 1}}, "requires a list value"),
            ({"a": {"$gt": "x"}}, "requires a numeric value"),
            ({"a": {"$lte": True}}, "requires a numeric value"),
            ({"a": {"$exists": 1}}, "requires a boolean value"),
            ({"a": {"$contains": 1}}, "requires a string value"),
            ({"$or": [{"a": 1}]}, "Top-level operator"),
            ("a = 1", "must be a dictionary"),
            ([], "must be a dictionary"),
        ],
    )
    def test_what_cannot_be_understood_says_why(self, store, conditions, words):
        answer = store.post("embeddings/search", json={"query": "x", "metadata_filter": conditions})
        assert words in refused(answer, 422, "INVALID_METADATA_FILTER")
