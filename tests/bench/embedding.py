"""M1, M2: what the embedder adds to onnxruntime, and what it gains from many texts at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np

from apps.integrations.zerodb.embedding import DEFAULT_MODEL
from tests.bench.judging import read_yardstick
from tests.bench.measure import Figure, Work, at_least, compare
from tests.bench.world import FULL, World

BLOCKS = 24 if FULL else 10
TEXTS = 32


def m1(world: World) -> Iterator[Figure]:
    """The embedder's own door, ``EmbeddingEngine.embed``, against ``InferenceSession.run`` with the very same batches.

    What is direct has the tokens ready: tokenising, padding, pooling and copying are what the embedder adds.
    """
    texts = list(read_yardstick().texts.values())
    engine: Any = DEFAULT_MODEL.engine
    batches = [texts[start : start + TEXTS] for start in range(0, 8 * TEXTS, TEXTS)]
    ready, session = _tokens(engine, batches), _session(engine)
    turn, direct_turn = cycle(batches), cycle(ready)
    ratio = compare(
        lambda: engine.embed(next(turn)),
        lambda: [session.run(None, given) for given in next(direct_turn)],
        blocks=BLOCKS,
        times=len(batches),
    ).inverted()
    figure = at_least("M1", f"embeddings/s, {TEXTS} texts a call ÷ onnxruntime called directly", ratio, 0.9)
    figure.parts = {"ours_per_s": round(TEXTS / ratio.one, 1), "direct_per_s": round(TEXTS / ratio.other, 1)}
    figure.parts["through_the_api_per_s"] = round(TEXTS / _through_the_api(world, batches), 1)
    yield figure


def m2(world: World) -> Iterator[Figure]:
    """Short texts: the queries of the ranking, some seven words each."""
    texts = [query.text for query in read_yardstick().queries][: 4 * TEXTS]
    engine = DEFAULT_MODEL.engine
    together: Work = lambda: [engine.embed(texts[start : start + TEXTS]) for start in range(0, len(texts), TEXTS)]  # noqa: E731
    alone: Work = lambda: [engine.embed([text]) for text in texts]  # noqa: E731
    ratio = compare(together, alone, blocks=BLOCKS, times=1).inverted()
    figure = at_least("M2", f"embeddings/s of short texts, {TEXTS} a call ÷ one by one", ratio, 1.4)
    figure.parts = {
        "together_per_s": round(len(texts) / ratio.one, 1),
        "alone_per_s": round(len(texts) / ratio.other, 1),
    }
    yield figure


def _session(engine: Any) -> Any:
    """As onnxruntime comes, but for the threads: as many as the embedder has."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = engine._threads
    options.log_severity_level = 3
    return InferenceSession(engine._weights.verified_bytes(), options, providers=["CPUExecutionProvider"])


def _tokens(engine: Any, batches: list[list[str]]) -> list[list[dict[str, np.ndarray[Any, Any]]]]:
    """What the embedder gives to onnxruntime for each batch: caught on its way."""
    caught: list[dict[str, Any]] = []
    engine.embed(["load"])
    process, tokenizer, session = engine._ready

    class Catching:
        get_inputs = session.get_inputs

        def run(self, names: Any, given: dict[str, Any]) -> Any:
            caught.append(given)
            return session.run(names, given)

    found = []
    engine._ready = (process, tokenizer, Catching())
    try:
        for batch in batches:
            engine.embed(batch)
            found.append(list(caught))
            caught.clear()
    finally:
        engine._ready = (process, tokenizer, session)
    assert process == os.getpid()
    return found


def _through_the_api(world: World, batches: list[list[str]]) -> float:
    """Seconds of one call by the ZeroDB client, with JSON both ways, without a network."""
    from apps.accounts.tenancy.scope import tenant
    from apps.chat.indexing.vectors import project
    from tests.bench.measure import seconds
    from tests.factories import make_account
    from tests.working import work_off

    account = make_account("Embedding", world.owner)
    assert work_off(account, "project.provision") == ["done"]
    with tenant(account):
        opened = project()
        client = opened.__enter__()
    try:
        turn = cycle(batches)
        client.generate(next(turn))
        return seconds(lambda: client.generate(next(turn)), len(batches)) / len(batches)
    finally:
        opened.__exit__(None, None, None)
