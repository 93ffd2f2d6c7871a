"""What would lower the bill, each with what it saves in a month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.accounts.metering.holding import Waste


@dataclass(frozen=True)
class Suggestion:
    """``count`` of what; ``saving`` a month in the platform's currency, None when the price is unknown."""

    kind: str
    words: str
    count: Decimal
    saving: Decimal | None
    todo: str


def suggestions(
    waste: Waste | None, *, vector_price: Decimal | None, memory: Decimal | None, memory_cost: Decimal | None
) -> list[Suggestion]:
    """The dearest first. ``memory``: gigabytes beyond what is free; they cost ``memory_cost``."""
    found = list(_of_vectors(waste, vector_price)) if waste is not None else []
    if memory:
        found.append(
            Suggestion(
                "memory",
                f"{memory.normalize():f} GB of memory are beyond what is free",
                memory,
                memory_cost,
                "Forget what was remembered about contacts who are gone, and shorten long memories.",
            )
        )
    return sorted(found, key=lambda one: (-(one.saving or 0), -one.count))


def _of_vectors(waste: Waste, price: Decimal | None) -> Iterator[Suggestion]:
    unused = sum(vectors for _, vectors in waste.namespaces)
    names = ", ".join(name for name, _ in waste.namespaces[:3])
    more = f" and {len(waste.namespaces) - 3} more" if len(waste.namespaces) > 3 else ""
    for kind, number, words, todo in (
        (
            "duplicates",
            waste.duplicates,
            "{vectors} the same text as another one in their namespace",
            "Delete the copies, and store texts under an id of their own so that they replace each other.",
        ),
        (
            "stale",
            waste.stale,
            "{vectors} not been found by any search for 90 days",
            "Delete what they were made of, such as conversations solved long ago.",
        ),
        (
            "gone",
            waste.gone,
            "{vectors} been made of something that is gone",
            "Rebuild the index on the page “AI features”: that removes them.",
        ),
        (
            "namespaces",
            unused,
            f"{{vectors}} in namespaces that no search has used for 90 days: {names}{more}",
            "Delete the namespaces, or switch the feature off that fills them.",
        ),
    ):
        if number:
            saving = None if price is None else number * price
            yield Suggestion(kind, _counted(kind, words, number), Decimal(number), saving, todo)


def _counted(kind: str, words: str, number: int) -> str:
    verb = ("lies", "lie") if kind == "namespaces" else ("has", "have")
    noun = "vector" if number == 1 else "vectors"
    return words.format(vectors=f"{number:,} {noun} {verb[number != 1]}")
