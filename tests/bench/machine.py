"""The machine: what it is, and whether somebody else is using it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

QUIET_PERCENT = 12.0


def describe() -> dict[str, Any]:
    """CPU, memory, versions, for the report."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


def _busy_and_all() -> tuple[int, int]:
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def foreign_percent(over: float = 1.0) -> float:
    """How busy the machine is while the bench itself waits."""
    busy, all_ticks = _busy_and_all()
    time.sleep(over)
    busy_after, all_after = _busy_and_all()
    return 100 * (busy_after - busy) / max(1, all_after - all_ticks)


def wait_until_quiet(limit: float) -> float:
    """Wait for less than QUIET_PERCENT of foreign work, at most ``limit`` seconds. Returns the last reading."""
    deadline = time.monotonic() + limit
    while (percent := foreign_percent()) >= QUIET_PERCENT and time.monotonic() < deadline:
        time.sleep(1)
    return percent
