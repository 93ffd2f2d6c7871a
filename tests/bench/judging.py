"""How good rankings are, against labelled queries (``support/``). What is asked is any function from query to ids."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

CUT = 10
ROOT = Path(__file__).resolve().parents[2]
Asking = Callable[[str], Sequence[str]]
"""A query to the ids of messages, best first."""


@dataclass(frozen=True)
class Query:
    """What is asked, and the intent that answers it. ``kind``: lexical or semantic."""

    text: str
    intent: str
    kind: str


@dataclass(frozen=True)
class Yardstick:
    """Messages as ``{id: text}``, the intent of each, and the queries."""

    texts: dict[str, str]
    intents: dict[str, str]
    queries: list[Query]

    def relevant(self, query: Query) -> int:
        """How many messages answer it."""
        return sum(intent == query.intent for intent in self.intents.values())


@dataclass(frozen=True)
class Quality:
    """Means over queries. ``recall`` is a share of what CUT results can hold at most."""

    recall: float
    precision: float
    ndcg: float


def read_yardstick() -> Yardstick:
    """The messages of the demo and the queries beside this file, or both from the folder that ``SUPPORT`` names."""
    given = os.environ.get("SUPPORT")
    messages = _read((Path(given) if given else ROOT / "apps/chat/demo/data") / "messages.jsonl")
    queries = _read((Path(given) if given else Path(__file__).parent / "support") / "queries.jsonl")
    return Yardstick(
        {row["id"]: row["text"] for row in messages},
        {row["id"]: row["intent"] for row in messages},
        [Query(row["query"], row["intent"], row["kind"]) for row in queries],
    )


def judge(asking: Asking, yardstick: Yardstick) -> dict[str, Quality]:
    """Quality over all queries and over each kind."""
    judged = [(query, quality(asking(query.text), query, yardstick)) for query in yardstick.queries]
    kinds = sorted({query.kind for query, _ in judged})
    found = {"all": _mean(one for _, one in judged)}
    return found | {kind: _mean(one for query, one in judged if query.kind == kind) for kind in kinds}


def quality(found: Sequence[str], query: Query, yardstick: Yardstick) -> Quality:
    """Of one answer. A message that comes twice counts once, where it comes first."""
    hits = [yardstick.intents.get(message_id) == query.intent for message_id in dict.fromkeys(found)][:CUT]
    possible = min(CUT, yardstick.relevant(query))
    ideal = sum(_gain(rank) for rank in range(possible))
    gained = sum(_gain(rank) for rank, hit in enumerate(hits) if hit)
    return Quality(sum(hits) / possible, sum(hits) / CUT, gained / ideal) if possible else Quality(0, 0, 0)


def _gain(rank: int) -> float:
    return 1 / math.log2(rank + 2)


def _mean(some: Iterable[Quality]) -> Quality:
    some = list(some)
    return Quality(fmean(q.recall for q in some), fmean(q.precision for q in some), fmean(q.ndcg for q in some))


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
