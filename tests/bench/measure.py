"""Comparing two things fairly: ABBA blocks, medians, a bootstrap bound, and each side against itself."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

Work = Callable[[], object]


@dataclass
class Figure:
    """One number of the report. ``bound95`` is the limit beyond which the true median lies with 5 %, on the bad side.

    ``control`` is what came out when the first turn of each side was compared with its last: 1 without drift.
    """

    id: str
    what: str
    value: float
    bound95: float
    must: str
    met: bool
    unit: str = "ratio"
    note: str = ""
    parts: dict[str, float] = field(default_factory=dict)
    control: float | None = None


def seconds(work: Work, times: int) -> float:
    """How long ``times`` calls take."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Ratio:
    """One ÷ other, over blocks; the median seconds of one call of each; and each against itself."""

    value: float
    lower95: float
    upper95: float
    one: float
    other: float
    control: float

    def inverted(self) -> Ratio:
        """Other ÷ one: of rates instead of times."""
        return replace(self, value=1 / self.value, lower95=1 / self.upper95, upper95=1 / self.lower95)


def compare(one: Work, other: Work, *, blocks: int = 60, times: int = 10) -> Ratio:
    """Time both in blocks of one-other-other-one, so that drift falls on both alike."""
    gc.collect()
    gc.disable()
    try:
        return turns(lambda: seconds(one, times) / times, lambda: seconds(other, times) / times, blocks=blocks)
    finally:
        gc.enable()


def turns(one: Callable[[], float], other: Callable[[], float], *, blocks: int) -> Ratio:
    """The same for what times itself: both give the seconds of one call."""
    one(), other()
    ratios, controls, ones, others = [], [], [], []
    for _ in range(blocks):
        first, second, third, fourth = one(), other(), other(), one()
        ratios.append((first + fourth) / (second + third))
        controls += [first / fourth, second / third]
        ones.append((first + fourth) / 2)
        others.append((second + third) / 2)
    lower, upper = bounds(ratios)
    medians = [statistics.median(samples) for samples in (ratios, ones, others, controls)]
    return Ratio(medians[0], lower, upper, medians[1], medians[2], medians[3])


def bounds(samples: list[float], *, rounds: int = 2000) -> tuple[float, float]:
    """The 5th and the 95th percentile of the bootstrapped median."""
    source = random.Random(1)
    medians = sorted(statistics.median(source.choices(samples, k=len(samples))) for _ in range(rounds))
    return medians[rounds // 20], medians[-rounds // 20]


def at_most(id: str, what: str, ratio: Ratio, goal: float) -> Figure:
    """A figure whose goal is an upper limit."""
    parts = {"one_ms": round(ratio.one * 1000, 4), "other_ms": round(ratio.other * 1000, 4)}
    met = ratio.value <= goal
    return Figure(id, what, ratio.value, ratio.upper95, f"≤ {goal}", met, parts=parts, control=ratio.control)


def at_least(id: str, what: str, ratio: Ratio, goal: float) -> Figure:
    """A figure whose goal is a lower limit."""
    return Figure(id, what, ratio.value, ratio.lower95, f"≥ {goal}", ratio.value >= goal, control=ratio.control)
