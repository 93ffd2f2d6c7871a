"""Comparing two things fairly: ABBA blocks in one process, medians, a bootstrap bound."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Work = Callable[[], object]


@dataclass
class Figure:
    """One number of the report. ``upper95`` is the bound below which the true median lies with 95 %."""

    id: str
    what: str
    value: float
    upper95: float
    must: str
    met: bool
    unit: str = "ratio"
    note: str = ""
    parts: dict[str, float] = field(default_factory=dict)


def seconds(work: Work, times: int) -> float:
    """How long ``times`` calls take."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Ratio:
    """One ÷ other, over blocks; and the median seconds of one call of each."""

    value: float
    lower95: float
    upper95: float
    one: float
    other: float


def compare(one: Work, other: Work, *, blocks: int = 60, times: int = 10) -> Ratio:
    """Time both in blocks of one-other-other-one, so that drift falls on both alike."""
    seconds(one, times)
    seconds(other, times)
    ratios, ones, others = [], [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(blocks):
            first = seconds(one, times)
            second = seconds(other, 2 * times)
            third = seconds(one, times)
            ratios.append((first + third) / second)
            ones.append((first + third) / 2 / times)
            others.append(second / 2 / times)
    finally:
        gc.enable()
    lower, upper = bounds(ratios)
    return Ratio(statistics.median(ratios), lower, upper, statistics.median(ones), statistics.median(others))


def bounds(samples: list[float], *, rounds: int = 2000) -> tuple[float, float]:
    """The 5th and the 95th percentile of the bootstrapped median."""
    source = random.Random(1)
    medians = sorted(statistics.median(source.choices(samples, k=len(samples))) for _ in range(rounds))
    return medians[rounds // 20], medians[-rounds // 20]


def at_most(id: str, what: str, ratio: Ratio, goal: float, **options: object) -> Figure:
    """A figure whose goal is an upper limit."""
    parts = {"one_ms": round(ratio.one * 1000, 4), "other_ms": round(ratio.other * 1000, 4)}
    met = ratio.value <= goal
    return Figure(id, what, ratio.value, ratio.upper95, f"≤ {goal}", met, parts=parts, **options)  # type: ignore[arg-type]


def at_least(id: str, what: str, ratio: Ratio, goal: float, **options: object) -> Figure:
    """A figure whose goal is a lower limit: ``upper95`` then holds the lower bound, the side that matters."""
    met = ratio.value >= goal
    return Figure(id, what, ratio.value, ratio.lower95, f"≥ {goal}", met, **options)  # type: ignore[arg-type]
