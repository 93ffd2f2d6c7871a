"""The local embedding model: right vectors, whatever the batch, the order or the thread."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from apps.integrations.zerodb.embedding import (
    DEFAULT_MODEL,
    ModelFileDamaged,
    UnknownModel,
    accepted_models,
    resolve_model,
)
from apps.integrations.zerodb.embedding.onnx_engine import BATCH_TEXTS, ModelFile, OnnxEngine, _batches

pytestmark = pytest.mark.covers("P-11")

TEXTS = [f"Parcel {number} is late and the customer asks for a refund " * (number % 7 + 1) for number in range(70)]


def embed(*texts: str) -> np.ndarray:
    return DEFAULT_MODEL.engine.embed(texts)


def test_vectors_have_the_promised_dimensions_and_length_one():
    vectors = embed("Hello", "Ein zweiter Satz mit Umlauten: äöü", "日本語")
    assert vectors.shape == (3, DEFAULT_MODEL.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_related_texts_are_nearer_than_unrelated_ones():
    refund, money_back, weather = embed(
        "I want my money back", "How do I get a refund?", "The mountains are covered with snow"
    )
    assert refund @ money_back > 0.4
    assert refund @ weather < 0.15


def test_a_text_has_one_vector_alone_and_in_any_batch():
    together = embed(*TEXTS)
    alone = np.vstack([embed(text) for text in TEXTS[:12]])
    np.testing.assert_allclose(together[:12], alone, atol=1e-5)


def test_vectors_come_back_in_the_order_of_the_texts():
    np.testing.assert_allclose(embed(*reversed(TEXTS)), embed(*TEXTS)[::-1], atol=1e-5)


def test_the_same_call_gives_the_same_bytes():
    assert embed("Deterministic").tobytes() == embed("Deterministic").tobytes()


def test_text_beyond_the_window_is_cut_not_refused():
    vectors = embed("word " * 5000, "word " * 6000)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_many_threads_get_the_same_vectors():
    expected = embed(*TEXTS[:8])
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: embed(*TEXTS[:8]), range(8)):
            np.testing.assert_allclose(vectors, expected, atol=1e-5)


class _Encoding:
    def __init__(self, length):
        self.ids = [0] * length


def test_batches_hold_similar_lengths_and_lose_no_text():
    lengths = [256, 3, 250, 4] * 20
    batches = list(_batches([_Encoding(length) for length in lengths]))
    assert sorted(position for batch in batches for position in batch) == list(range(80))
    assert max(len(batch) for batch in batches) <= BATCH_TEXTS
    assert {lengths[position] for position in batches[0]} <= {3, 4}
    assert {lengths[position] for position in batches[-1]} <= {250, 256}


def test_the_model_is_loaded_once_and_only_when_used():
    engine = OnnxEngine(
        weights=DEFAULT_MODEL.engine._weights,
        tokenizer=DEFAULT_MODEL.engine._tokenizer,
        dimensions=384,
        max_tokens=16,
        threads=1,
    )
    assert not engine.loaded
    engine.embed(["x"])
    session = engine._ready[2]
    engine.embed(["y"])
    assert engine.loaded and engine._ready[2] is session


def test_a_changed_model_file_is_refused(tmp_path: Path):
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(b"not a model")
    engine = OnnxEngine(
        weights=ModelFile(damaged, "0" * 64),
        tokenizer=DEFAULT_MODEL.engine._tokenizer,
        dimensions=384,
        max_tokens=16,
        threads=1,
    )
    with pytest.raises(ModelFileDamaged, match="not the one expected"):
        engine.embed(["x"])


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "BAAI/bge-small-en-v1.5",
        "sentence-transformers/all-MiniLM-L6-v2",
        "all-MiniLM-L6-v2",
        "sentence-transformers/all-MiniLM-L12-v2",
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    ],
)
def test_every_384_dimension_model_of_the_contract_is_accepted_and_the_real_one_named(name):
    model = resolve_model(name)
    assert model.dimensions == 384
    assert model.served_by == "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize("name", ["gpt-4", "baai/BGE-small-en-v1.5", "sentence-transformers/all-mpnet-base-v2", " "])
def test_an_unknown_model_is_refused_with_the_supported_names(name):
    with pytest.raises(UnknownModel) as refusal:
        resolve_model(name)
    assert name in str(refusal.value) and "not supported" in str(refusal.value)
    for model in accepted_models():
        assert model.name in str(refusal.value)
