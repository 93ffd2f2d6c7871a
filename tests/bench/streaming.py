"""AI1, AI2: what a stream through an account's connection adds to asking the same model directly."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import httpx2
import orjson
from django.test import override_settings

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import tenant
from apps.integrations.contracts.ai import Message
from apps.integrations.services import ai
from apps.integrations.services.connections import connect
from tests.bench.measure import Figure, bounds
from tests.bench.world import FULL, World
from tests.stand_ins.local_llm import is_installed, local_llm

BLOCKS = 16 if FULL else 10
TOKENS = 48
MODEL = "smollm2"
ASKED = "Tell me a long story about a fox."
ACTOR = Actor.system("bench")
Times = tuple[float, float]
"""Seconds to the first piece of text, and per piece after it."""


def ai1(world: World) -> Iterator[Figure]:
    """The model runs in a process of its own, on one thread; the other core is for whoever asks it."""
    if not is_installed():
        raise RuntimeError("Install the extra local-llm: requirements/local-llm.txt")
    ours, direct, control = _measured(world)
    added = [(one[0] - other[0]) * 1000 for one, other in zip(ours, direct, strict=True)]
    _, upper = bounds(added)
    value = statistics.median(added)
    parts = {"ours_ms": _milliseconds(ours), "direct_ms": _milliseconds(direct)}
    what = "first token of a stream through an account's connection, later than of a direct call"
    yield Figure("AI1", what, value, upper, "≤ 30", value <= 30, "ms", parts=parts, control=control)


def ai2(world: World) -> Iterator[Figure]:
    """Of the same streams as AI1: how fast the text comes once it comes."""
    ours, direct, control = _measured(world)
    ratios = [other[1] / one[1] for one, other in zip(ours, direct, strict=True)]
    lower, _ = bounds(ratios)
    value = statistics.median(ratios)
    parts = {
        "ours_per_s": round(1 / statistics.median(each[1] for each in ours), 1),
        "direct_per_s": round(1 / statistics.median(each[1] for each in direct), 1),
    }
    what = "tokens/s of a stream through an account's connection ÷ of a direct call"
    yield Figure("AI2", what, value, lower, "≥ 0.9", value >= 0.9, parts=parts, control=control)


@lru_cache(maxsize=1)
def _measured(world: World) -> tuple[list[Times], list[Times], float]:
    """Blocks of one-other-other-one, and the first turns of each side ÷ its last."""
    ours: list[Times] = []
    direct: list[Times] = []
    controls: list[float] = []
    with (
        local_llm() as address,
        override_settings(OUTBOUND_ALLOW=["127.0.0.1"], PROVIDER_URLS={}),
        httpx2.Client(base_url=address, trust_env=False, timeout=60) as plain,
    ):
        _connect(world, address)
        for _ in range(2):
            _ours(world), _direct(plain)
        for _ in range(BLOCKS):
            first, second, third, fourth = _ours(world), _direct(plain), _direct(plain), _ours(world)
            ours.append(_mean(first, fourth))
            direct.append(_mean(second, third))
            controls += [first[1] / fourth[1], second[1] / third[1]]
    return ours, direct, statistics.median(controls)


def _connect(world: World, address: str) -> None:
    settings = {"base_url": address, "default_model": MODEL}
    with tenant(world.account):
        connect(actor=ACTOR, category="ai", provider_name="openai_compatible", credentials={}, settings=settings)


def _ours(world: World) -> Times:
    began = time.perf_counter()
    messages = [Message(role="user", text=ASKED)]
    with ai.stream_chat(messages, actor=ACTOR, account=world.account, max_tokens=TOKENS, temperature=0.0) as stream:
        at = [time.perf_counter() for part in stream if part.text]
    return _times(began, at)


def _direct(plain: httpx2.Client) -> Times:
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": ASKED}],
        "max_tokens": TOKENS,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    try:
        return _read(plain, body)
    except httpx2.RemoteProtocolError:  # it ends connections that were idle for five seconds
        return _read(plain, body)


def _read(plain: httpx2.Client, body: dict[str, Any]) -> Times:
    began = time.perf_counter()
    at = []
    with plain.stream("POST", "chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                choices = orjson.loads(line[6:])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    at.append(time.perf_counter())
    return _times(began, at)


def _times(began: float, at: list[float]) -> Times:
    assert len(at) >= TOKENS // 2, f"only {len(at)} pieces came"
    return at[0] - began, (at[-1] - at[0]) / (len(at) - 1)


def _mean(one: Times, other: Times) -> Times:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _milliseconds(times: list[Times]) -> float:
    return round(statistics.median(first for first, _ in times) * 1000, 1)
